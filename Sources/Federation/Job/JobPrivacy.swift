// From what the operator's file asks for to the noise of a job (spec/12-noised-rounds.md, "Choosing the constants").
import DPAccountant

extension JobPlan.Privacy {
  /// The noise with which all rounds together just keep to the file's epsilon; each failed attempt that was paid for costs a round.
  /// - Throws: where no noise does.
  public static func planned(_ config: FederatedConfig) throws(AccountingError) -> JobPlan.Privacy {
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
}
