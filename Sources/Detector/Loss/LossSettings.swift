// What of the hyper-parameters shapes the loss: gains and balances of its parts, and the form of its cross-entropies.

/// Gains and balances of the three loss parts.
public struct LossGains: Equatable, Sendable {
  public var box: Double
  public var objectness: Double
  public var classification: Double
  /// Weight of each level's objectness, from the finest grid to the coarsest.
  public var balance: [Double]

  public init(box: Double, objectness: Double, classification: Double, balance: [Double] = [4, 1, 0.4]) {
    self.box = box
    self.objectness = objectness
    self.classification = classification
    self.balance = balance
  }

  /// Scaled by class count, by image size (pixels, long side) and by number of levels, as YOLOv5 scales them.
  /// - Precondition: 1 to 5 levels.
  public init(_ hyper: HyperParameters, classes: Int, imageSize: Int, levels: Int = 3) {
    precondition((1...5).contains(levels))
    let size = Double(imageSize) / 640
    let share = 3 / Double(levels)
    box = hyper.boxGain * share
    objectness = size * size * hyper.objectnessGain * share
    classification = hyper.classGain * Double(classes) / 80 * share
    balance = levels == 3 ? [4, 1, 0.4] : Array([4, 1, 0.25, 0.06, 0.02].prefix(levels))
  }

  /// The defaults for three levels.
  public static func standard(classes: Int, imageSize: Int) -> LossGains {
    LossGains(HyperParameters(), classes: classes, imageSize: imageSize)
  }
}

/// The form of the loss: how targets are assigned and how cross-entropies are taken.
public struct LossTerms: Equatable, Sendable {
  /// A box and an anchor match where neither side differs by this factor or more.
  public var anchorRatioMax = 4.0
  /// ε of the classes' targets: 1 − ε/2 for the label's class, ε/2 for the others.
  public var labelSmoothing = 0.0
  public var classPositiveWeight = 1.0
  public var objectnessPositiveWeight = 1.0
  /// Exponent of the focal factor in both cross-entropies, 0 for none.
  public var focalGamma = 0.0

  public init() {}

  public init(_ hyper: HyperParameters) {
    anchorRatioMax = hyper.anchorRatioMax
    labelSmoothing = hyper.labelSmoothing
    classPositiveWeight = hyper.classPositiveWeight
    objectnessPositiveWeight = hyper.objectnessPositiveWeight
    focalGamma = hyper.focalGamma
  }
}
