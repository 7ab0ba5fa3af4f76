// Cross-entropy of one logit as YOLOv5's hyper-parameters shape it: a weight on positives, and the focal factor that quiets what is
// already told apart (Lin et al. 2017, "Focal Loss for Dense Object Detection", α = 0.25). Truths may lie between 0 and 1.

import Foundation

/// A cross-entropy with its derivative.
struct BinaryCrossEntropy: Equatable, Sendable {
  /// Weight of the positive part, above 0.
  var positiveWeight = 1.0
  /// Exponent of the focal factor, 0 for none.
  var focalGamma = 0.0

  /// Share of positives in the focal factor.
  private static let alpha = 0.25

  /// Neither weight nor focal factor.
  var isPlain: Bool { positiveWeight == 1 && focalGamma == 0 }

  /// The loss of a logit, and its derivative in the logit.
  @inline(__always)
  func evaluate(logit: Double, truth: Double) -> (value: Double, slope: Double) {
    let probability = sigmoid(logit)
    guard !isPlain else { return (crossEntropy(logit: logit, truth: truth), probability - truth) }
    let (value, slope) = weighted(logit: logit, truth: truth, probability: probability)
    guard focalGamma > 0 else { return (value, slope) }
    // How far the probability lies from the truth, and its slope; the quotient of the two stays finite where both vanish.
    let distance = truth * (1 - probability) + (1 - truth) * probability
    guard distance > 0 else { return (0, 0) }
    let distanceSlope = (1 - 2 * truth) * probability * (1 - probability)
    let factor = (truth * Self.alpha + (1 - truth) * (1 - Self.alpha)) * pow(distance, focalGamma)
    return (value * factor, (slope + value * focalGamma * distanceSlope / distance) * factor)
  }

  /// −(w·t·log p + (1 − t)·log(1 − p)), without overflow.
  private func weighted(logit: Double, truth: Double, probability: Double) -> (value: Double, slope: Double) {
    let weight = 1 + (positiveWeight - 1) * truth
    let softplus = log1p(exp(-abs(logit))) + max(-logit, 0)
    return ((1 - truth) * logit + weight * softplus, weight * probability - positiveWeight * truth)
  }
}

@inline(__always)
func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

@inline(__always)
func crossEntropy(logit: Double, truth: Double) -> Double {
  max(logit, 0) - logit * truth + log1p(exp(-abs(logit)))
}
