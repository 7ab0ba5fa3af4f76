// One step of training with privacy for single records (spec/13-record-privacy.md): records are drawn by Poisson sampling, each clipped
// gradient becomes a vector of whole numbers of bounded norm, the sum gets discrete Gaussian noise. The accountant's event and the
// sampler are both made here, from the same numbers: what is charged is what is drawn.
import GMP

/// The noise of one step. The sensitivity is one record's vector, added or removed.
public struct RecordMechanism: Hashable, Sendable {
  /// Probability with which each record takes part in a step: a public constant.
  public let samplingRate: Double
  /// Deviation of the noise over the sensitivity.
  public let noiseMultiplier: Double
  /// The share of gradients that are to stay within the clip, where the clip follows them (Andrew, Thakkar, McMahan, Ramaswamy 2021);
  /// nil: the clip stays as it is.
  public let clipQuantile: Double?
  /// Values of a gradient.
  public let dimension: Int

  /// Steps of the integer grid that make the clip.
  public static let resolution: Int64 = 1 << 20
  /// Steps of the grid that make one record in the count behind the quantile: a tenth of a gradient, so that it costs 0.5 % of the noise
  /// at most.
  static let countResolution: Int64 = resolution / 10
  public static let noiseMultiplierRange = 0.01...1024.0
  public static let samplingRateRange = 1e-6...1.0
  public static let clipQuantileRange = 0.01...0.99
  static let dimensionMax = 1 << 40

  /// - Throws: `.parameterOutOfRange`.
  public init(samplingRate: Double, noiseMultiplier: Double, clipQuantile: Double? = nil, dimension: Int) throws(AccountingError) {
    guard Self.noiseMultiplierRange.contains(noiseMultiplier) else {
      throw AccountingError(.parameterOutOfRange, "the noise multiplier of a step lies in 0.01 ... 1024")
    }
    guard Self.samplingRateRange.contains(samplingRate) else {
      throw AccountingError(.parameterOutOfRange, "the sampling rate of records lies in 1e-6 ... 1")
    }
    guard clipQuantile.map(Self.clipQuantileRange.contains) ?? true else {
      throw AccountingError(.parameterOutOfRange, "the quantile of the clip lies in 0.01 ... 0.99")
    }
    guard (1...Self.dimensionMax).contains(dimension) else {
      throw AccountingError(.parameterOutOfRange, "a gradient has 1 to 2^40 values")
    }
    (self.samplingRate, self.noiseMultiplier) = (samplingRate, noiseMultiplier)
    (self.clipQuantile, self.dimension) = (clipQuantile, dimension)
  }

  /// What a record adds to the count: `within` if its gradient's norm is within the clip, `beyond` if it is not. Their sum over records
  /// is 0 on average where just the quantile is within.
  public var countSteps: (within: Int64, beyond: Int64) {
    guard let clipQuantile else { return (0, 0) }
    let beyond = Int64((clipQuantile * Double(Self.countResolution)).rounded())
    return (Self.countResolution - beyond, -beyond)
  }

  /// Δ₂²: the largest square of a record's vector, its part of the count included.
  public var squaredSensitivity: Int64 {
    let count = max(countSteps.within, -countSteps.beyond)
    return Self.resolution * Self.resolution + count * count
  }

  /// σ² of the noise on every coordinate, in squared grid steps: a whole number that a double holds exactly.
  public var variance: Double { (noiseMultiplier * noiseMultiplier * Double(squaredSensitivity)).rounded(.up) }

  /// What one step costs.
  public var event: NoiseEvent {
    let coordinates = Double(dimension + (clipQuantile == nil ? 0 : 1))
    let l2 = Upward.inflate(Double(squaredSensitivity).squareRoot(), relative: 4 * Upward.unit)
    let noise = DiscreteGaussianSum(
      variance: variance, count: 1, l2: l2, l1: Upward.inflate(l2 * coordinates.squareRoot(), relative: 8 * Upward.unit),
      dimension: Int(coordinates))
    return samplingRate < 1 ? .poissonSampled(samplingRate: samplingRate, .discreteGaussianSum(noise)) : .discreteGaussianSum(noise)
  }

  /// ε of `steps` steps at `delta`, rounded up.
  /// - Throws: `.parameterOutOfRange`.
  public func epsilon(steps: Int, delta: Double) throws(AccountingError) -> Double {
    var accountant = try RenyiAccountant(relation: .addOrRemove)
    try accountant.compose(event, count: steps)
    return try accountant.epsilon(delta: delta).epsilon
  }

  /// What draws the noise.
  /// - Throws: `.parameterOutOfRange` beyond the sampler's range.
  public func sampler() throws(AccountingError) -> NoiseSampler {
    guard let whole = Int(exactly: variance) else {
      throw AccountingError(.parameterOutOfRange, "the variance of a step's noise is beyond 2^63 squared grid steps")
    }
    return try NoiseSampler(.discreteGaussian, variance: Rational(BigInteger(whole)))
  }

  /// The least noise multiplier with which `steps` steps stay within (epsilon, delta).
  /// - Throws: `.targetOutOfReach`, `.parameterOutOfRange`.
  public static func calibrated(
    epsilon: Double, delta: Double, steps: Int, samplingRate: Double, clipQuantile: Double? = nil, dimension: Int
  ) throws(AccountingError) -> RecordMechanism {
    let scale = try RecordMechanism(samplingRate: samplingRate, noiseMultiplier: 1, clipQuantile: clipQuantile, dimension: dimension)
    let least = try Calibration.noiseMultiplier(epsilon: epsilon, delta: delta) {
      .repeated(scale.with(noiseMultiplier: $0).event, count: steps)
    }
    return try RecordMechanism(
      samplingRate: samplingRate, noiseMultiplier: max(least, noiseMultiplierRange.lowerBound), clipQuantile: clipQuantile,
      dimension: dimension)
  }

  /// The same with other noise, whatever its range: for a search.
  private func with(noiseMultiplier: Double) -> RecordMechanism { RecordMechanism(self, noiseMultiplier) }

  private init(_ other: RecordMechanism, _ noiseMultiplier: Double) {
    (samplingRate, clipQuantile, dimension) = (other.samplingRate, other.clipQuantile, other.dimension)
    self.noiseMultiplier = noiseMultiplier
  }
}
