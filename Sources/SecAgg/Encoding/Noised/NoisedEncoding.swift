// How a clipped update becomes noised integers (spec/12-noised-rounds.md): public constants of a plan, hence part of ctx.
// Invariants: a site's integers have an L2 norm of at most √normSquaredMax, whatever it trained; the sum of n honest inputs leaves
// −2^(b−1) … 2^(b−1) − 1 with a probability below 2^-30.
import DPAccountant
import GMP
import Sodium

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
  /// What is added to the integers, and which part of it stays in a sum.
  public enum Noise: Hashable, Sendable {
    /// Each site adds a discrete Gaussian of variance σ², and all of it stays.
    case discreteGaussian
    /// Sites add Skellam noise in components (`RemovableNoise`), and what a sum over more than `survivorsMin` sites has too much is taken
    /// out again: σ² is unknown to whoever knows the noise of `known` sites, however many there are.
    case removableSkellam(survivorsMin: Int, known: Int)
  }

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
  /// σ² in squared grid steps: of what one site adds to each coordinate, or of what is unknown in a sum (`Noise`).
  public var variance: Fraction
  public var noise = Noise.discreteGaussian
  /// q: each of a site's records is in its input with this probability, and has an L2 norm of its own of √normSquaredMax at most. nil: a
  /// site is one record.
  public var samplingRate: Double?

  public init(
    sites: Int, dimension: Int, bits: Int, clip: Double, resolution: UInt32, blockBits: Int, coordinateBound: UInt32,
    normSquaredMax: UInt64, variance: Fraction, noise: Noise = .discreteGaussian, samplingRate: Double? = nil
  ) {
    (self.noise, self.samplingRate) = (noise, samplingRate)
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
  public var paddedDimension: Int { BlockRotation.paddedCount(dimension, blockBits: blockBits) }

  /// Whether the unknown noise is at least `multiplier` times the L2 sensitivity: shares·P/Q ≥ multiplier²·Δ₂² exactly, or P/Q where what
  /// is too much is taken out.
  public func assures(noiseMultiplier multiplier: Double, shares: Int) -> Bool {
    guard shares >= 1, multiplier.isFinite, let exact = try? Rational(exactly: multiplier) else { return false }
    let noise = BigInteger(self.noise == .discreteGaussian ? shares : 1) * BigInteger(UInt(variance.numerator))
    let needed = exact * exact * Rational(BigInteger(UInt(normSquaredMax))) * Rational(BigInteger(UInt(variance.denominator)))
    return Rational(noise) >= needed
  }

  /// The plan's layout.
  public var sections: [VectorSection] {
    [VectorSection(name: EncodingParameters.SectionName.parameters, count: paddedDimension, bits: bits)]
  }

  /// What one sum costs where `assured` of the noise shares in it are unknown to whoever sees it: survivors less colluders, of
  /// which a site that looks counts itself as one. Of removable noise σ² is unknown for any number of them.
  /// - Precondition: valid constants, `assured` at least 1.
  public func event(assured: Int) -> NoiseEvent {
    let release = release(assured: assured)
    guard let samplingRate, samplingRate < 1 else { return release }
    return .poissonSampled(samplingRate: samplingRate, release)
  }

  private func release(assured: Int) -> NoiseEvent {
    precondition(assured >= 1, "without a noise share there is no privacy")
    // Both are whole numbers below 2^53; roots are rounded up.
    let squared = Double(normSquaredMax)
    let norm = squared.squareRoot().nextUp
    let absolute = min(squared, (norm * Double(paddedDimension).squareRoot().nextUp).nextUp)
    let variance = (Double(variance.numerator).nextDown / Double(variance.denominator).nextUp).nextDown
    switch noise {
    case .discreteGaussian:
      return .discreteGaussianSum(
        DiscreteGaussianSum(variance: variance, count: assured, l2: norm, l1: absolute, dimension: paddedDimension))
    case .removableSkellam: return .skellam(SkellamNoise(variance: variance, l2: norm, l1: absolute))
    }
  }

  /// σ²/divisor, exactly.
  /// - Precondition: `divisor` is positive.
  func exactVariance(dividedBy divisor: Int = 1) -> Rational {
    let over = BigInteger(UInt(variance.denominator)) * BigInteger(divisor)
    guard let exact = try? Rational(BigInteger(UInt(variance.numerator)), over) else { preconditionFailure("a divisor is positive") }
    return exact
  }

  /// What the signs of the rotation follow from in the attempt with this ctx: public, and known only once the round is fixed.
  public static func rotationKey(context: [UInt8]) -> [UInt8] { BLAKE2b.hash(Transcript.label("rotation") + context, size: 32) }

  func rotation(context: [UInt8]) -> BlockRotation {
    BlockRotation(blockBits: blockBits, count: paddedDimension, key: NoisedEncoding.rotationKey(context: context))
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
    // What one record has is within the clip; what many have together is a matter of accuracy alone.
    let boundMax = samplingRate == nil ? resolution : NoisedEncoding.sumBoundMax
    try require((1...boundMax).contains(coordinateBound), "a coordinate is clamped between one grid step and the clip")
    try require(normSquaredMax >= normSquaredMin, "rounding could not keep the norm below its bound")
    try require(normSquaredMax <= 1 << 53, "a squared norm above 2^53")
    try require(
      variance.numerator / NoisedEncoding.varianceMin >= variance.denominator, "noise of less than two grid steps")
    try require(samplingRate.map(RecordMechanism.samplingRateRange.contains) ?? true, "a sampling rate lies in 1e-6 ... 1")
    if case .removableSkellam(let survivorsMin, let known) = noise {
      try require(sites <= RoundPlan.completeGraphMax, "noise of \(sites) sites that is removed; at most \(RoundPlan.completeGraphMax)")
      try require(known >= 1 && known < survivorsMin && survivorsMin <= sites, "noise that is removed down to \(survivorsMin) sites")
      // The smallest component, σ²/((n − c)(n − c − 1)), can be drawn.
      let parts = UInt64((sites - known) * (sites - known - 1))
      try require(variance.numerator / max(parts, 1) >= variance.denominator, "components of less than one grid step")
    }
    guard !mayWrap else { throw Refusal(.wrapBound, "\(bits) bits leave no room for the sum of \(sites) sites and their noise") }
  }

  static let sumBoundMax: UInt32 = 1 << 30

  /// What a rounding exceeds with probability e^-8 at most, or never.
  var normSquaredMin: UInt64 { BoundedRounding.normSquared(norm: UInt64(resolution), count: UInt64(paddedDimension)) }

  /// Whether n(B + 1) + T ≥ 2^(b−1), with T = √(2V ln(2D/p)) and p = 2^-30 at most, V the noise in a sum: nσ², for the sum of n discrete
  /// Gaussians is subgaussian with that (Canonne, Kamath, Steinke 2020, corollary 17); of Skellam noise what is left of it over m sites,
  /// σ²m/(m − c), and a twelfth of an eleventh more (spec/12). There are D coordinates. In whole numbers, so that all parties agree:
  /// M = 2^(b−1) − n(B + 1) must have M² > 2V(w + 30)·ln 2, w the bits of 2D, ln 2 < 0.693147181.
  var mayWrap: Bool {
    let room = (Int64(1) << Int64(bits - 1)) - Int64(sites) * (Int64(coordinateBound) + 1)
    guard room > 0 else { return true }
    let width = Int.bitWidth - (2 * paddedDimension).leadingZeroBitCount
    let nats = BigInteger(2 * (width + 30)) * BigInteger(693_147_181)
    // V = P/Q · times/over.
    let (times, over): (Int, Int)
    switch noise {
    case .discreteGaussian: (times, over) = (sites, 1)
    case .removableSkellam(let survivorsMin, let known):
      (times, over) = (12 * survivorsMin, 11 * (survivorsMin - known))
      guard BigInteger(Int(room)) * BigInteger(1_000_000_000) > nats else { return true }
    }
    let left = BigInteger(Int(room)) * BigInteger(Int(room)) * BigInteger(UInt(variance.denominator)) * BigInteger(over)
    return left * BigInteger(1_000_000_000) <= BigInteger(times) * BigInteger(UInt(variance.numerator)) * nats
  }
}
