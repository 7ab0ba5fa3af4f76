// Poisson sampling before symmetric additive noise, under add/remove, at integer orders: the binomial theorem turns moments of the
// sampled mechanism into moments of the plain one (Zhu and Wang 2019; Mironov, Talwar, Zhang 2019). That the other direction of the
// neighbours costs no more is proved in spec/10, "Poisson sampling", for every noise that is symmetric about 0.
import Foundation

struct PoissonSampledTerm: IntegerOrderTerm {
  let base: any RenyiTerm
  let rate: Double
  private let exponents = Memo<Int, Double>()

  init(base: any RenyiTerm, rate: Double) { (self.base, self.rate) = (base, rate) }

  func divergence(integerOrder order: Int) -> Double {
    let plain = base.divergence(order: Double(order))
    if rate == 0 { return 0 }
    guard rate < 1, plain.isFinite else { return plain }
    let excess = BinomialMoment.logExcess(order: order, rate: rate) { k in
      exponents.value(k) { Double(k - 1) * base.divergence(order: Double(k)) }
    }
    return min(plain, excess.divergence(order: Double(order)))
  }
}

enum BinomialMoment {
  /// ln Σ_{k=2}^{α} C(α, k) q^k (1 − q)^{α−k} expm1(exponent(k)): all terms are positive, summed in log space.
  static func logExcess(order: Int, rate: Double, exponent: (Int) -> Double) -> LogExcess {
    let (logRate, logRest) = (log(rate), log1p(-rate))
    var binomial = CompensatedSum()
    binomial.add(log(Double(order)))
    var terms: [Double] = []
    terms.reserveCapacity(order - 1)
    var largestPart = 0.0
    for k in 2...order {
      binomial.add(log(Double(order - k + 1) / Double(k)))
      let parts = (Double(k) * logRate, Double(order - k) * logRest, LogSpace.expm1(exponent(k)))
      guard parts.2 > -.infinity else { continue }
      terms.append(binomial.value + parts.0 + parts.1 + parts.2)
      largestPart = max(largestPart, binomial.value + abs(parts.0) + abs(parts.1) + abs(parts.2))
    }
    // Each logarithm is a few units off, of which `largestPart` is the scale; the binomial adds one unit a factor.
    let error = Upward.unit * (2 * Upward.libraryUnits * largestPart + 8 * Double(order))
    return LogExcess(log: LogSpace.sum(terms), error: error)
  }
}
