// Integer and modular arithmetic. Division truncates toward zero like Swift's; `modulo` is never negative.
import CGMP

extension BigInteger {
  public static func + (left: BigInteger, right: BigInteger) -> BigInteger {
    make { __gmpz_add($0, left.pointer, right.pointer) }
  }

  public static func - (left: BigInteger, right: BigInteger) -> BigInteger {
    make { __gmpz_sub($0, left.pointer, right.pointer) }
  }

  public static func * (left: BigInteger, right: BigInteger) -> BigInteger {
    make { __gmpz_mul($0, left.pointer, right.pointer) }
  }

  public static prefix func - (value: BigInteger) -> BigInteger {
    make { __gmpz_neg($0, value.pointer) }
  }

  public var magnitude: BigInteger { BigInteger.make { __gmpz_abs($0, pointer) } }

  /// Quotient toward zero and remainder with the dividend's sign.
  public func quotientAndRemainder(dividingBy divisor: BigInteger) throws(GMPError) -> (BigInteger, BigInteger) {
    guard !divisor.isZero else { throw GMPError(.divisionByZero, "division by zero") }
    let quotient = BigInteger()
    let remainder = BigInteger()
    __gmpz_tdiv_qr(quotient.pointer, remainder.pointer, pointer, divisor.pointer)
    return (quotient, remainder)
  }

  /// The residue in 0 ..< modulus.
  public func modulo(_ modulus: BigInteger) throws(GMPError) -> BigInteger {
    try BigInteger.check(modulus)
    return BigInteger.make { __gmpz_mod($0, pointer, modulus.pointer) }
  }

  /// The inverse in 1 ..< modulus.
  /// - Throws: `.notInvertible` where the two share a factor.
  public func inverse(modulo modulus: BigInteger) throws(GMPError) -> BigInteger {
    try BigInteger.check(modulus)
    let result = BigInteger()
    guard __gmpz_invert(result.pointer, pointer, modulus.pointer) != 0 else {
      throw GMPError(.notInvertible, "the number and the modulus share a factor")
    }
    return result
  }

  /// self^exponent mod modulus, for exponent ≥ 0.
  public func power(_ exponent: BigInteger, modulo modulus: BigInteger) throws(GMPError) -> BigInteger {
    try BigInteger.check(modulus)
    guard exponent.signum >= 0 else { throw GMPError(.outOfRange, "a negative exponent") }
    return BigInteger.make { __gmpz_powm($0, pointer, exponent.pointer, modulus.pointer) }
  }

  public func greatestCommonDivisor(with other: BigInteger) -> BigInteger {
    BigInteger.make { __gmpz_gcd($0, pointer, other.pointer) }
  }

  private static func check(_ modulus: BigInteger) throws(GMPError) {
    guard modulus.signum > 0 else { throw GMPError(.divisionByZero, "a modulus is positive") }
  }
}

/// A running sum of products modulo a fixed number, in place: the inner loop of interpolation.
public struct ModularAccumulator: ~Copyable {
  private let total: UnsafeMutablePointer<__mpz_struct>
  private let modulus: BigInteger

  public init(modulus: BigInteger) {
    precondition(modulus.signum > 0, "a modulus is positive")
    total = .allocate(capacity: 1)
    __gmpz_init2(total, UInt(2 * modulus.bitWidth + 64))
    self.modulus = modulus
  }

  deinit {
    __gmpz_clear(total)
    total.deallocate()
  }

  /// Adds left · right, unreduced.
  public mutating func addProduct(_ left: BigInteger, _ right: BigInteger) {
    __gmpz_addmul(total, left.pointer, right.pointer)
  }

  /// The sum so far in 0 ..< modulus.
  public borrowing func value() -> BigInteger {
    BigInteger.make { __gmpz_mod($0, total, modulus.pointer) }
  }
}
