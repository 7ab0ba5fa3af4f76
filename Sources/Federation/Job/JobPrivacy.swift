// From what the operator's file asks for to the noise of a job (spec/12, "Choosing the constants"; spec/13, "Choosing the noise").
import DPAccountant
import SecAgg

extension JobPlan.Privacy {
  /// The noise with which all rounds together just keep to the file's epsilon.
  /// - Throws: where no noise does.
  public static func planned(_ config: FederatedConfig) throws(AccountingError) -> JobPlan.Privacy {
    config.privacy.unit == .record ? try plannedForRecords(config) : try plannedForSites(config)
  }

  /// Each failed attempt that was paid for costs a round.
  private static func plannedForSites(_ config: FederatedConfig) throws(AccountingError) -> JobPlan.Privacy {
    let (epsilon, delta) = (config.privacy.epsilon ?? 0, config.privacy.delta ?? 0)
    // Also where the sites will be too few for a random graph: how many come is not known yet.
    let left = delta - Double(config.training.rounds) * PrivacyAccount.graphFailure
    guard left > 0 else {
      throw AccountingError(.targetOutOfReach, "delta is below what the graphs of all rounds may fail with, 2^-40 each")
    }
    let least = try Calibration.noiseMultiplier(epsilon: epsilon, delta: left) { multiplier in
      .repeated(.gaussian(noiseMultiplier: multiplier), count: config.training.rounds)
    }
    // Noise on a fine grid costs a little more than Gaussian noise; far less than this.
    return JobPlan.Privacy(
      clip: config.privacy.clip ?? FederatedConfig.Privacy.clipUsual, noiseMultiplier: least * (1 + 1e-6), epsilon: epsilon, delta: delta)
  }

  private static func plannedForRecords(_ config: FederatedConfig) throws(AccountingError) -> JobPlan.Privacy {
    let (epsilon, delta) = (config.privacy.epsilon ?? 0, config.privacy.delta ?? 0)
    let records = Records(
      samplingRate: config.privacy.samplingRate ?? FederatedConfig.Privacy.samplingRateUsual, clipQuantile: config.privacy.clipQuantile,
      lotSize: config.privacy.lotSize ?? config.training.batchSize)
    let steps =
      config.training.rounds
      * records.stepsPerRound(
        localEpochs: config.training.localEpochs, roundsPerEpoch: config.training.roundsPerEpoch)
    // How many values are trained makes no difference to one discrete Gaussian.
    let mechanism = try RecordMechanism.calibrated(
      epsilon: epsilon, delta: delta, steps: steps, samplingRate: records.samplingRate, clipQuantile: records.clipQuantile, dimension: 1)
    return JobPlan.Privacy(
      clip: config.privacy.clip ?? FederatedConfig.Privacy.clipUsual, noiseMultiplier: mechanism.noiseMultiplier, epsilon: epsilon,
      delta: delta, records: records)
  }

  /// The unit's name, as configurations and policies say it.
  public var unit: FederatedConfig.Privacy.Unit { records == nil ? .site : .record }

  /// What is promised, in words.
  public var guarantee: String {
    switch unit {
    case .site:
      "one site's updates in all rounds, each there or replaced by zero: epsilon \(epsilon) at delta \(delta), against the server with the "
        + "roster's colluders; computational, and if the other sites add their noise"
    case .record:
      "one image of one site, added or removed: epsilon \(epsilon) at delta \(delta) over all rounds, against everybody who sees what the "
        + "site sends; an image that several sites hold, or a patient with several images, has less"
    }
  }
}

extension JobPlan.Privacy.Records {
  /// Steps of one round: local epochs over q, or the largest part of 1/q where rounds are parts of an epoch.
  func stepsPerRound(localEpochs: Int, roundsPerEpoch: Int) -> Int {
    let epoch = Int((1 / samplingRate).rounded(.up))
    return roundsPerEpoch > 1 ? (epoch + roundsPerEpoch - 1) / roundsPerEpoch : localEpochs * epoch
  }
}

extension JobPlan {
  /// A round has no more noised steps than this.
  static let recordStepsMax = 1 << 30

  /// The noise of one step of a site's trainer; nil where steps carry none.
  public var recordMechanism: RecordMechanism? {
    guard let privacy, let records = privacy.records else { return nil }
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
  public var recordStepsPerRound: Int? { privacy?.records.map(recordSteps) }

  /// What an input of a plan costs; nil for a job without privacy. With privacy by record it is what the training cost: another attempt
  /// with the same result costs nothing.
  public func charge(for plan: RoundPlan) -> PrivacyCharge? {
    guard let mechanism = recordMechanism, let steps = recordStepsPerRound else { return PrivacyCharge(plan) }
    return PrivacyCharge(mechanism, steps: steps)
  }
}
