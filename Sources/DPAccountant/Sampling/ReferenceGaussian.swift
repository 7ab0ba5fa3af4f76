// The discrete Gaussian as its authors sample it (Canonne, Kamath, Steinke 2020, algorithms 2 and 3): what the fast sampler is held to.
// Exact for every rational σ² and unbounded in its result; some microseconds a coin, hence for small counts. Not constant time.
import GMP
import Sodium

/// P(x) ∝ exp(−x² / 2σ²) on the integers.
public struct ReferenceGaussian: Sendable {
  public let variance: Rational
  /// t = ⌊σ⌋ + 1, the Laplace scale.
  private let scale: BigInteger

  /// - Parameter variance: σ² > 0, in squared grid units.
  /// - Throws: `.parameterOutOfRange`.
  public init(variance: Rational) throws(AccountingError) {
    guard variance.signum > 0 else { throw AccountingError(.parameterOutOfRange, "a variance is positive") }
    self.variance = variance
    scale = BigInteger.quotient(variance.numerator, variance.denominator).squareRoot + BigInteger(1)
  }

  /// Algorithm 3: Y from the discrete Laplace distribution of scale t, kept with probability exp(−(|Y| − σ²/t)² / 2σ²). The product of both
  /// is exp(−|Y|/t) exp(−(|Y| − σ²/t)² / 2σ²) = exp(−Y²/2σ²) exp(−σ²/2t²): the Gaussian times a constant.
  public func sample(from source: inout some RandomSource & ~Copyable) -> BigInteger {
    // With σ² = p/q the exponent is (|Y| t q − p)² / (2 p q t²).
    let (p, q) = (variance.numerator, variance.denominator)
    let denominator = (p * q * scale * scale) << 1
    while true {
      let candidate = laplace(from: &source)
      let distance = candidate.magnitude * scale * q - p
      if ReferenceDraws.bernoulliExponential(ofMinus: distance * distance, denominator, from: &source) { return candidate }
    }
  }

  /// Algorithm 2 for the scale t: P(x) ∝ exp(−|x|/t). |X| = U + tV with U uniform below t, kept with probability exp(−U/t), and V geometric
  /// with ratio 1/e; a sign, and no negative zero.
  private func laplace(from source: inout some RandomSource & ~Copyable) -> BigInteger {
    let one = BigInteger(1)
    while true {
      let low = ReferenceDraws.uniform(below: scale, from: &source)
      guard ReferenceDraws.bernoulliExponential(ofMinus: low, scale, from: &source) else { continue }
      var high = 0
      while ReferenceDraws.bernoulliExponential(ofMinus: one, one, from: &source) { high += 1 }
      let magnitude = low + scale * BigInteger(high)
      let isNegative = ReferenceDraws.coin(from: &source)
      if isNegative && magnitude.isZero { continue }
      return isNegative ? -magnitude : magnitude
    }
  }
}
