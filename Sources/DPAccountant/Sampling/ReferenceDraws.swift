// The readable samplers' coins: uniform integers and exact Bernoulli variables from bytes, on GMP's integers and fractions alone.
// spec/11-samplers.md fixes how many bytes each takes ([NS-02], [NS-03]), so that independent code gives the same samples.
//
// Contract of each function: `source` gives independent uniform bytes; the result has the stated distribution exactly and is
// independent of what was drawn before; it ends with probability one, in a bounded expected number of draws.
import GMP
import Sodium

enum ReferenceDraws {
  /// Uniform in 0 ..< bound: the low bits of ⌈bits/8⌉ little-endian bytes, again while they are not below the bound.
  /// Post-condition: each value has probability 2^−bits in one try, hence 1/bound given that the try ends.
  static func uniform(below bound: BigInteger, from source: inout some RandomSource & ~Copyable) -> BigInteger {
    precondition(bound.signum > 0, "the bound is positive")
    let bits = (bound - BigInteger(1)).bitWidth
    var bytes = [UInt8](repeating: 0, count: (bits + 7) / 8)
    defer { SodiumLibrary.wipe(&bytes) }
    while true {
      bytes.withUnsafeMutableBytes { source.fill($0) }
      if bits % 8 != 0 { bytes[bytes.count - 1] &= (1 << UInt8(bits % 8)) - 1 }
      let value = BigInteger(bytes: bytes, .littleEndian)
      if value < bound { return value }
    }
  }

  /// True with probability numerator/denominator, for 0 ≤ numerator ≤ denominator.
  static func bernoulli(
    _ numerator: BigInteger, _ denominator: BigInteger, from source: inout some RandomSource & ~Copyable
  ) -> Bool {
    precondition(numerator.signum >= 0 && numerator <= denominator, "a probability lies in 0 ... 1")
    return uniform(below: denominator, from: &source) < numerator
  }

  /// True and false with probability 1/2 each: the lowest bit of one byte.
  static func coin(from source: inout some RandomSource & ~Copyable) -> Bool {
    uniform(below: BigInteger(2), from: &source) == BigInteger(1)
  }

  /// True with probability e^−γ for γ = numerator/denominator ≥ 0 (Canonne, Kamath, Steinke 2020, algorithm 1).
  ///
  /// For γ ≤ 1 the loop passes k with probability γ^k / k!, so that it ends at an odd k with probability Σ (γ^(k−1)/(k−1)! − γ^k/k!) over
  /// odd k, which is the series of e^−γ. A larger γ is its whole part times one and the rest, whose coins must all fall.
  static func bernoulliExponential(
    ofMinus numerator: BigInteger, _ denominator: BigInteger, from source: inout some RandomSource & ~Copyable
  ) -> Bool {
    precondition(numerator.signum >= 0 && denominator.signum > 0, "an exponent that is not positive")
    var rest = numerator
    let one = BigInteger(1)
    while rest > denominator {
      guard bernoulliExponentialBelowOne(one, one, &source) else { return false }
      rest = rest - denominator
    }
    return bernoulliExponentialBelowOne(rest, denominator, &source)
  }

  private static func bernoulliExponentialBelowOne(
    _ numerator: BigInteger, _ denominator: BigInteger, _ source: inout some RandomSource & ~Copyable
  ) -> Bool {
    var count = 1
    while bernoulli(numerator, denominator * BigInteger(count), from: &source) { count += 1 }
    return count % 2 == 1
  }
}
