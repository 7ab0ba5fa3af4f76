// Chooses the constants of a noised round from what it shall give (spec/12-noised-rounds.md, "Choosing the constants"). Whoever checks a
// plan needs none of this: any constants that `validate` accepts and that the account pays for are safe.
import Foundation

extension NoisedEncoding {
  /// Blocks of 4,096 coordinates: a coordinate of a rotated block carries at most some 1/8 of the norm.
  public static let blockBitsUsual = 12

  /// The finest grid whose sums fit into `bits`.
  /// - Parameters:
  ///   - sites: n.
  ///   - clip: C.
  ///   - noiseMultiplier: z: the noise that the sum assuredly has is z times the L2 sensitivity.
  ///   - assured: noise shares that are in every sum and that nobody who sees it knows: least survivors less colluders.
  ///   - records: q and how many records a site's input has together at most in the usual case; nil where a site is one record.
  /// - Throws: SA-17 where no grid fits, SA-18 where the request is out of range.
  public static func planned(
    sites: Int, dimension: Int, bits: Int, clip: Double, noiseMultiplier: Double, assured: Int, noise: Noise = .discreteGaussian,
    records: (samplingRate: Double, lotSize: Int)? = nil, blockBits: Int = blockBitsUsual
  ) throws(Refusal) -> NoisedEncoding {
    guard assured >= 1, assured <= sites else {
      throw Refusal(.badMechanism, "\(assured) of \(sites) sites assure no noise")
    }
    guard noiseMultiplier >= 1e-3, noiseMultiplier <= 1e6 else { throw Refusal(.badMechanism, "a noise multiplier is 0.001 to a million") }
    guard (1...RoundPlan.coordinatesMax).contains(dimension), (2...RoundPlan.cohortMax).contains(sites),
      (0...blockBitsMax).contains(blockBits)
    else { throw Refusal(.badMechanism, "\(sites) sites with \(dimension) coordinates") }
    let scale = NoisedEncoding(
      sites: sites, dimension: dimension, bits: bits, clip: clip, resolution: 1, blockBits: blockBits, coordinateBound: 1,
      normSquaredMax: 0, variance: Fraction(1)!, noise: noise, samplingRate: records?.samplingRate)
    // Twice a lot: gradients of one kind add up, and a sample may be larger than a lot.
    let together = records.map { 2 * Double($0.lotSize) } ?? 1
    func candidate(_ resolution: UInt32) -> NoisedEncoding? {
      scale.made(resolution, noiseMultiplier, assured: noise == .discreteGaussian ? assured : 1, together: together)
    }
    // A finer grid never fits where a coarser one does not.
    var (low, high) = (UInt32(0), resolutionMax + 1)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if let found = candidate(middle), !found.mayWrap { low = middle } else { high = middle }
    }
    guard low > 0, let found = candidate(low) else {
      throw Refusal(.wrapBound, "\(bits) bits leave no room for the sum of \(sites) sites and their noise")
    }
    try found.validate()
    return found
  }

  /// The same on a grid of `resolution` steps to the clip; nil where its numbers are too large.
  private func made(_ resolution: UInt32, _ multiplier: Double, assured: Int, together: Double) -> NoisedEncoding? {
    var made = self
    made.resolution = resolution
    let steps = Double(resolution)
    let most = samplingRate == nil ? steps : Double(Self.sumBoundMax)
    let share = Self.shareOfNorm(Double(paddedDimension), sites, blockBits)
    made.coordinateBound = UInt32(min(most, (steps * together * min(share, 1)).rounded(.up)))
    made.normSquaredMax = made.normSquaredMin
    let squared = Double(made.normSquaredMax)
    guard squared <= 0x1p53 else { return nil }
    let variance = max((multiplier * multiplier * squared / Double(assured) * (1 + 1e-12)).rounded(.up), Double(Self.varianceMin))
    guard variance < 0x1p62, let fraction = Fraction(UInt64(variance)) else { return nil }
    made.variance = fraction
    return made
  }

  /// Of a vector's norm, what a coordinate of its rotated block carries at most, but for once in a thousand million rounds:
  /// √(2 ln(2nD/p)/2^k), because random signs make it subgaussian (Hoeffding 1963).
  private static func shareOfNorm(_ count: Double, _ sites: Int, _ blockBits: Int) -> Double {
    (2 * log(2 * Double(sites) * count * 1e9) / Double(1 << blockBits)).squareRoot()
  }
}
