// Rényi divergence of the Poisson-subsampled Gaussian mechanism under add/remove (Mironov, Talwar, Zhang 2019): D_α =
// ln(A) / (α − 1), A = E_{z ~ N(0, σ²)} [ (1 − q + q·exp((2z − 1) / 2σ²))^α ]. A − 1 is computed without cancellation, so that
// tiny sampling rates keep their digits. Results are upper bounds.
import Foundation

enum SampledGaussian {
  static let ordersMax = 65_536.0
  /// Below this the quadrature would need millions of nodes, and sampling no longer helps: the plain Gaussian bounds it.
  static let noiseMultiplierMin = 0.05

  /// D_α of one release, rounded up. Arguments were checked by the accountant.
  static func divergence(order: Double, noiseMultiplier sigma: Double, samplingRate q: Double) -> Double {
    let plain = gaussian(order: order, noiseMultiplier: sigma)
    if q == 0 { return 0 }
    if q == 1 || sigma < noiseMultiplierMin { return plain }
    let excess =
      order == order.rounded()
      ? integerOrder(Int(order), sigma, q) : fractionalOrder(order, sigma, q)
    let sampled = Upward.divide(Upward.logOnePlusExp(excess.log, error: excess.error), order - 1)
    // Sampling never costs privacy; where both are computed the smaller bound holds.
    return min(plain, sampled)
  }

  /// α / 2σ² (Mironov 2017, proposition 7), rounded up.
  static func gaussian(order: Double, noiseMultiplier sigma: Double) -> Double {
    Upward.inflate(order / (2 * sigma * sigma), relative: 3 * Upward.unit)
  }

  /// ln(A − 1) and how much too low it may be.
  struct LogExcess {
    let log: Double
    let error: Double
  }

  /// A − 1 = Σ_{k=2}^{α} C(α, k) q^k (1 − q)^{α−k} expm1(k (k − 1) / 2σ²): all terms are positive, summed in log space.
  static func integerOrder(_ order: Int, _ sigma: Double, _ q: Double) -> LogExcess {
    let (logRate, logRest) = (log(q), log1p(-q))
    var binomial = CompensatedSum()
    binomial.add(log(Double(order)))
    var terms: [Double] = []
    terms.reserveCapacity(order - 1)
    var largestPart = 0.0
    for k in 2...order {
      binomial.add(log(Double(order - k + 1) / Double(k)))
      let exponent = Double(k) * Double(k - 1) / (2 * sigma * sigma)
      let parts = (Double(k) * logRate, Double(order - k) * logRest, logExpm1(exponent))
      terms.append(binomial.value + parts.0 + parts.1 + parts.2)
      largestPart = max(largestPart, binomial.value + abs(parts.0) + abs(parts.1) + abs(parts.2))
    }
    // Each logarithm is a few units off, of which `largestPart` is the scale; the binomial adds one unit a factor.
    let error = Upward.unit * (2 * Upward.libraryUnits * largestPart + 8 * Double(order))
    return LogExcess(log: logSum(terms), error: error)
  }

  /// A − 1 = E[g(x)], g(x) = (1 + x)^α − 1 − αx ≥ 0 at x = q·expm1((2z − 1) / 2σ²), by the trapezoid rule on the whole line,
  /// which converges exponentially for such integrands (Trefethen and Weideman 2014). The step leaves e^−42 of the value, the
  /// range e^−44; with rounding the result was within 1e-12 of exact arithmetic on every vector, and 1e-11 is added.
  static func fractionalOrder(_ order: Double, _ sigma: Double, _ q: Double) -> LogExcess {
    let nats = 42.0
    let variance = sigma * sigma
    let step = 0.85 * min(sigma * (2 * Double.pi * Double.pi / nats).squareRoot(), 2 * Double.pi * Double.pi * variance / nats)
    let reach = sigma * (88.0.squareRoot() + 1)
    let first = Int((-reach / step).rounded(.down))
    let last = Int(((order + reach) / step).rounded(.up))
    var terms: [Double] = []
    terms.reserveCapacity(last - first + 1)
    for index in first...last {
      let z = Double(index) * step
      let term = logIntegrand((2 * z - 1) / (2 * variance), order, q)
      terms.append(term - z * z / (2 * variance))
    }
    return LogExcess(log: logSum(terms) + log(step / (sigma * (2 * Double.pi).squareRoot())), error: 1e-11)
  }

  /// ln g(q·expm1(w)); −∞ where g vanishes.
  private static func logIntegrand(_ w: Double, _ order: Double, _ q: Double) -> Double {
    if w * order > 600 {
      // (1 + x)^α alone, in log space; what is left out is negative.
      let (left, right) = (log1p(-q), log(q) + w)
      return order * (max(left, right) + log1p(exp(-abs(left - right))))
    }
    return log(excessPower(q * expm1(w), order))
  }

  /// (1 + x)^α − 1 − αx for x > −1, to a few units of relative accuracy.
  private static func excessPower(_ x: Double, _ order: Double) -> Double {
    if abs(x) * order < 0.02 {
      // Binomial series from the second term; twelve terms reach 1e-20 of the first.
      var coefficient = order * (order - 1) / 2
      var power = x * x
      var sum = coefficient * power
      for k in 3..<14 {
        coefficient *= (order - Double(k) + 1) / Double(k)
        power *= x
        sum += coefficient * power
      }
      return sum
    }
    // With β = α − 1 both parts scale with β, so orders near 1 lose nothing.
    let beta = order - 1
    return (1 + x) * expm1(beta * log1p(x)) - beta * x
  }

  private static func logExpm1(_ x: Double) -> Double {
    x < 1 ? log(expm1(x)) : x + log1p(-exp(-x))
  }

  /// ln Σ e^term.
  private static func logSum(_ terms: [Double]) -> Double {
    let largest = terms.max() ?? -.infinity
    guard largest.isFinite else { return largest }
    var sum = CompensatedSum()
    for term in terms where term > largest - 800 { sum.add(exp(term - largest)) }
    return largest + log(sum.value)
  }
}
