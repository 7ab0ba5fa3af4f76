// Which theorem prices which event, under which neighbour relation. Whatever has none is refused with the reason.

enum EventPricing {
  /// - Throws: `.parameterOutOfRange`, or `.unsupportedEvent` where no theorem is implemented.
  static func term(_ event: NoiseEvent, _ relation: NeighbourRelation) throws(AccountingError) -> any RenyiTerm {
    switch event {
    case .poissonSampled(let rate, let inner): return try poisson(rate, inner, relation)
    case .sampledWithoutReplacement(let rate, let inner): return try withoutReplacement(rate, inner, relation)
    case .repeated, .composed: throw AccountingError(.unsupportedEvent, "only a single release can be sampled")
    default: return try release(event)
    }
  }

  /// A release without sampling: its sensitivity is the one under the accountant's relation.
  private static func release(_ event: NoiseEvent) throws(AccountingError) -> any RenyiTerm {
    try EventRange.check(event)
    switch event {
    case .gaussian(let sigma): return GaussianTerm(noiseMultiplier: sigma)
    case .laplace(let scale): return LaplaceTerm(noiseMultiplier: scale)
    case .discreteGaussianSum(let noise): return DiscreteGaussianTerm(noise)
    case .skellam(let noise): return InterpolatedTerm(base: SkellamTerm(noise: noise))
    case .treeAggregation(let sigma, let steps):
      // Complete nodes over one of n steps: ⌊log2 n⌋ + 1 at most (Kairouz, McMahan, Song, Thakkar, Thakurta, Xu 2021).
      return GaussianTerm(noiseMultiplier: sigma, nodes: Double(steps.map { Int.bitWidth - $0.leadingZeroBitCount }.max() ?? 0))
    case .nonPrivate: return UnboundedTerm()
    case .poissonSampled, .sampledWithoutReplacement, .repeated, .composed, .bandedMatrixFactorisation:
      throw AccountingError(.unsupportedEvent, "only a single release without further sampling can be sampled")
    }
  }

  private static func poisson(
    _ rate: Double, _ inner: NoiseEvent, _ relation: NeighbourRelation
  ) throws(AccountingError) -> any RenyiTerm {
    try EventRange.checkRate(rate)
    guard relation == .addOrRemove else {
      throw AccountingError(.unsupportedEvent, "Poisson sampling is accounted for under add/remove only")
    }
    switch inner {
    case .gaussian(let sigma):
      try EventRange.check(inner)
      return SampledGaussian(noiseMultiplier: sigma, samplingRate: rate)
    case .laplace, .discreteGaussianSum, .skellam:
      let plain = try release(inner)
      return InterpolatedTerm(base: PoissonSampledTerm(base: plain, rate: rate), unsampled: plain)
    case .bandedMatrixFactorisation:
      throw AccountingError(.unsupportedEvent, "a banded matrix is amplified only by sampling within public groups, a part of the event")
    case .treeAggregation:
      throw AccountingError(.unsupportedEvent, "in a tree each record's step is public: sampling gives no amplification")
    default:
      throw AccountingError(.unsupportedEvent, "Poisson sampling is accounted for before a single release of additive noise only")
    }
  }

  private static func withoutReplacement(
    _ rate: Double, _ inner: NoiseEvent, _ relation: NeighbourRelation
  ) throws(AccountingError) -> any RenyiTerm {
    try EventRange.checkRate(rate)
    guard relation == .replace else {
      throw AccountingError(.unsupportedEvent, "sampling without replacement is accounted for under replace only: its population is public")
    }
    let (pureEpsilon, sigma): (Double, Double?)
    switch inner {
    case .gaussian(let multiplier): (pureEpsilon, sigma) = (.infinity, multiplier)
    case .laplace(let scale): (pureEpsilon, sigma) = (1 / scale, nil)
    case .discreteGaussianSum, .skellam: (pureEpsilon, sigma) = (.infinity, nil)
    default:
      throw AccountingError(
        .unsupportedEvent, "sampling without replacement is accounted for before a single release of additive noise only")
    }
    let plain = try release(inner)
    let sampled = WithoutReplacementTerm(base: plain, rate: rate, pureEpsilon: pureEpsilon, gaussian: sigma)
    return InterpolatedTerm(base: sampled, unsampled: plain)
  }
}
