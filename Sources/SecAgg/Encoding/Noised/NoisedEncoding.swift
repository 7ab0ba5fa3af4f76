// How a clipped update becomes noised integers (spec/12-noised-rounds.md): public constants of a plan, hence part of ctx.
// Invariants: a site's integers have an L2 norm of at most √normSquaredMax, whatever it trained; the sum of n honest inputs leaves
// −2^(b−1) … 2^(b−1) − 1 with a probability below 2^-30.
import DPAccountant
import GMP

/// A fraction of positive integers in lowest terms.
public struct Fraction: Hashable, Sendable {
  public let numerator: UInt64
  public let denominator: UInt64

  /// nil unless both are positive and without a common factor: one value has one form.
  public init?(_ numerator: UInt64, _ denominator: UInt64 = 1) {
    guard numerator > 0, denominator > 0, Fraction.commonFactor(numerator, denominator) == 1 else { return nil }
    (self.numerator, self.denominator) = (numerator, denominator)
  }

  private static func commonFactor(_ left: UInt64, _ right: UInt64) -> UInt64 {
    var (a, b) = (left, right)
    while b > 0 { (a, b) = (b, a % b) }
    return a
  }
}

public struct NoisedEncoding: Hashable, Sendable {
  /// n: the cohort that the bound on wrapping is for.
  public var sites: Int
  /// d: coordinates of the update.
  public var dimension: Int
  /// b: bits of a coordinate of the sum.
  public var bits: Int
  /// C: largest L2 norm of an update, in the update's own units.
  public var clip: Double
  /// S: grid steps that make C; a step is C/S.
  public var resolution: UInt32
  /// k, even: blocks of 2^k coordinates are rotated; 0 where none are.
  public var blockBits: Int
  /// B: a rotated coordinate is clamped to ±B grid steps.
  public var coordinateBound: UInt32
  /// Δ₂² in squared grid steps.
  public var normSquaredMax: UInt64
  /// σ² of the noise that one site adds to each coordinate, in squared grid steps.
  public var variance: Fraction

  public init(
    sites: Int, dimension: Int, bits: Int, clip: Double, resolution: UInt32, blockBits: Int, coordinateBound: UInt32,
    normSquaredMax: UInt64, variance: Fraction
  ) {
    self.sites = sites
    self.dimension = dimension
    self.bits = bits
    self.clip = clip
    self.resolution = resolution
    self.blockBits = blockBits
    self.coordinateBound = coordinateBound
    self.normSquaredMax = normSquaredMax
    self.variance = variance
  }

  static let blockBitsMax = 16
  /// Keeps squared norms exact as doubles.
  static let resolutionMax: UInt32 = 1 << 25
  /// Below two grid steps the noise of a sum costs visibly more than Gaussian noise of its variance.
  static let varianceMin: UInt64 = 4

  /// D: coordinates after padding to whole blocks.
  public var paddedDimension: Int { ((dimension + (1 << blockBits) - 1) >> blockBits) << blockBits }

  /// Whether `shares` of the noise are at least `multiplier` times the L2 sensitivity: shares·P/Q ≥ multiplier²·Δ₂², exactly.
  public func assures(noiseMultiplier multiplier: Double, shares: Int) -> Bool {
    guard shares >= 1, multiplier.isFinite, let exact = try? Rational(exactly: multiplier) else { return false }
    let noise = BigInteger(shares) * BigInteger(UInt(variance.numerator))
    let needed = exact * exact * Rational(BigInteger(UInt(normSquaredMax))) * Rational(BigInteger(UInt(variance.denominator)))
    return Rational(noise) >= needed
  }

  /// The plan's layout.
  public var sections: [VectorSection] {
    [VectorSection(name: EncodingParameters.SectionName.parameters, count: paddedDimension, bits: bits)]
  }

