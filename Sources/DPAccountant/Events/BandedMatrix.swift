// Banded matrix factorisation: Cx + z is released row by row, C lower triangular with b bands, and what it costs, by reduction to Gaussian
// releases that other theorems price (Choquette-Choo, Ganesh, McKenna, McMahan, Rush, Thakurta, Xu 2023; spec/10, "Banded matrix
// factorisation"). The sensitivity is computed from the matrix.

public struct BandedMatrixFactorisation: Hashable, Sendable {
  /// In which steps a record is, which is public.
  public enum Participation: Hashable, Sendable {
    /// In at most `atMost` steps, any two of them at least `separation` apart.
    case separated(separation: Int, atMost: Int)
    /// Records lie in `groups` groups, which are public; step i draws from group i mod `groups`, each record of it independently with
    /// probability groups · `samplingRate`: the sampling rate is the share of all records that a step takes on average.
    case sampledGroups(groups: Int, samplingRate: Double)
  }

  /// Standard deviation of each entry of z over the L2 sensitivity of one step's x.
  public var noiseMultiplier: Double
  /// Rows and columns of C.
  public var steps: Int
  /// c_0, c_1, …: C's entry in row i and column j is c_{i−j}, 0 beyond the list. Columns near the end, which are cut off, may be scaled up
  /// to the norm of the first one.
  public var coefficients: [Double]
  public var participation: Participation

  public init(noiseMultiplier: Double, steps: Int, coefficients: [Double], participation: Participation) {
    (self.noiseMultiplier, self.steps, self.coefficients) = (noiseMultiplier, steps, coefficients)
    self.participation = participation
  }
}

extension BandedMatrixFactorisation {
  static let bandsMax = 10_000
  static let stepsMax = 1_000_000_000

  /// Gaussian releases that cost at least as much.
  /// - Throws: `.parameterOutOfRange`; `.unsupportedEvent` for steps of a record that lie closer than the bands, for which no theorem is
  ///   implemented.
  func reduced() throws(AccountingError) -> NoiseEvent {
    func require(_ holds: Bool, _ reason: String) throws(AccountingError) {
      guard holds else { throw AccountingError(.parameterOutOfRange, reason) }
    }
    try require((1...Self.stepsMax).contains(steps), "a banded matrix has 1 to 10^9 steps")
    try require((1...Self.bandsMax).contains(coefficients.count), "a banded matrix has 1 to 10000 coefficients")
    try require(coefficients.allSatisfy { abs($0) <= 1e9 }, "a coefficient is a number of magnitude 1e9 or less")
    try EventRange.check(.gaussian(noiseMultiplier: noiseMultiplier))
    // What is below the last row does not exist.
    let column = coefficients.prefix(steps)
    guard let last = column.lastIndex(where: { $0 != 0 }) else {
      throw AccountingError(.parameterOutOfRange, "a banded matrix has a coefficient that is not 0")
    }
    let (bands, square) = (last + 1, column.reduce(0.0) { Upward.add($0, Upward.multiply($1, $1)) })
    switch participation {
    case .separated(let separation, let atMost):
      try require(separation >= 1 && atMost >= 1, "a record's steps are at least 1 apart, and it is in at least one")
      try Self.requireDisjoint(bands, separation, "steps of a record that are at least as far apart as there are bands")
      let count = min(atMost, (steps - 1) / separation + 1)
      return .gaussian(noiseMultiplier: try multiplier(squaredSensitivity: Upward.multiply(Double(count), square)))
    case .sampledGroups(let groups, let samplingRate):
      try require(groups >= 1, "there is at least one group")
      try Self.requireDisjoint(bands, groups, "at least as many groups as there are bands")
      let rate = Double(groups) * samplingRate
      try require(samplingRate >= 0 && rate <= 1, "a sampling rate lies in 0 ... 1 / groups")
      let release = NoiseEvent.gaussian(noiseMultiplier: try multiplier(squaredSensitivity: square))
      let raised = rate == 0 ? 0 : rate.nextUp
      return .repeated(raised < 1 ? .poissonSampled(samplingRate: raised, release) : release, count: (steps - 1) / groups + 1)
    }
  }

  private static func requireDisjoint(_ bands: Int, _ distance: Int, _ what: String) throws(AccountingError) {
    guard distance >= bands else {
      throw AccountingError(.unsupportedEvent, "a banded matrix is accounted for with \(what): \(distance) is below \(bands)")
    }
  }

  /// The noise multiplier over the sensitivity, rounded down.
  private func multiplier(squaredSensitivity square: Double) throws(AccountingError) -> Double {
    let multiplier = (noiseMultiplier / square.squareRoot().nextUp).nextDown
    guard EventRange.noiseMultiplier.contains(multiplier) else {
      throw AccountingError(.parameterOutOfRange, "the noise multiplier over the matrix's sensitivity lies in 1e-6 ... 1e9")
    }
    return multiplier
  }
}
