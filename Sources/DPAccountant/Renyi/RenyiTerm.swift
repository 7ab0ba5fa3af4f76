// One priced release: an upper bound of its Rényi divergence at any order. Small closed forms stand here.
import Foundation

protocol RenyiTerm: Sendable {
  /// An upper bound of D_α of one release in nats; infinite where nothing is promised, never NaN.
  /// - Precondition: 1 < order ≤ `RenyiCurve.orderMax`.
  func divergence(order: Double) -> Double

  /// Whether (α − 1) · divergence is a convex function of α, but for rounding: then ε(α) has one valley (spec/10, "Search").
  var isConvex: Bool { get }
}

/// α / 2σ² (Mironov 2017, proposition 7); for a tree, times the number of nodes that contain one step.
struct GaussianTerm: RenyiTerm {
  let noiseMultiplier: Double
  var nodes = 1.0
  var isConvex: Bool { true }

  func divergence(order: Double) -> Double {
    Upward.inflate(nodes * order / (2 * noiseMultiplier * noiseMultiplier), relative: 4 * Upward.unit)
  }
}

/// ln[ (α e^{(α−1)t} + (α−1) e^{−αt}) / (2α − 1) ] / (α − 1) with t = 1 / noise multiplier (Mironov 2017, proposition 6). Convex in t
/// and 0 at 0, hence superadditive: no way of spreading an L1 change over coordinates costs more than a single coordinate.
struct LaplaceTerm: RenyiTerm {
  let noiseMultiplier: Double
  var isConvex: Bool { true }

  func divergence(order: Double) -> Double {
    let t = 1 / noiseMultiplier
    let (up, down) = ((order - 1) * t, -order * t)
    let relative = 4 * Upward.libraryUnits * Upward.unit
    guard up < 30 else {
      // What is left out of ln(1 + …) is rounded into the error.
      let value = up + log(order / (2 * order - 1)) + log1p((order - 1) / order * exp(down - up))
      return min(t.nextUp.nextUp, Upward.divide(Upward.inflate(value, relative: relative), order - 1))
    }
    // A − 1 without its linear part, which cancels.
    let excess =
      (order * LogSpace.expm1MinusLinear(up) + (order - 1) * LogSpace.expm1MinusLinear(down)) / (2 * order - 1)
    return Upward.divide(Upward.inflate(log1p(excess), relative: 4 * relative), order - 1)
  }
}

/// A release without noise, or one whose theorem promises nothing.
struct UnboundedTerm: RenyiTerm {
  var isConvex: Bool { true }
  func divergence(order: Double) -> Double { .infinity }
}

/// A bound that is proved at integer orders. (α − 1) D_α is convex in α and 0 at α = 1 (it is a cumulant generating function), so the
/// straight line between integer orders is above it.
struct InterpolatedTerm<Base: IntegerOrderTerm>: RenyiTerm {
  let base: Base
  /// The release without its sampling, which never costs less: known at all orders.
  var unsampled: (any RenyiTerm)?
  var isConvex: Bool { false }

  func divergence(order: Double) -> Double {
    let (below, above) = (order.rounded(.down), order.rounded(.up))
    if below == above { return base.divergence(integerOrder: Int(order)) }
    let left = below > 1 ? (above - order) * (below - 1) * base.divergence(integerOrder: Int(below)) : 0
    let right = (order - below) * (above - 1) * base.divergence(integerOrder: Int(above))
    let line = Upward.inflate((left + right) / (order - 1), relative: 8 * Upward.unit)
    return min(line, unsampled?.divergence(order: order) ?? .infinity)
  }
}

protocol IntegerOrderTerm: Sendable {
  /// An upper bound of D_α of one release.
  /// - Precondition: order ≥ 2.
  func divergence(integerOrder order: Int) -> Double
}