  /// What one sum costs where `assured` of the noise shares in it are unknown to whoever sees it: survivors less colluders, of
  /// which a site that looks counts itself as one.
  /// - Precondition: valid constants, `assured` at least 1.
  public func event(assured: Int) -> NoiseEvent {
    precondition(assured >= 1, "without a noise share there is no privacy")
    // Both are whole numbers below 2^53; roots are rounded up.
    let squared = Double(normSquaredMax)
    let norm = squared.squareRoot().nextUp
    let absolute = min(squared, (norm * Double(paddedDimension).squareRoot().nextUp).nextUp)
    let variance = (Double(variance.numerator).nextDown / Double(variance.denominator).nextUp).nextDown
    return .discreteGaussianSum(
      DiscreteGaussianSum(variance: variance, count: assured, l2: norm, l1: absolute, dimension: paddedDimension))
  }
}

extension NoisedEncoding {
  /// - Throws: SA-18 where a constant is out of range, SA-17 where a sum could wrap.
  public func validate() throws(Refusal) {
    func require(_ holds: Bool, _ reason: String) throws(Refusal) {
      guard holds else { throw Refusal(.badMechanism, reason) }
    }
    try require((2...RoundPlan.cohortMax).contains(sites), "a noised encoding for \(sites) sites")
    try require((1...RoundPlan.coordinatesMax).contains(dimension), "an update of \(dimension) coordinates")
    try require(VectorSection.bitsRange.contains(bits), "coordinates of \(bits) bits")
    try require(clip >= EncodingParameters.rangeMin && clip <= EncodingParameters.countMax, "a clip must be between 2^-40 and 2^40")
    try require((1...NoisedEncoding.resolutionMax).contains(resolution), "a clip of 1 to 2^25 grid steps")
    try require(
      blockBits.isMultiple(of: 2) && (0...NoisedEncoding.blockBitsMax).contains(blockBits), "blocks of 2^\(blockBits) coordinates")
    try require(paddedDimension <= RoundPlan.coordinatesMax, "\(paddedDimension) coordinates are too many")
    try require((1...resolution).contains(coordinateBound), "a coordinate is clamped between one grid step and the clip")
    try require(normSquaredMax >= normSquaredMin, "rounding could not keep the norm below its bound")
    try require(normSquaredMax <= 1 << 53, "a squared norm above 2^53")
    try require(
      variance.numerator / NoisedEncoding.varianceMin >= variance.denominator, "noise of less than two grid steps a site")
    guard !mayWrap else { throw Refusal(.wrapBound, "\(bits) bits leave no room for the sum of \(sites) sites and their noise") }
  }

  /// What a rounding exceeds with probability e^-8 at most, whatever the update (Kairouz, Liu, Steinke 2021), or never:
  /// S² + D/4 + 4(S + √D/2)
  /// and (S + √D)², with √D rounded up. Below it, whether a site finds integers would depend on its update.
  var normSquaredMin: UInt64 {
    let (steps, count) = (UInt64(resolution), UInt64(paddedDimension))
    // The root of a number below 2^53 is right or one too small after rounding down.
    var root = UInt64(Double(count).squareRoot())
    while root * root < count { root += 1 }
    return min(steps * steps + (count + 3) / 4 + 4 * steps + 2 * root, (steps + root) * (steps + root))
  }

  /// Whether n(B + 1) + T ≥ 2^(b−1), with T = √(2nσ² ln(2D/p)) and p = 2^-30 at most: the sum of n discrete Gaussians is subgaussian with
  /// variance nσ² (Canonne, Kamath, Steinke 2020, corollary 17), and there are D of them. In whole numbers, so that all parties agree:
  /// M = 2^(b−1) − n(B + 1) must have M²·Q·10^9 > 2nP·(w + 30)·693147181, w the bits of 2D, ln 2 < 0.693147181.
  var mayWrap: Bool {
    let room = (Int64(1) << Int64(bits - 1)) - Int64(sites) * (Int64(coordinateBound) + 1)
    guard room > 0 else { return true }
    let width = Int.bitWidth - (2 * paddedDimension).leadingZeroBitCount
    let left = BigInteger(Int(room)) * BigInteger(Int(room)) * BigInteger(UInt(variance.denominator)) * BigInteger(1_000_000_000)
    let right = BigInteger(2 * sites) * BigInteger(UInt(variance.numerator)) * BigInteger(width + 30) * BigInteger(693_147_181)
    return left <= right
  }
}
