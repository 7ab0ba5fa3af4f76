// What mechanism bytes say of noise (spec/12-noised-rounds.md), and the event that the accountant takes. Bounds are checked in whole
// numbers of any size, as every site checks them.
import DPAccountant
import GMP

/// The mechanism of a plan: without noise its first fields, with noise all of them.
enum LedgerMechanism: Equatable, Sendable {
  case plain(sites: Int)
  case noised(NoisedSum)

  init(_ bytes: [UInt8]) throws(EncodingFault) {
    var input = ByteInput(bytes)
    guard try input.u8() == 1 else { throw EncodingFault("another version of the mechanism") }
    let name = try input.text8()
    guard name != "none" else {
      self = .plain(sites: try input.u32())
      return
    }
    let noise = try NoisedSum(&input, name)
    try input.end()
    try noise.validate()
    self = .noised(noise)
  }
}

/// ND-01: the constants of a noised sum.
struct NoisedSum: Hashable, Sendable {
  let sites: Int
  let dimension: Int
  let bits: Int
  let clip: Double
  let resolution: Int
  let blockBits: Int
  let coordinateBound: Int
  let normSquaredMax: UInt64
  /// σ² = P/Q in squared grid steps: of one site's noise, or of what is unknown in a sum.
  let numerator: UInt64
  let denominator: UInt64
  /// Where sites add Skellam noise of which too much is taken out again: m and c.
  let removable: Removable?
  /// q; nil: a site is one record.
  let samplingRate: Double?

  struct Removable: Hashable, Sendable {
    let survivorsMin: Int
    let known: Int
  }

  fileprivate init(_ input: inout ByteInput, _ name: String) throws(EncodingFault) {
    let names = ["discrete_gaussian", "skellam", "sampled_discrete_gaussian", "sampled_skellam"]
    guard names.contains(name) else { throw EncodingFault("a mechanism of an unknown name") }
    (sites, dimension, bits) = (try input.u32(), try input.u32(), try input.u8())
    clip = try input.double()
    (resolution, blockBits, coordinateBound) = (try input.u32(), try input.u8(), try input.u32())
    normSquaredMax = try input.u64()
    (numerator, denominator) = (try input.u64(), try input.u64())
    removable = name.hasSuffix("skellam") ? Removable(survivorsMin: try input.u32(), known: try input.u32()) : nil
    samplingRate = name.hasPrefix("sampled_") ? try input.double() : nil
  }

  /// D: coordinates with the padding to whole blocks.
  var paddedDimension: Int { ((dimension + (1 << blockBits) - 1) >> blockBits) << blockBits }

  fileprivate func validate() throws(EncodingFault) {
    let isBounded =
      (2...10_000).contains(sites) && dimension >= 1 && dimension <= 1 << 28 && (2...32).contains(bits) && clip >= 0x1p-40
      && clip <= 0x1p40 && resolution >= 1 && resolution <= 1 << 25 && blockBits <= 16 && blockBits.isMultiple(of: 2)
      && coordinateBound >= 1 && coordinateBound <= (samplingRate == nil ? resolution : 1 << 30)
      && (samplingRate.map((1e-6...1.0).contains) ?? true)
    guard isBounded, paddedDimension <= 1 << 28 else { throw EncodingFault("a constant of the noised mechanism is out of bounds") }
    var root = 1
    while root * root < paddedDimension { root += 1 }
    let least = min(
      resolution * resolution + (paddedDimension + 3) / 4 + 4 * resolution + 2 * root, (resolution + root) * (resolution + root))
    guard normSquaredMax >= UInt64(least), normSquaredMax <= 1 << 53 else { throw EncodingFault("the bound on the norm is out of bounds") }
    guard numerator > 0, denominator > 0, Self.commonFactor(numerator, denominator) == 1, numerator / 4 >= denominator else {
      throw EncodingFault("the variance is no fraction in lowest terms of 4 or more")
    }
    if let removable {
      guard sites <= 128, removable.known >= 1, removable.known < removable.survivorsMin, removable.survivorsMin <= sites else {
        throw EncodingFault("noise that cannot be removed down to so few sites")
      }
      let parts = UInt64((sites - removable.known) * (sites - removable.known - 1))
      guard numerator / max(parts, 1) >= denominator else { throw EncodingFault("components of less than one grid step") }
    }
    guard !mayWrap else { throw EncodingFault("the sum could wrap") }
  }

  private static func commonFactor(_ left: UInt64, _ right: UInt64) -> UInt64 {
    var (a, b) = (left, right)
    while b > 0 { (a, b) = (b, a % b) }
    return a
  }

  /// ND-03.
  private var mayWrap: Bool {
    let room = (1 << (bits - 1)) - sites * (coordinateBound + 1)
    guard room > 0 else { return true }
    let width = Int.bitWidth - (2 * paddedDimension).leadingZeroBitCount
    let nats = BigInteger(2 * (width + 30)) * BigInteger(693_147_181)
    // What stays in a sum, in units of σ²: n, or 12m/11(m − c) (NR-07).
    let (times, over) = removable.map { (12 * $0.survivorsMin, 11 * ($0.survivorsMin - $0.known)) } ?? (sites, 1)
    if removable != nil, BigInteger(room) * BigInteger(1_000_000_000) <= nats { return true }
    let left = BigInteger(room) * BigInteger(room) * BigInteger(UInt(denominator)) * BigInteger(over) * BigInteger(1_000_000_000)
    return left <= BigInteger(times) * BigInteger(UInt(numerator)) * nats
  }

  /// How many times σ² is unknown in a sum: once where too much is taken out.
  private func times(_ shares: Int) -> Int { removable == nil ? shares : 1 }

  /// ND-09: whether what is unknown is at least z times the sensitivity, exactly.
  func assures(noiseMultiplier: Double, shares: Int) -> Bool {
    guard shares >= 1, let z = try? Rational(exactly: noiseMultiplier) else { return false }
    let noise = BigInteger(times(shares)) * BigInteger(UInt(numerator))
    return Rational(noise) >= z * z * Rational(BigInteger(UInt(normSquaredMax))) * Rational(BigInteger(UInt(denominator)))
  }

  /// ND-08, NR-06.
  func event(shares: Int) -> NoiseEvent {
    let squared = Double(normSquaredMax)
    let norm = squared.squareRoot().nextUp
    let absolute = min(squared, (norm * Double(paddedDimension).squareRoot().nextUp).nextUp)
    let variance = (Double(numerator).nextDown / Double(denominator).nextUp).nextDown
    let release =
      removable == nil
      ? NoiseEvent.discreteGaussianSum(
        DiscreteGaussianSum(variance: variance, count: shares, l2: norm, l1: absolute, dimension: paddedDimension))
      : .skellam(SkellamNoise(variance: variance, l2: norm, l1: absolute))
    guard let samplingRate, samplingRate < 1 else { return release }
    return .poissonSampled(samplingRate: samplingRate, release)
  }

  /// What is unknown in a sum, in lowest terms.
  func assuredVariance(shares: Int) -> String {
    let shares = times(shares)
    let factor = Self.commonFactor(UInt64(shares), denominator)
    let (top, bottom) = (BigInteger(shares / Int(factor)) * BigInteger(UInt(numerator)), denominator / factor)
    return bottom == 1 ? top.decimal : "\(top.decimal)/\(bottom)"
  }
}
