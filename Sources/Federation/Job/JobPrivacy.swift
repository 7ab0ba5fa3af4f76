// From what the operator's file asks for to the noise of a job (spec/12, "Choosing the constants"; spec/13, "Choosing the noise").
import DPAccountant
import SecAgg

extension JobPlan.Privacy {
  /// The noise with which all rounds together just keep to the file's epsilon.
  /// - Throws: where no noise does.
  public static func planned(_ config: FederatedConfig) throws(AccountingError) -> JobPlan.Privacy {
    let asked = config.privacy
    let noise = asked.mechanism.flatMap(Noise.init) ?? .discreteGaussian
    let records = asked.unit == .site ? nil : Records(config)
    let multiplier =
      if let records, records.form == .local { try localNoise(config, records) } else { try sharedNoise(config, noise, records) }
    return JobPlan.Privacy(
      clip: asked.clip ?? FederatedConfig.Privacy.clipUsual, noiseMultiplier: multiplier, epsilon: asked.epsilon ?? 0,
      delta: asked.delta ?? 0, noise: noise, records: records)
  }

  /// Of sums: each failed attempt that was paid for costs a round.
  private static func sharedNoise(
    _ config: FederatedConfig, _ noise: Noise, _ records: Records?
  ) throws(AccountingError) -> Double {
    // Graphs of many sites fail with 2^-40 a round; also where the sites will be too few for one, for how many come is not known yet.
    let left = (config.privacy.delta ?? 0) - Double(config.training.rounds) * PrivacyAccount.graphFailure
    guard left > 0 else {
      throw AccountingError(.targetOutOfReach, "delta is below what the graphs of all rounds may fail with, 2^-40 each")
    }
    let least = try Calibration.noiseMultiplier(epsilon: config.privacy.epsilon ?? 0, delta: left) { multiplier in
      .repeated(noise.event(multiplier, samplingRate: records?.samplingRate ?? 1), count: config.training.rounds)
    }
    // A round's grid is coarser, and its noise in shares costs a little more; far less than this.
    return least * (1 + 1e-6)
  }

  /// Of the steps of a site's trainer.
  private static func localNoise(_ config: FederatedConfig, _ records: Records) throws(AccountingError) -> Double {
    let perRound = records.stepsPerRound(localEpochs: config.training.localEpochs, roundsPerEpoch: config.training.roundsPerEpoch)
    // How many values are trained makes no difference to one discrete Gaussian.
    return try RecordMechanism.calibrated(
      epsilon: config.privacy.epsilon ?? 0, delta: config.privacy.delta ?? 0, steps: config.training.rounds * perRound,
      samplingRate: records.samplingRate, clipQuantile: records.clipQuantile, dimension: 1
    ).noiseMultiplier
  }

  /// The unit's name, as configurations and policies say it.
  public var unit: FederatedConfig.Privacy.Unit { records == nil ? .site : .record }

  /// What is promised, in words.
  public var guarantee: String {
    switch unit {
    case .site:
      "one site's updates in all rounds, each there or replaced by zero: epsilon \(epsilon) at delta \(delta), against the server with the "
        + "roster's colluders; computational, and if the other sites add their noise"
    case .record where records?.form == .distributed:
      "one image of one site, added or removed: epsilon \(epsilon) at delta \(delta) over all rounds, against the server with the roster's "
        + "colluders; computational, and if the other sites add their noise; an image that several sites hold, or a patient with several "
        + "images, has less"
    case .record:
      "one image of one site, added or removed: epsilon \(epsilon) at delta \(delta) over all rounds, against everybody who sees what the "
        + "site sends; an image that several sites hold, or a patient with several images, has less"
    }
  }
}

extension JobPlan.Privacy.Noise {
  /// A release on a fine grid with `multiplier` times the sensitivity of noise, after sampling where there is any.
  fileprivate func event(_ multiplier: Double, samplingRate: Double) -> NoiseEvent {
    // Whatever the dimension, up to 2^28: it matters on coarse grids only.
    let (l2, l1) = (0x1p20, 0x1p34)
    let variance = multiplier * multiplier * l2 * l2
    let release: NoiseEvent =
      switch self {
      // Of Gaussian noise any order is known; after sampling integer ones are, as for the discrete noise that is drawn.
      case .discreteGaussian where samplingRate == 1: .gaussian(noiseMultiplier: multiplier)
      case .discreteGaussian:
        .discreteGaussianSum(DiscreteGaussianSum(variance: variance, count: 1, l2: l2, l1: l1, dimension: 1 << 28))
      case .skellam: .skellam(SkellamNoise(variance: variance, l2: l2, l1: l1))
      }
    return samplingRate < 1 ? .poissonSampled(samplingRate: samplingRate, release) : release
  }
}

extension JobPlan.Privacy.Records {
  fileprivate init(_ config: FederatedConfig) {
    self.init(
      samplingRate: config.privacy.samplingRate ?? FederatedConfig.Privacy.samplingRateUsual, clipQuantile: config.privacy.clipQuantile,
      lotSize: config.privacy.lotSize ?? config.training.batchSize, form: config.privacy.form)
  }

  /// Steps of one round: local epochs over q, or the largest part of 1/q where rounds are parts of an epoch; one where sites share noise.
  func stepsPerRound(localEpochs: Int, roundsPerEpoch: Int) -> Int {
    guard form == .local else { return 1 }
    let epoch = Int((1 / samplingRate).rounded(.up))
    return roundsPerEpoch > 1 ? (epoch + roundsPerEpoch - 1) / roundsPerEpoch : localEpochs * epoch
  }
}

extension JobPlan {
  /// A round has no more noised steps than this.
  static let recordStepsMax = 1 << 30

  /// The noise of one step of a site's trainer; nil where steps carry none.
  public var recordMechanism: RecordMechanism? {
    guard let privacy, let records = privacy.records, records.form == .local else { return nil }
    return try? recordMechanism(privacy, records)
  }

  func recordMechanism(_ privacy: Privacy, _ records: Privacy.Records) throws(AccountingError) -> RecordMechanism {
    try RecordMechanism(
      samplingRate: records.samplingRate, noiseMultiplier: privacy.noiseMultiplier, clipQuantile: records.clipQuantile,
      dimension: parameterCount)
  }

  func recordSteps(_ records: Privacy.Records) -> Int {
    records.stepsPerRound(localEpochs: training.localEpochs, roundsPerEpoch: training.roundsPerEpoch)
  }

  /// Noised steps of one round at a site, at most; nil where steps carry no noise.
  public var recordStepsPerRound: Int? { recordMechanism == nil ? nil : privacy?.records.map(recordSteps) }

  /// What an input of a plan costs; nil for a job without privacy. Where trainers noise their steps it is what the training cost: another
  /// attempt with the same result costs nothing.
  public func charge(for plan: RoundPlan) -> PrivacyCharge? {
    guard let mechanism = recordMechanism, let steps = recordStepsPerRound else { return PrivacyCharge(plan) }
    return PrivacyCharge(mechanism, steps: steps)
  }
}
