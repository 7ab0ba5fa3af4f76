// What was done, apart from what it cost: the value that is sampled and the value that is accounted are this one.

/// Which two inputs count as neighbours. Relations never mix in one composition.
public enum NeighbourRelation: String, Sendable, Codable {
  /// One record (or site) is added or removed.
  case addOrRemove
  /// One record (or site) is replaced by another.
  case replace
}

/// A release of a noised value. Noise multipliers are relative to the sensitivity under the accountant's relation (L2; L1 for Laplace).
public indirect enum NoiseEvent: Hashable, Sendable {
  /// Continuous Gaussian noise of standard deviation `noiseMultiplier` × L2 sensitivity.
  case gaussian(noiseMultiplier: Double)
  /// Continuous Laplace noise of scale `noiseMultiplier` × L1 sensitivity, independent in each coordinate.
  case laplace(noiseMultiplier: Double)
  /// Integers, each with the sum of several discrete Gaussians on top.
  case discreteGaussianSum(DiscreteGaussianSum)
  /// Integers, each with Skellam noise on top.
  case skellam(SkellamNoise)
  /// Every node of binary trees over `stepCounts` steps, one tree each, noised with `noiseMultiplier` × the sensitivity of one step.
  /// A record is in one step of one tree, which is public; a record in several trees is that many events.
  case treeAggregation(noiseMultiplier: Double, stepCounts: [Int])
  /// Correlated noise over many steps. It is amplified by the sampling that it describes itself, never by one around it.
  case bandedMatrixFactorisation(BandedMatrixFactorisation)
  /// Each record enters independently with probability `samplingRate`, then the event happens to the sample.
  case poissonSampled(samplingRate: Double, NoiseEvent)
  /// A sample of fixed size is drawn without replacement, then the event. `samplingRate` is sample size / population size, rounded up.
  case sampledWithoutReplacement(samplingRate: Double, NoiseEvent)
  /// The event `count` times in a row, each chosen after the results before.
  case repeated(NoiseEvent, count: Int)
  /// All events, in this order.
  case composed([NoiseEvent])
  /// A release without noise.
  case nonPrivate

  /// One discrete Gaussian N_Z(0, variance) on a single integer that a neighbour changes by at most `sensitivity`.
  public static func discreteGaussian(variance: Double, sensitivity: Double = 1) -> NoiseEvent {
    .discreteGaussianSum(DiscreteGaussianSum(variance: variance, count: 1, l2: sensitivity, l1: sensitivity, dimension: 1))
  }
}
