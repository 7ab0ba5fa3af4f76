// Exponential, versine and π in fixed point on integers, each within a proved number of units of the last place, at any precision.
// A number v with `fraction` bits stands for v / 2^fraction. No floating point: what is decided from these bounds is decided exactly.
import GMP

enum FixedPoint {
  /// Largest number of fraction bits: the error bounds below are proved up to here.
  static let fractionMax = 1 << 16
  /// No result is further from the exact value than this many units of its last place.
  static let errorUnits = BigInteger(4)

  /// e^−γ for a γ ≥ 0 that is at most two units from `gamma`; within `errorUnits`.
  ///
  /// r = γ / 2^m < 2^−8 goes through the Taylor series, and the result is squared m times, in G = fraction + m + 16 bits. Each of the T
  /// terms is less than 2 units too low and what is left out is below 3; a squaring turns an error of e into at most 2e + 2. That makes
  /// 2^m (2T + 5) units, below 2 units of the result (T ≤ G/8 + 2 ≤ 2^13.1) with its own truncation; the input adds two.
  static func exponential(ofMinus gamma: BigInteger, fraction: Int) -> BigInteger {
    precondition(gamma.signum >= 0 && fraction <= fractionMax, "a bounded precision, and no growth")
    // γ ≥ fraction > fraction · ln 2: the result is below one unit.
    if gamma.bitWidth > fraction + 1, (gamma >> fraction) >= BigInteger(fraction) { return BigInteger(0) }
    let squarings = max(0, gamma.bitWidth - fraction + 8)
    let working = fraction + squarings + 16
    let small = gamma << 16
    var term = MutableInteger(BigInteger(1) << working)
    var sum = MutableInteger(BigInteger(1) << working)
    var index: UInt = 1
    while !term.isZero {
      term.multiply(by: small, shiftedRight: working)
      term.divide(by: index)
      if index % 2 == 1 { sum.subtract(term) } else { sum.add(term) }
      index += 1
    }
    for _ in 0..<squarings { sum.square(shiftedRight: working) }
    return sum.value() >> (squarings + 16)
  }

  /// 1 − cos(2π · part / whole) for 0 ≤ part ≤ whole/2; within `errorUnits`.
  ///
  /// The angle is halved h ≤ 12 times below 2^−8 and goes through the Taylor series; u ↦ 2u(2 − u) doubles it again. A doubling turns an
  /// error of e into at most 4e + 6, so that G = fraction + 2h + 16 bits leave 4^h (2T + 8) units of G, below two units of the result.
  static func versine(_ part: BigInteger, of whole: BigInteger, pi: Pi, fraction: Int) -> BigInteger {
    precondition(part.signum >= 0 && part << 1 <= whole, "an angle of at most π")
    // 2π · part / whole < 2^(3 + bits of part − (bits of whole − 1)).
    let halvings = max(0, part.bitWidth - whole.bitWidth + 4 + 8)
    let working = fraction + 2 * halvings + 16
    let turn = BigInteger.quotient(pi.value(fraction: working) * part, whole)
    let angle = halvings == 0 ? turn << 1 : turn >> (halvings - 1)
    let square = BigInteger.product(angle, angle, shiftedRight: working)
    var term = MutableInteger(square >> 1)
    var sum = MutableInteger(square >> 1)
    var index: UInt = 3
    while !term.isZero {
      term.multiply(by: square, shiftedRight: working)
      term.divide(by: index * (index + 1))
      if index % 4 == 3 { sum.subtract(term) } else { sum.add(term) }
      index += 2
    }
    // 2u(2 − u) = 2 (2u − u²)
    for _ in 0..<halvings {
      term.assign(sum)
      term.square(shiftedRight: working)
      sum.add(sum.value())
      sum.subtract(term)
      sum.add(sum.value())
    }
    return sum.value() >> (2 * halvings + 16)
  }

  /// π, computed once and cut to what is asked for.
  struct Pi: Sendable {
    private let digits: BigInteger
    private let fraction: Int

    /// π = 16 arctan(1/5) − 4 arctan(1/239) (Machin 1706), with 32 bits more than `fraction`: less than one unit off.
    init(fraction: Int) {
      precondition(fraction <= FixedPoint.fractionMax + 4096, "a bounded precision")
      self.fraction = fraction + 32
      let one = BigInteger(1) << self.fraction
      digits = Pi.arctangent(one, ofOneOver: 5) * BigInteger(16) - Pi.arctangent(one, ofOneOver: 239) * BigInteger(4)
    }

    /// Less than two units below or above π.
    func value(fraction wanted: Int) -> BigInteger {
      precondition(wanted <= fraction, "more bits of π than were computed")
      return digits >> (fraction - wanted)
    }

    private static func arctangent(_ one: BigInteger, ofOneOver divisor: UInt) -> BigInteger {
      var power = BigInteger.quotient(one, divisor)
      var sum = power
      var index: UInt = 3
      while !power.isZero {
        power = BigInteger.quotient(power, divisor * divisor)
        let term = BigInteger.quotient(power, index)
        sum = index % 4 == 3 ? sum - term : sum + term
        index += 2
      }
      return sum
    }
  }
}
