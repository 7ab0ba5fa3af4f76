// Cross-entropy of class scores with label smoothing (Szegedy et al. 2016, section 7): the target is 1 − ε on the label plus ε spread
// evenly over all classes.

import Foundation

/// The loss of a classifier.
public struct ClassificationLoss: Sendable {
  /// ε, at least 0 and below 1.
  public let smoothing: Double

  public init(smoothing: Double = 0.1) {
    precondition(smoothing >= 0 && smoothing < 1)
    self.smoothing = smoothing
  }

  /// Mean loss of a batch and its gradient.
  /// - Parameters:
  ///   - scores: a classifier's output, one cell per image.
  ///   - labels: class of each image, each in range (a bug otherwise).
  public func evaluate(scores: FeatureMap, labels: [Int]) -> (loss: Double, gradient: FeatureMap) {
    let classes = scores.outputs
    precondition(scores.height == 1 && scores.width == 1 && scores.anchors == 1 && labels.count == scores.batch)
    precondition(labels.allSatisfy { (0..<classes).contains($0) })
    var gradient = scores
    var loss = 0.0
    for (image, label) in labels.enumerated() {
      let logits = scores.values[(image * classes)..<((image + 1) * classes)].map(Double.init)
      let largest = logits.max() ?? 0
      let logSum = largest + log(logits.reduce(0) { $0 + exp($1 - largest) })
      for (index, logit) in logits.enumerated() {
        let truth = (index == label ? 1 - smoothing : 0) + smoothing / Double(classes)
        loss += truth * (logSum - logit)
        gradient.values[image * classes + index] = Float((exp(logit - logSum) - truth) / Double(scores.batch))
      }
    }
    return (loss / Double(scores.batch), gradient)
  }
}
