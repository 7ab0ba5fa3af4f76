// Records that an audit adds to a run (spec/14-auditing.md): each is a gradient of the clip's whole length along one value of the
// network, the strongest that a record can give. Half of them, by secret coins, take part like any image; what the noised sums then show
// of them is what an adversary who sees every step could know.

import DPAccountant
import Sodium

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The canaries of one run; belongs to its thread.
public final class GradientCanaries {
  public struct Canary: Sendable {
    /// Place among the trained values.
    public let place: Int
    /// The secret coin: whether it is one of the run's records.
    public let isIn: Bool
    /// How much the noised sums speak for its presence: the logarithm of a likelihood ratio.
    public internal(set) var score = 0.0
  }

  public private(set) var canaries: [Canary]

  /// - Parameters:
  ///   - count: at most `dimension`.
  ///   - dimension: trained values; each canary has one for itself.
  public init(count: Int, dimension: Int) {
    precondition(count >= 0 && count <= dimension, "each canary needs a value of its own")
    var random = RandomStream()
    var taken: Set<Int> = []
    canaries = []
    while canaries.count < count {
      var digits = (UInt64(0), UInt64(0))
      withUnsafeMutableBytes(of: &digits) { random.fill($0) }
      let place = Int(digits.0 % UInt64(dimension))
      guard taken.insert(place).inserted else { continue }
      canaries.append(Canary(place: place, isIn: digits.1 & 1 == 1))
    }
  }

  /// Where the canaries that are in and drawn for a step add their gradient.
  func drawn(rate: Double) -> [Int] {
    var random = RandomStream()
    return PoissonSample.draw(count: canaries.count, rate: rate, from: &random).compactMap { canaries[$0].isIn ? canaries[$0].place : nil }
  }

  /// Takes a step's noised sum into account.
  /// - Parameters:
  ///   - value: the noised sum at a place, in grid steps.
  func observe(_ mechanism: RecordMechanism, value: (Int) -> Int64) {
    let (clip, variance, rate) = (Double(RecordMechanism.resolution), mechanism.variance, mechanism.samplingRate)
    for index in canaries.indices {
      let sum = Double(value(canaries[index].place))
      // ln((1 − q) + q·N(sum − clip)/N(sum)).
      let ratio = clip * (sum - clip / 2) / variance
      canaries[index].score += ratio > 0 ? ratio + log(rate + (1 - rate) * exp(-ratio)) : rate < 1 ? log1p(rate * expm1(ratio)) : ratio
    }
  }
}
