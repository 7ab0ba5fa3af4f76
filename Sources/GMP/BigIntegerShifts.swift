// Powers of two: what fixed-point arithmetic on integers needs. A right shift rounds toward minus infinity.
import CGMP

extension BigInteger {
  public static func << (value: BigInteger, count: Int) -> BigInteger {
    precondition(count >= 0 && count <= 1 << 24, "a shift is not negative, and at most 2^24")
    return make { __gmpz_mul_2exp($0, value.pointer, UInt(count)) }
  }

  /// ⌊value / 2^count⌋.
  public static func >> (value: BigInteger, count: Int) -> BigInteger {
    precondition(count >= 0, "a shift is not negative")
    return make { __gmpz_fdiv_q_2exp($0, value.pointer, UInt(count)) }
  }

  /// ⌊left · right / 2^count⌋: a product of fixed-point numbers.
  public static func product(_ left: BigInteger, _ right: BigInteger, shiftedRight count: Int) -> BigInteger {
    precondition(count >= 0, "a shift is not negative")
    return make {
      __gmpz_mul($0, left.pointer, right.pointer)
      __gmpz_fdiv_q_2exp($0, $0, UInt(count))
    }
  }

  /// ⌊value / divisor⌋.
  public static func quotient(_ value: BigInteger, _ divisor: UInt) -> BigInteger {
    precondition(divisor > 0, "a divisor is positive")
    return make { _ = __gmpz_fdiv_q_ui($0, value.pointer, divisor) }
  }

  /// ⌊value / divisor⌋ for a positive divisor.
  public static func quotient(_ value: BigInteger, _ divisor: BigInteger) -> BigInteger {
    precondition(divisor.signum > 0, "a divisor is positive")
    return make { __gmpz_fdiv_q($0, value.pointer, divisor.pointer) }
  }

  /// ⌊√value⌋ of a value that is not negative.
  public var squareRoot: BigInteger {
    precondition(signum >= 0, "a square root of a negative number")
    return BigInteger.make { __gmpz_sqrt($0, pointer) }
  }

  /// The value where it fits 64 bits without a sign.
  public var unsigned: UInt? { signum >= 0 && bitWidth <= 64 ? __gmpz_get_ui(pointer) : nil }
}
