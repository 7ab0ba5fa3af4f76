// Sums and small differences of numbers that are kept as logarithms, without overflow and without cancellation.
import Foundation

enum LogSpace {
  /// ln(e^x − 1) for x ≥ 0.
  static func expm1(_ x: Double) -> Double {
    x < 1 ? log(Foundation.expm1(x)) : x + log1p(-exp(-x))
  }

  /// ln Σ e^term; −∞ for none.
  static func sum(_ terms: [Double]) -> Double {
    let largest = terms.max() ?? -.infinity
    guard largest.isFinite else { return largest }
    var sum = CompensatedSum()
    for term in terms where term > largest - 800 { sum.add(exp(term - largest)) }
    return largest + log(sum.value)
  }

  /// e^y − 1 − y ≥ 0, to a few units of relative accuracy.
  static func expm1MinusLinear(_ y: Double) -> Double {
    guard abs(y) < 0.5 else { return Foundation.expm1(y) - y }
    var (term, sum) = (y * y / 2, 0.0)
    var k = 3.0
    while abs(term) > 1e-18 * sum {
      sum += term
      term *= y / k
      k += 1
    }
    return sum
  }

  /// (1 + x)^α − 1 − αx ≥ 0 for x > −1, to a few units of relative accuracy.
  static func excessPower(_ x: Double, _ order: Double) -> Double {
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
    return (1 + x) * Foundation.expm1(beta * log1p(x)) - beta * x
  }
}

/// A logarithm of a sum or integral, and how much too low it may be.
struct LogExcess {
  let log: Double
  let error: Double

  /// ln(1 + e^log) / (order − 1), rounded up: the divergence whose A − 1 this is the logarithm of.
  func divergence(order: Double) -> Double {
    Upward.divide(Upward.logOnePlusExp(log, error: error), order - 1)
  }
}
