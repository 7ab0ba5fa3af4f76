// A uniform real number in [0, 1) of which only the bits that are needed are ever drawn, and its comparison with a real that is known by
// bounds: both sides gain 64 bits until the answer is certain. Equality has probability zero, so that the loop ends with probability one.
import GMP
import Sodium

struct LazyUniform {
  /// The first 64 bits.
  let leading: UInt64
  private var digits: BigInteger
  private var count = 64

  /// - Parameter level: the first 16 bits; the next 48 are the upper ones of the source's next word.
  init(level: UInt64, from source: inout some RandomSource & ~Copyable) {
    leading = level << 48 | source.word() >> 16
    digits = BigInteger(UInt(leading))
  }

  /// Whether U < f(magnitude) · numerator / denominator.
  mutating func isBelow(
    _ density: any LatticeDensity, at magnitude: BigInteger, numerator: BigInteger, denominator: BigInteger,
    from source: inout some RandomSource & ~Copyable
  ) -> Bool {
    while true {
      let bits = count + 16
      let bounds = density.bounds(magnitude, bits: bits)
      let left = (digits * denominator) << bits
      if left >= (numerator * bounds.upper) << count { return false }
      if left + (denominator << bits) <= (numerator * bounds.lower) << count { return true }
      digits = (digits << 64) + BigInteger(UInt(source.word()))
      count += 64
    }
  }
}

extension RandomSource where Self: ~Copyable {
  /// The next eight bytes, little-endian.
  @inline(__always)
  mutating func word() -> UInt64 {
    var word: UInt64 = 0
    withUnsafeMutableBytes(of: &word) { fill($0) }
    return UInt64(littleEndian: word)
  }
}
