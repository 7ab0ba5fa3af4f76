// Rényi divergence of the Poisson-subsampled Gaussian mechanism under add/remove (Mironov, Talwar, Zhang 2019): D_α =
// ln(A) / (α − 1), A = E_{z ~ N(0, σ²)} [ (1 − q + q·exp((2z − 1) / 2σ²))^α ]. A − 1 is computed without cancellation, so that
// tiny sampling rates keep their digits. Results are upper bounds (spec/10, "Poisson-sampled Gaussian").
import Foundation

struct SampledGaussian: RenyiTerm {
  /// Below this the quadrature would need millions of nodes, and sampling no longer helps: the plain Gaussian bounds it.
  static let noiseMultiplierMin = 0.05
  /// A fractional order that needs more nodes is interpolated between integer orders.
  static let nodesMax = 1 << 20

  let sigma: Double
  let rate: Double
  private let plain: GaussianTerm
  private let step: Double
  private let reach: Double
  private let first: Int
  /// Nodes of the quadrature for orders up to `sharedOrder`, computed once for all of them.
  private let nodes: [Node]
  private static let sharedOrder = 11.0

  private struct Node {
    /// (2z − 1) / 2σ².
    let exponent: Double
    /// q·expm1(exponent) and the logarithm of one more than it.
    let x: Double
    let log1pX: Double
    /// z² / 2σ² and the density's exp(−z² / 2σ²).
    let square: Double
    let weight: Double
  }

  init(noiseMultiplier sigma: Double, samplingRate rate: Double) {
    (self.sigma, self.rate) = (sigma, rate)
    plain = GaussianTerm(noiseMultiplier: sigma)
    let nats = 42.0
    step = 0.85 * min(sigma * (2 * Double.pi * Double.pi / nats).squareRoot(), 2 * Double.pi * Double.pi * sigma * sigma / nats)
    reach = sigma * (88.0.squareRoot() + 1)
    guard rate > 0, rate < 1, sigma >= SampledGaussian.noiseMultiplierMin else {
      (first, nodes) = (0, [])
      return
    }
    first = Int((-reach / step).rounded(.down))
    let (step, last) = (step, Int(((SampledGaussian.sharedOrder + reach) / step).rounded(.up)))
    nodes = (first...last).map { SampledGaussian.node(Double($0) * step, sigma, rate) }
  }

  private static func node(_ z: Double, _ sigma: Double, _ rate: Double) -> Node {
    let (exponent, square) = ((2 * z - 1) / (2 * sigma * sigma), z * z / (2 * sigma * sigma))
    let x = rate * expm1(exponent)
    return Node(exponent: exponent, x: x, log1pX: log1p(x), square: square, weight: exp(-square))
  }

  /// (α − 1) D_α is a cumulant generating function.
  var isConvex: Bool { true }

  func divergence(order: Double) -> Double {
    let unsampled = plain.divergence(order: order)
    if rate == 0 { return 0 }
    if nodes.isEmpty { return unsampled }
    // Sampling never costs privacy; where both are computed the smaller bound holds.
    if order == order.rounded() { return min(unsampled, integer(Int(order))) }
    let last = Int(((order + reach) / step).rounded(.up))
    guard last - first < SampledGaussian.nodesMax else {
      return min(unsampled, InterpolatedTerm(base: self).divergence(order: order))
    }
    return min(unsampled, fractional(order, last).divergence(order: order))
  }

  /// A − 1 = Σ_{k=2}^{α} C(α, k) q^k (1 − q)^{α−k} expm1(k (k − 1) / 2σ²).
  private func integer(_ order: Int) -> Double {
    BinomialMoment.logExcess(order: order, rate: rate) { Double($0) * Double($0 - 1) / (2 * sigma * sigma) }
      .divergence(order: Double(order))
  }

  /// A − 1 = E[g(x)], g(x) = (1 + x)^α − 1 − αx ≥ 0 at x = q·expm1((2z − 1) / 2σ²), by the trapezoid rule on the whole line,
  /// which converges exponentially for such integrands (Trefethen and Weideman 2014). The step leaves e^−42 of the value, the
  /// range e^−44; with rounding the result was within 1e-12 of exact arithmetic on every vector, and 1e-11 is added.
  private func fractional(_ order: Double, _ last: Int) -> LogExcess {
    let scale = log(step / (sigma * (2 * Double.pi).squareRoot()))
    let beta = order - 1
    if last - first < nodes.count, nodes[last - first].exponent * order < 600 {
      var sum = 0.0
      for node in nodes[0...(last - first)] {
        let power =
          abs(node.x) * order < 0.02
          ? LogSpace.excessPower(node.x, order) : (1 + node.x) * expm1(beta * node.log1pX) - beta * node.x
        sum += power * node.weight
      }
      return LogExcess(log: log(sum) + scale, error: 1e-11)
    }
    var terms: [Double] = []
    terms.reserveCapacity(last - first + 1)
    for index in first...last {
      let node = SampledGaussian.node(Double(index) * step, sigma, rate)
      terms.append(logPower(node, order) - node.square)
    }
    return LogExcess(log: LogSpace.sum(terms) + scale, error: 1e-11)
  }

  /// ln g(x); −∞ where g vanishes.
  private func logPower(_ node: Node, _ order: Double) -> Double {
    guard node.exponent * order > 600 else { return log(LogSpace.excessPower(node.x, order)) }
    // (1 + x)^α alone, in log space; what is left out is negative.
    let (left, right) = (log1p(-rate), log(rate) + node.exponent)
    return order * (max(left, right) + log1p(exp(-abs(left - right))))
  }
}

extension SampledGaussian: IntegerOrderTerm {
  func divergence(integerOrder order: Int) -> Double { divergence(order: Double(order)) }
}
