// Samples of a fixed size, drawn without replacement, under replace (Wang, Balle, Kasiviswanathan 2019, theorem 9; theorem 27 for
// Gaussian noise). Integer orders.
import Foundation

struct WithoutReplacementTerm: IntegerOrderTerm {
  let base: any RenyiTerm
  /// γ = sample size / population size.
  let rate: Double
  /// ε(∞) of the plain release; infinite for unbounded noise ratios.
  let pureEpsilon: Double
  /// Moments of Gaussian noise for theorem 27; nil where only theorem 9 holds.
  let moments: GaussianRatioMoments?
  private let exponents = Memo<Int, Double>()

  init(base: any RenyiTerm, rate: Double, pureEpsilon: Double, gaussian noiseMultiplier: Double?) {
    (self.base, self.rate, self.pureEpsilon) = (base, rate, pureEpsilon)
    moments = noiseMultiplier.map(GaussianRatioMoments.init)
  }

  func divergence(integerOrder order: Int) -> Double {
    let plain = base.divergence(order: Double(order))
    if rate == 0 { return 0 }
    guard rate < 1, plain.isFinite else { return plain }
    let logRate = log(rate)
    var binomial = CompensatedSum()
    binomial.add(log(Double(order)))
    var terms: [Double] = []
    terms.reserveCapacity(order - 1)
    var largestPart = 0.0
    for j in 2...order {
      binomial.add(log(Double(order - j + 1) / Double(j)))
      let moment = logMoment(j)
      guard moment > -.infinity else { continue }
      terms.append(binomial.value + Double(j) * logRate + moment)
      largestPart = max(largestPart, binomial.value + Double(j) * abs(logRate) + abs(moment))
    }
    let error = Upward.unit * (4 * Upward.libraryUnits * largestPart + 8 * Double(order)) + 1e-11
    // Sampling is post-processing of nothing, and a mixture of neighbours: it never costs more than the release itself.
    return min(plain, LogExcess(log: LogSpace.sum(terms), error: error).divergence(order: Double(order)))
  }

  /// ln of the factor of C(α, j) γ^j.
  private func logMoment(_ j: Int) -> Double {
    let exponent = exponents.value(j) { Double(j - 1) * base.divergence(order: Double(j)) }
    // (e^{ε(∞)} − 1)^j beside 2.
    let general = exponent + min(log(2.0), Double(j) * LogSpace.expm1(pureEpsilon))
    if j == 2 { return min(log(4.0) + LogSpace.expm1(exponent), general) }
    guard let moments, j <= GaussianRatioMoments.orderMax else { return general }
    return min(general, log(4.0) + (moments.log(2 * (j / 2)) + moments.log(2 * ((j + 1) / 2))) / 2)
  }
}

/// B(ℓ) = E_{z ~ N(0, σ²)} [ (r(z) − 1)^ℓ ] for even ℓ, r = exp((2z − 1) / 2σ²): the forward differences of theorem 27, whose alternating
/// sums cancel, as an integral with a non-negative integrand.
struct GaussianRatioMoments: Sendable {
  /// Beyond it theorem 9 alone is used: its terms no longer matter there, or no longer help.
  static let orderMax = 256

  let sigma: Double
  private let known = Memo<Int, Double>()

  init(noiseMultiplier: Double) { sigma = noiseMultiplier }

  /// ln B(ℓ), infinite where the quadrature would take too many nodes.
  func log(_ even: Int) -> Double { known.value(even) { compute(Double(even)) } }

  private func compute(_ power: Double) -> Double {
    // Aliases of the trapezoid rule carry at most 2^ℓ e^{ℓ(ℓ−1)/2σ²}, of which cancellation leaves no less than about (ℓ/eσ²)^{ℓ/2}.
    let extra = max(0, power * (Foundation.log(2 * sigma) + 0.5) - power / 2 * Foundation.log(power))
    let step = min(sigma * (2 * Double.pi * Double.pi / (42 + extra)).squareRoot(), 0.85 * 2 * Double.pi * Double.pi * sigma * sigma / 42)
    let reach = sigma * (88.0.squareRoot() + 1 + power.squareRoot())
    // Where noise is so small, theorem 9 alone is used.
    guard (power + 2 * reach) / step < Double(SampledGaussian.nodesMax) else { return .infinity }
    let variance = sigma * sigma
    var terms: [Double] = []
    for index in Int((-reach / step).rounded(.down))...Int(((power + reach) / step).rounded(.up)) {
      let z = Double(index) * step
      let exponent = (2 * z - 1) / (2 * variance)
      let base = exponent > 30 ? exponent + log1p(-exp(-exponent)) : Foundation.log(abs(expm1(exponent)))
      terms.append(power * base - z * z / (2 * variance))
    }
    return LogSpace.sum(terms) + Foundation.log(step / (sigma * (2 * Double.pi).squareRoot()))
  }
}
