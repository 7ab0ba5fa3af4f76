// The server's step where sites send sums of gradients (spec/13, "The form distributed"): stochastic gradient descent along the noised
// mean, with decay of the weights and a schedule over the job's rounds. It sees the noised sum alone: nothing here costs privacy.
import Foundation
import Safetensors

extension JobPlan {
  /// The learning rate of a round: from 0 up over the warm-up, which is a tenth of all rounds at most, and down along the schedule.
  public func learningRate(round: UInt32) -> Double {
    let (done, all) = (Double(max(round, 1) - 1), Double(rounds))
    let (share, last) = (done / all, training.finalLearningRateFraction)
    let decay = training.cosine ? last + (1 - last) * (1 + cos(.pi * share)) / 2 : 1 - share * (1 - last)
    let perEpoch = privacy?.records.map { (1 / $0.samplingRate).rounded(.up) } ?? 1
    let warmup = min(training.warmupEpochs * perEpoch, all / 10)
    return training.learningRate * decay * min(1, (done + 1) / max(warmup, 1))
  }

  /// The change of the weights that a round's sums make, before momentum: −rate · (g + decay · w), g the mean gradient of a lot. Biases and
  /// norms, the tensors of one dimension, do not decay.
  /// - Parameters:
  ///   - mean: the mean over the sites of their sums of clipped gradients.
  ///   - weights: of the round, same length.
  /// - Precondition: a job that sums gradients.
  public func gradientStep(mean: [Double], weights: [Float], layout: WeightsLayout, round: UInt32) -> [Double] {
    precondition(mean.count == weights.count, "gradient and weights have different lengths")
    guard let lotSize = privacy?.records?.lotSize else { preconditionFailure("a job whose sites send trained weights") }
    let rate = learningRate(round: round)
    var step = mean.map { -rate * $0 / Double(lotSize) }
    for slot in layout.slots where slot.section == .parameters && slot.shape.count > 1 {
      for index in slot.offset..<slot.offset + slot.count { step[index] -= rate * training.weightDecay * Double(weights[index]) }
    }
    return step
  }
}
