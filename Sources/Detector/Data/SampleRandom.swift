// Reproducible randomness for data: SplitMix64 (Steele, Lea, Flood 2014) with a stream for each (seed, epoch, sample), so that what a
// sample looks like does not depend on which thread makes it or in what order. Not for secrets.

public struct SampleRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64, stream: UInt64...) {
    state = seed
    for part in stream { state = next() ^ (part &* 0xD6E8_FEB8_6659_FD93) }
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [low, high).
  public mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * Double(next() >> 11) * 0x1p-53
  }

  /// Uniform in 0..<bound.
  public mutating func integer(below bound: Int) -> Int { Int(next(upperBound: UInt64(bound))) }
}
