// Early stopping as v7.0 has it: training ends when the fitness (.1·mAP50 + .9·mAP) has not reached its best for `patience` epochs.

/// Watches the fitness of validated epochs.
public struct EarlyStopping: Equatable, Sendable, Codable {
  /// Epochs without a new best after which training ends; 0 for never.
  public let patience: Int
  public private(set) var bestFitness = 0.0
  public private(set) var bestEpoch = 0

  public init(patience: Int) {
    precondition(patience >= 0)
    self.patience = patience
  }

  /// True if training should end after `epoch`.
  public mutating func ends(epoch: Int, fitness: Double) -> Bool {
    if fitness >= bestFitness { (bestFitness, bestEpoch) = (fitness, epoch) }
    return patience > 0 && epoch - bestEpoch >= patience
  }
}
