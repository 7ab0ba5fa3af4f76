// Which records take part in a step: each by a coin of its own, exact to the last bit of the stated rate (spec/13, "Sampling").
import Sodium

public enum PoissonSample {
  /// The records that are drawn, ascending: each of `count` enters independently with probability `rate`, exactly.
  /// - Parameter rate: above 0, at most 1.
  public static func draw(count: Int, rate: Double, from source: inout some RandomSource & ~Copyable) -> [Int] {
    precondition(count >= 0 && rate > 0 && rate <= 1, "a sampling rate lies above 0 and at most at 1")
    return (0..<count).filter { _ in coin(rate, &source) }
  }

  /// True with probability `rate`: the binary digits of a uniform number are compared with the rate's, 64 at a time.
  static func coin(_ rate: Double, _ source: inout some RandomSource & ~Copyable) -> Bool {
    var rest = rate
    while rest > 0 {
      guard rest < 1 else { return true }
      var digits: UInt64 = 0
      withUnsafeMutableBytes(of: &digits) { source.fill($0) }
      // Both exact: a double times a power of two, and the difference of a double and its whole part.
      let scaled = rest * 0x1p64
      let whole = UInt64(scaled)
      if digits != whole { return digits < whole }
      rest = scaled - Double(whole)
    }
    return false
  }
}
