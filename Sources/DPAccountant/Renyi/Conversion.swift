// From a Rényi curve to (ε, δ). Every figure is an upper bound: of the orders the best one is taken, its arithmetic moved up.
import Foundation

/// A claim "(ε, δ)" and the order that gave it.
public struct PrivacyBound: Equatable, Sendable {
  public let epsilon: Double
  public let delta: Double
  /// nil where no order was needed: nothing released, or ε = 0 by the total-variation bound.
  public let order: Double?
}

public enum ConversionRule: Sendable {
  /// ε = r + ln(1 − 1/α) − (ln δ + ln α) / (α − 1) (Canonne, Kamath, Steinke 2020, proposition 12; Balle et al. 2020).
  case improved
  /// ε = r + ln(1/δ) / (α − 1) (Mironov 2017, proposition 3), for comparison.
  case classical
}

extension RenyiCurve {
  /// The smallest ε that this curve proves at `delta`; infinite where it proves none.
  /// - Throws: `.parameterOutOfRange` unless 0 < delta < 1.
  public func epsilon(delta: Double, rule: ConversionRule = .improved) throws(AccountingError) -> PrivacyBound {
    guard delta > 0, delta < 1 else { throw AccountingError(.parameterOutOfRange, "delta lies strictly between 0 and 1") }
    if values.allSatisfy({ $0 == 0 }) { return PrivacyBound(epsilon: 0, delta: delta, order: nil) }
    if rule == .improved, totalVariation < delta { return PrivacyBound(epsilon: 0, delta: delta, order: nil) }
    var best = PrivacyBound(epsilon: .infinity, delta: delta, order: nil)
    for (order, value) in zip(orders, values) {
      let epsilon = max(0, RenyiCurve.epsilon(order, value, delta, rule))
      if epsilon < best.epsilon { best = PrivacyBound(epsilon: epsilon, delta: delta, order: order) }
    }
    return best
  }

  /// The smallest δ that this curve proves at `epsilon`, at most 1.
  /// - Throws: `.parameterOutOfRange` unless epsilon is finite and not negative.
  public func delta(epsilon: Double) throws(AccountingError) -> PrivacyBound {
    guard epsilon >= 0, epsilon.isFinite else {
      throw AccountingError(.parameterOutOfRange, "epsilon is finite and not negative")
    }
    if values.allSatisfy({ $0 == 0 }) { return PrivacyBound(epsilon: epsilon, delta: 0, order: nil) }
    var best = PrivacyBound(epsilon: epsilon, delta: min(1, totalVariation), order: nil)
    for (order, value) in zip(orders, values) where value.isFinite {
      let parts = [(order - 1) * value, -(order - 1) * epsilon, (order - 1) * log1p(-1 / order), -log(order)]
      let exponent = RenyiCurve.sumUp(parts)
      let delta = exponent >= 0 ? 1 : Upward.inflate(exp(exponent), relative: Upward.libraryUnits * Upward.unit)
      if delta < best.delta { best = PrivacyBound(epsilon: epsilon, delta: delta, order: order) }
    }
    return best
  }

  /// Total variation is at most √(1 − e^−KL) (Bretagnolle and Huber 1979), and KL at most D_α for every α > 1.
  private var totalVariation: Double {
    let smallest = values.min() ?? .infinity
    return Upward.inflate((-expm1(-smallest)).squareRoot(), relative: 2 * Upward.libraryUnits * Upward.unit)
  }

  static func epsilon(_ order: Double, _ value: Double, _ delta: Double, _ rule: ConversionRule) -> Double {
    guard value.isFinite else { return .infinity }
    switch rule {
    case .improved:
      return sumUp([value, log1p(-1 / order), -log(delta) / (order - 1), -log(order) / (order - 1)])
    case .classical:
      return sumUp([value, -log(delta) / (order - 1)])
    }
  }

  /// The sum of parts that are each a few units off, moved up by as much.
  private static func sumUp(_ parts: [Double]) -> Double {
    var sum = CompensatedSum()
    var magnitude = 0.0
    for part in parts {
      sum.add(part)
      magnitude += abs(part)
    }
    return (sum.value + magnitude * 2 * Upward.libraryUnits * Upward.unit).nextUp
  }
}

extension RenyiAccountant {
  /// The smallest ε that the account proves at `delta`; infinite where it proves none.
  /// - Throws: `.parameterOutOfRange` unless 0 < delta < 1.
  public func epsilon(delta: Double, rule: ConversionRule = .improved) throws(AccountingError) -> PrivacyBound {
    var start = RenyiAccountant.firstGuess
    return try epsilon(delta: delta, rule: rule, start: &start)
  }

  /// The smallest δ that the account proves at `epsilon`, at most 1.
  /// - Throws: `.parameterOutOfRange` unless epsilon is finite and not negative.
  public func delta(epsilon: Double) throws(AccountingError) -> PrivacyBound { try curve.delta(epsilon: epsilon) }

  /// Where a search among the orders begins when nothing is known.
  static let firstGuess = 40

  /// As `epsilon(delta:rule:)`; the search begins at the order numbered `start` and leaves there where it ended.
  func epsilon(delta: Double, rule: ConversionRule, start: inout Int) throws(AccountingError) -> PrivacyBound {
    // The order-free bound may only matter where D is small: it is looked at on the whole curve.
    guard isConvex, rule == .improved, !isEmpty, delta > 0, delta < 1 else { return try curve.epsilon(delta: delta, rule: rule) }
    let index = OrderSearch.lowest(count: orders.count, start: min(start, orders.count - 1)) {
      RenyiCurve.epsilon(orders[$0], divergence(order: orders[$0]), delta, rule)
    }
    start = index
    // D grows with the order: the first one is the smallest, and tells whether ε = 0 is proved without an order.
    let candidates = index == 0 ? [0] : [0, index]
    let few = try RenyiCurve(orders: candidates.map { orders[$0] }, values: candidates.map { divergence(order: orders[$0]) })
    return try few.epsilon(delta: delta, rule: rule)
  }
}
