// Which pair of distributions dominates which event. Whatever has none that is proved is refused.
import Foundation

enum LossPricing {
  /// - Throws: `.parameterOutOfRange`, or `.unsupportedEvent` where no dominating pair is known.
  static func pair(_ event: NoiseEvent, _ relation: NeighbourRelation, tail: Double) throws(AccountingError) -> LossPair {
    if case .poissonSampled(let rate, let inner) = event {
      try EventRange.checkRate(rate)
      guard relation == .addOrRemove else {
        throw AccountingError(.unsupportedEvent, "Poisson sampling is accounted for under add/remove only")
      }
      var pair = try release(inner, tail)
      pair.scale = min(pair.scale, scale(pair, rate))
      pair.rate = rate
      return pair
    }
    return try release(event, tail)
  }

  private static func release(_ event: NoiseEvent, _ tail: Double) throws(AccountingError) -> LossPair {
    try EventRange.check(event)
    switch event {
    case .gaussian(let sigma):
      return try gaussian(sigma, tail)
    case .treeAggregation(let sigma, let steps):
      let nodes = steps.map { Int.bitWidth - $0.leadingZeroBitCount }.max() ?? 1
      // One normal vector whose change has norm √nodes: the ratio depends on the projection alone.
      return try gaussian((sigma / Double(nodes).squareRoot()).nextDown, tail)
    case .laplace(let scale):
      guard scale >= 0.002 else { throw AccountingError(.parameterOutOfRange, "a Laplace scale is 0.002 or more in a loss distribution") }
      return .laplace(noiseMultiplier: scale)
    case .discreteGaussianSum(let noise):
      return try discrete(noise, tail)
    default:
      throw AccountingError(.unsupportedEvent, "no dominating pair is implemented for this event; its Rényi divergence may be")
    }
  }

  private static func gaussian(_ sigma: Double, _ tail: Double) throws(AccountingError) -> LossPair {
    guard sigma >= 0.05, sigma <= 1e6 else {
      throw AccountingError(.parameterOutOfRange, "a noise multiplier lies in 0.05 ... 1e6 in a loss distribution")
    }
    return .gaussian(noiseMultiplier: sigma, tail: tail)
  }

  private static func discrete(_ noise: DiscreteGaussianSum, _ tail: Double) throws(AccountingError) -> LossPair {
    guard noise.dimension == 1 else {
      throw AccountingError(.unsupportedEvent, "discrete noise has a known dominating pair for a single integer only")
    }
    let total = Double(noise.count) * noise.variance
    // The second condition leaves losses that the grid could hold, and few enough atoms.
    guard total <= 1e10, noise.l2 * noise.l2 < 1200 * total, let factor = LatticeFactor(count: noise.count, variance: noise.variance) else {
      throw AccountingError(.parameterOutOfRange, "the exact probabilities of this noise are out of reach")
    }
    let pair = LossPair.discrete(factor, shift: Int(noise.l2 * (1 + 4 * Upward.unit)), tail: tail)
    guard pair.atoms.allSatisfy({ abs($0.exponent) < 600 }) else {
      throw AccountingError(.parameterOutOfRange, "losses above 600 are out of reach: this noise hides nothing")
    }
    return pair
  }

  /// A standard deviation of the sampled loss, roughly: q·√χ², at most the plain one.
  private static func scale(_ pair: LossPair, _ rate: Double) -> Double {
    max(1e-12, rate * expm1(min(50, pair.scale * pair.scale)).squareRoot())
  }
}
