// What the fast sampler needs to know of a distribution: an even, log-concave function on the integers, proportional to the probabilities,
// of which it may ask for bounds at any precision. Samples are as exact as these bounds are true (spec/11-samplers.md [NS-20]).
import GMP

/// f(0) lies in 1/8 ... 1, f(−m) = f(m), f falls with |m| and f(m)² ≥ f(m − 1) f(m + 1).
protocol LatticeDensity: Sendable {
  /// Lower and upper bound of f(magnitude) for magnitude ≥ 0. The bounds close in on f as `bits` grows.
  func bounds(_ magnitude: BigInteger, bits: Int) -> Enclosure
}

/// lower / 2^bits ≤ f ≤ upper / 2^bits.
struct Enclosure {
  let lower: BigInteger
  let upper: BigInteger

  init(lower: BigInteger, upper: BigInteger) {
    self.lower = lower
    self.upper = upper
  }

  /// What lies within `error` units of `value`, not below zero, with `extra` bits cut off outward.
  init(around value: BigInteger, error: BigInteger, cutting extra: Int) {
    let bottom = value - error
    lower = bottom.signum < 0 ? BigInteger(0) : bottom >> extra
    upper = ((value + error) >> extra) + BigInteger(1)
  }
}

/// f(m) = exp(−m² / 2σ²).
struct GaussianDensity: LatticeDensity {
  private let numerator: BigInteger
  private let twiceDenominator: BigInteger

  /// - Parameter variance: σ² > 0, the parameter (the distribution's own variance is a little less where σ² is below 1).
  init(variance: Rational) {
    precondition(variance.signum > 0, "a variance is positive")
    twiceDenominator = variance.numerator << 1
    numerator = variance.denominator
  }

  func bounds(_ magnitude: BigInteger, bits: Int) -> Enclosure {
    // The only place where f is rational: heights are ceilings, and an upper bound above it would give the next integer.
    if magnitude.isZero { return Enclosure(lower: BigInteger(1) << bits, upper: BigInteger(1) << bits) }
    let extra = 4
    let gamma = BigInteger.quotient((magnitude * magnitude * numerator) << (bits + extra), twiceDenominator)
    let value = FixedPoint.exponential(ofMinus: gamma, fraction: bits + extra)
    return Enclosure(around: value, error: FixedPoint.errorUnits, cutting: extra)
  }
}
