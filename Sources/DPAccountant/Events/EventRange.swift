// Parameters that an accountant takes. Outside of them a figure would be meaningless, or its arithmetic no longer proved.

enum EventRange {
  /// Noise multipliers of continuous noise.
  static let noiseMultiplier = 1e-6...1e9
  /// Variances on the integer grid.
  static let variance = 1e-3...1e30
  static let countMax = 1_000_000
  static let dimensionMax = 1 << 40

  /// - Throws: `.parameterOutOfRange`.
  static func check(_ event: NoiseEvent) throws(AccountingError) {
    switch event {
    case .gaussian(let multiplier), .laplace(let multiplier):
      try require(noiseMultiplier.contains(multiplier), "a noise multiplier lies in 1e-6 ... 1e9; no noise is a non-private event")
    case .treeAggregation(let multiplier, let steps):
      try require(noiseMultiplier.contains(multiplier), "a noise multiplier lies in 1e-6 ... 1e9; no noise is a non-private event")
      try require(!steps.isEmpty && steps.allSatisfy { $0 > 0 }, "a tree has at least one step")
    case .discreteGaussianSum(let noise):
      try require(variance.contains(noise.variance), "a variance lies in 1e-3 ... 1e30 squared grid units")
      try require((1...countMax).contains(noise.count), "1 to 1000000 discrete Gaussians add up")
      try require((1...dimensionMax).contains(noise.dimension), "a vector has 1 to 2^40 coordinates")
      try checkNorms(l2: noise.l2, l1: noise.l1)
      try require(noise.count == 1 || noise.variance >= 1.0 / 16, "sums of discrete Gaussians need a variance of 1/16 or more each")
    case .skellam(let noise):
      try require(variance.contains(noise.variance), "a variance lies in 1e-3 ... 1e30 squared grid units")
      try checkNorms(l2: noise.l2, l1: noise.l1)
    case .bandedMatrixFactorisation(let matrix): _ = try matrix.reduced()
    case .poissonSampled, .sampledWithoutReplacement, .repeated, .composed, .nonPrivate: break
    }
  }

  static func checkRate(_ rate: Double) throws(AccountingError) {
    try require(rate >= 0 && rate <= 1, "a sampling rate lies in 0 ... 1")
  }

  private static func checkNorms(l2: Double, l1: Double) throws(AccountingError) {
    try require(l2 >= 1 && l2 <= 1e15, "on the integer grid an L2 sensitivity lies in 1 ... 1e15")
    try require(l1 >= l2 * (1 - 1e-12) && l1 <= 1e30, "an L1 sensitivity is at least the L2 one, at most 1e30")
  }

  private static func require(_ holds: Bool, _ reason: String) throws(AccountingError) {
    guard holds else { throw AccountingError(.parameterOutOfRange, reason) }
  }
}
