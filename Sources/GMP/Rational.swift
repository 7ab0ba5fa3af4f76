// Owner of one GMP rational in lowest terms with a positive denominator. Noise parameters are rationals, never doubles.
import CGMP

/// An immutable exact fraction.
public final class Rational: @unchecked Sendable {
  private let pointer: UnsafeMutablePointer<__mpq_struct>

  private init() {
    pointer = .allocate(capacity: 1)
    __gmpq_init(pointer)
  }

  deinit {
    __gmpq_clear(pointer)
    pointer.deallocate()
  }

  /// - Throws: `.divisionByZero` for a zero denominator.
  public convenience init(_ numerator: BigInteger, _ denominator: BigInteger) throws(GMPError) {
    guard !denominator.isZero else { throw GMPError(.divisionByZero, "a zero denominator") }
    self.init()
    cgmp_set_rational(pointer, numerator.pointer, denominator.pointer)
    __gmpq_canonicalize(pointer)
  }

  public convenience init(_ integer: BigInteger) {
    self.init()
    __gmpq_set_z(pointer, integer.pointer)
  }

  public convenience init(_ integer: Int) {
    self.init()
    __gmpq_set_si(pointer, integer, 1)
  }

  /// The exact value of a finite double.
  public convenience init(exactly value: Double) throws(GMPError) {
    guard value.isFinite else { throw GMPError(.outOfRange, "an infinite or undefined double has no exact fraction") }
    self.init()
    __gmpq_set_d(pointer, value)
  }

  /// Reads `P` or `P/Q` in canonical decimals, Q > 0, lowest terms: one value has one text.
  public convenience init(decimal text: String) throws(GMPError) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let numerator = try BigInteger(decimal: parts[0])
    guard parts.count == 2 else {
      self.init(numerator)
      return
    }
    let denominator = try BigInteger(decimal: parts[1])
    guard denominator > BigInteger(1), numerator.greatestCommonDivisor(with: denominator) == BigInteger(1) else {
      throw GMPError(.malformedNumber, "not a fraction in lowest terms")
    }
    try self.init(numerator, denominator)
  }

  public var numerator: BigInteger { BigInteger.make { __gmpz_set($0, cgmp_numerator(pointer)) } }
  public var denominator: BigInteger { BigInteger.make { __gmpz_set($0, cgmp_denominator(pointer)) } }
  public var signum: Int { Int(cgmp_rational_sign(pointer)) }

  /// `P` or `P/Q`.
  public var decimal: String {
    let bottom = denominator
    return bottom == BigInteger(1) ? numerator.decimal : "\(numerator.decimal)/\(bottom.decimal)"
  }

  /// A double at or below the value, the next one up being above it (−∞ or the largest finite double beyond the range).
  public var doubleRoundedDown: Double {
    let near = __gmpq_get_d(pointer)
    guard near.isFinite, let exact = try? Rational(exactly: near) else {
      return signum > 0 ? .greatestFiniteMagnitude : -.infinity
    }
    return exact <= self ? near : near.nextDown
  }

  /// A double at or above the value.
  public var doubleRoundedUp: Double { -(-self).doubleRoundedDown }

  private static func make(_ fill: (UnsafeMutablePointer<__mpq_struct>) -> Void) -> Rational {
    let result = Rational()
    fill(result.pointer)
    return result
  }

  public static func + (left: Rational, right: Rational) -> Rational {
    make { __gmpq_add($0, left.pointer, right.pointer) }
  }

  public static func - (left: Rational, right: Rational) -> Rational {
    make { __gmpq_sub($0, left.pointer, right.pointer) }
  }

  public static func * (left: Rational, right: Rational) -> Rational {
    make { __gmpq_mul($0, left.pointer, right.pointer) }
  }

  public static prefix func - (value: Rational) -> Rational {
    make { __gmpq_neg($0, value.pointer) }
  }

  /// - Throws: `.divisionByZero`.
  public func divided(by divisor: Rational) throws(GMPError) -> Rational {
    guard divisor.signum != 0 else { throw GMPError(.divisionByZero, "division by zero") }
    return Rational.make { __gmpq_div($0, pointer, divisor.pointer) }
  }
}

extension Rational: Comparable, Hashable, CustomStringConvertible {
  public static func == (left: Rational, right: Rational) -> Bool { __gmpq_equal(left.pointer, right.pointer) != 0 }
  public static func < (left: Rational, right: Rational) -> Bool { __gmpq_cmp(left.pointer, right.pointer) < 0 }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(numerator)
    hasher.combine(denominator)
  }

  public var description: String { decimal }
}
