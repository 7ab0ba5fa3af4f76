// Decimal text of a bound, on its safe side: the double is taken exactly (GMP), its digits are rounded up for an upper bound and down for a
// lower one.
import Foundation
import GMP

public enum DecimalText {
  /// Plain decimal text with at most `digits` significant digits, at or above `value`; "infinity" for no bound.
  /// - Precondition: value ≥ 0 and digits in 1 ... 17.
  public static func roundedUp(_ value: Double, digits: Int = 6) -> String {
    rounded(value, digits, ceiling)
  }

  /// As above, at or below `value`: an infinite lower bound is "infinity" too.
  public static func roundedDown(_ value: Double, digits: Int = 6) -> String {
    rounded(value, digits, wholePart)
  }

  private static func rounded(_ value: Double, _ digits: Int, _ whole: (Rational) -> BigInteger) -> String {
    precondition(value >= 0 && (1...17).contains(digits), "a bound is not negative")
    guard value.isFinite, let exact = try? Rational(exactly: value) else { return "infinity" }
    if exact.signum == 0 { return "0" }
    // The logarithm may be one off next to a power of ten: begin below and stop at the first place with enough digits.
    var places = digits - 3 - Int(log10(value).rounded(.down))
    while wholePart(scaled(exact, by: places)).decimal.count < digits || wholePart(scaled(exact, by: places)).isZero { places += 1 }
    return text(whole(scaled(exact, by: places)), places: places)
  }

  private static func power(_ exponent: Int) -> BigInteger {
    (0..<exponent).reduce(BigInteger(1)) { product, _ in product * BigInteger(10) }
  }

  /// value · 10^places.
  private static func scaled(_ value: Rational, by places: Int) -> Rational {
    let factor = Rational(power(abs(places)))
    return places >= 0 ? value * factor : (try? value.divided(by: factor)) ?? value
  }

  private static func wholePart(_ value: Rational) -> BigInteger {
    (try? value.numerator.quotientAndRemainder(dividingBy: value.denominator).0) ?? BigInteger(0)
  }

  private static func ceiling(_ value: Rational) -> BigInteger {
    let down = wholePart(value)
    return Rational(down) == value ? down : down + BigInteger(1)
  }

  private static func text(_ integer: BigInteger, places: Int) -> String {
    guard places > 0 else { return (integer * power(-places)).decimal }
    var digits = integer.decimal
    if digits.count <= places { digits = String(repeating: "0", count: places + 1 - digits.count) + digits }
    let whole = digits.dropLast(places)
    let fraction = digits.suffix(places).reversed().drop { $0 == "0" }.reversed()
    return fraction.isEmpty ? String(whole) : "\(whole).\(String(fraction))"
  }
}
