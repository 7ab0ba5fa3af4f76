// What was done, apart from what it cost: the value that is sampled and the value that is accounted are this one.

/// Which two inputs count as neighbours. Relations never mix in one composition.
public enum NeighbourRelation: String, Sendable, Codable {
  /// One record (or site) is added or removed.
  case addOrRemove
  /// One record (or site) is replaced by another.
  case replace
}

/// A release of a noised value. Noise multipliers are relative to the L2 sensitivity under the accountant's relation.
public indirect enum NoiseEvent: Equatable, Sendable {
  /// Continuous Gaussian noise of standard deviation `noiseMultiplier` × sensitivity.
  case gaussian(noiseMultiplier: Double)
  /// Each record enters independently with probability `samplingRate`, then the event happens to the sample.
  case poissonSampled(samplingRate: Double, NoiseEvent)
  /// A sample of fixed size, drawn without replacement, then the event.
  case sampledWithoutReplacement(sampleSize: Int, populationSize: Int, NoiseEvent)
  /// The event `count` times in a row, each chosen after the results before.
  case repeated(NoiseEvent, count: Int)
  /// All events, in this order.
  case composed([NoiseEvent])
  /// A release without noise.
  case nonPrivate
}
