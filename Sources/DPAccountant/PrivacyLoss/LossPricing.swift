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

  /// The composition on a grid; nil where it would be too large.
  static func compose(
    _ pairs: [(pair: LossPair, count: Int)], _ interval: Double, _ delta: Double, pessimistic: Bool, cellsMax: Int
  ) -> LossComposition? {
    var (removed, added): ([(losses: DirectedLosses, count: Int)], [(losses: DirectedLosses, count: Int)]) = ([], [])
    for (pair, count) in pairs {
      let both =
        pessimistic
        ? LossGrid.pessimistic(pair, interval: interval).map(DirectedLosses.both) : OptimisticGrid.both(pair, interval: interval)
      guard let both else { return nil }
      removed.append((both.removed, count))
      added.append((both.added, count))
    }
    let left = LossComposition.Direction(removed, tilt: tilt(removed, delta))
    let right = LossComposition.Direction(added, tilt: tilt(added, delta))
    let cells = LossComposition.cells(left, right)
    guard cells <= cellsMax else { return nil }
    return LossComposition(left, right, cells: cells, isPessimistic: pessimistic)
  }

  /// About the tilt at which the composed losses centre on the ε of `delta`: where (K(λ) + ln 1/δ) / λ is smallest. Any tilt is valid.
  static func tilt(_ parts: [(losses: DirectedLosses, count: Int)], _ delta: Double) -> Double {
    func cost(_ logTilt: Double) -> Double {
      let s = exp(logTilt)
      return (parts.reduce(0) { $0 + Double($1.count) * $1.losses.cumulant(s) } - log(delta)) / s
    }
    // Beyond 1 / interval a single cell decides.
    var (low, high) = (log(1e-3), log(0.5 / parts[0].losses.interval))
    while high - low > 0.05 {
      let (left, right) = (low + (high - low) * 0.382, low + (high - low) * 0.618)
      if cost(left) < cost(right) { high = right } else { low = left }
    }
    return exp((low + high) / 2)
  }
}
