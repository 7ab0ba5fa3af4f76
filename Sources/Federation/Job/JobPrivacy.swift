// From what the operator's file asks for to the noise of a job (spec/12-noised-rounds.md), and what that noise does to the sum: a figure
// that must be seen before a job begins, because few sites pay for site-level privacy with most of their model.
import DPAccountant

extension JobPlan.Privacy {
  /// The noise with which all rounds together just keep to the file's epsilon; each failed attempt that was paid for costs a round.
  /// - Throws: where no noise does.
  public static func planned(_ config: FederatedConfig) throws(AccountingError) -> JobPlan.Privacy {
    let (epsilon, delta) = (config.privacy.epsilon ?? 0, config.privacy.delta ?? 0)
    let least = try Calibration.noiseMultiplier(epsilon: epsilon, delta: delta) { multiplier in
      .repeated(.gaussian(noiseMultiplier: multiplier), count: config.training.rounds)
    }
    // Noise on a fine grid costs a little more than Gaussian noise; far less than this.
    return JobPlan.Privacy(
      clip: config.privacy.clip ?? FederatedConfig.Privacy.clipUsual, noiseMultiplier: least * (1 + 1e-6), epsilon: epsilon, delta: delta)
  }

  /// The expected L2 norm of the noise in a mean update, over the clip: the longest mean update that there can be.
  /// - Parameters:
  ///   - parameters: coordinates.
  ///   - survivors: sites in the sum, each with its share.
  ///   - shares: how many of the shares are z times the sensitivity together.
  public func noiseToSignal(parameters: Int, survivors: Int, shares: Int) -> Double {
    let perCoordinate = noiseMultiplier * (Double(survivors) / Double(shares)).squareRoot() / Double(survivors)
    return perCoordinate * Double(parameters).squareRoot()
  }
}
