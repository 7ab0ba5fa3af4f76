// Noise on integer vectors: what its theorems need to know of it, in units of the integer grid.

/// Independent in every coordinate, the sum of `count` discrete Gaussians N_Z(0, variance): what `count` sites add together.
public struct DiscreteGaussianSum: Hashable, Sendable {
  /// σ² of one summand's density exp(−x² / 2σ²), in squared grid units; a rational is rounded down.
  public var variance: Double
  /// Summands that nobody else knows: survivors minus colluders, never the number invited.
  public var count: Int
  /// Largest L2 norm of a neighbour's change of the integer vector, at least 1.
  public var l2: Double
  /// Largest L1 norm of the same change.
  public var l1: Double
  /// Coordinates.
  public var dimension: Int

  public init(variance: Double, count: Int, l2: Double, l1: Double, dimension: Int) {
    (self.variance, self.count, self.l2, self.l1, self.dimension) = (variance, count, l2, l1, dimension)
  }
}

/// Independent in every coordinate, the difference of two Poisson variables of mean `variance` / 2.
public struct SkellamNoise: Hashable, Sendable {
  /// In squared grid units. Skellam variables add up: this is the total of what nobody else knows.
  public var variance: Double
  /// Largest L2 norm of a neighbour's change of the integer vector, at least 1.
  public var l2: Double
  /// Largest L1 norm of the same change.
  public var l1: Double

  public init(variance: Double, l2: Double, l1: Double) {
    (self.variance, self.l2, self.l1) = (variance, l2, l1)
  }
}
