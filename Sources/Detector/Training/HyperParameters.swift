// YOLOv5's hyper-parameters: what each is called in its yaml files, what it means here, and the values that v7.0 trains with from
// scratch ("low"). Invariant: one table holds every key with its range, so a file, a flag and a job are held to the same rules.

/// What a run trains with besides its data: rates, gains of the loss, strength of the augmentation. Comments give the yaml's keys.
public struct HyperParameters: Equatable, Sendable, Codable {
  /// `lr0`, and `lrf`: the rate at the end as a fraction of it.
  public var learningRate = 0.01
  public var finalRateFraction = 0.01
  /// Of SGD, or the decay of Adam's and AdamW's mean gradient.
  public var momentum = 0.937
  public var weightDecay = 5e-4
  public var warmupEpochs = 3.0
  public var warmupMomentum = 0.8
  /// `warmup_bias_lr`: rate of the biases at the first iteration, SGD only.
  public var warmupBiasRate = 0.1
  /// `box`, `cls`, `obj`: gains of the three parts of the loss, for 640 pixels, 80 classes and 3 levels.
  public var boxGain = 0.05
  public var classGain = 0.5
  public var objectnessGain = 1.0
  /// `cls_pw`, `obj_pw`: weight of positives in the cross-entropies.
  public var classPositiveWeight = 1.0
  public var objectnessPositiveWeight = 1.0
  /// `iou_t`: read and kept; v7.0's training does not use it either.
  public var iouThreshold = 0.2
  /// `anchor_t`: a box and an anchor match where neither side differs by this factor or more.
  public var anchorRatioMax = 4.0
  /// `fl_gamma`: exponent of the focal loss (Lin et al. 2017), 0 for plain cross-entropy.
  public var focalGamma = 0.0
  /// `hsv_h`, `hsv_s`, `hsv_v`: largest relative change.
  public var hue = 0.015
  public var saturation = 0.7
  public var value = 0.4
  /// Largest rotation either way, in degrees.
  public var degrees = 0.0
  /// Largest shift, as a fraction of the image.
  public var translate = 0.1
  /// Scale is uniform in 1 ± this.
  public var scale = 0.5
  /// Largest shear either way, in degrees.
  public var shear = 0.0
  /// Largest change of the homogeneous coordinate a pixel.
  public var perspective = 0.0
  /// `flipud`, `fliplr`: probabilities of a mirror image.
  public var flipUpDown = 0.0
  public var flipLeftRight = 0.5
  /// Probability of a mosaic, and of a second one mixed into it.
  public var mosaic = 1.0
  public var mixup = 0.0
  /// `copy_paste`: probability that an object is copied by its polygon. Needs polygons, so a detector's training refuses it.
  public var copyPaste = 0.0
  public var labelSmoothing = 0.0
  /// `anchors`: anchors a level, to be fitted anew; nil keeps the model's unless they suit the labels badly.
  public var anchors: Int?

  public init() {}
}

extension HyperParameters {
  /// A number of the yaml: its key, its name in messages, where it is kept, and what it may be.
  struct Field: Sendable {
    let key: String
    let name: String
    let path: any WritableKeyPath<HyperParameters, Double> & Sendable
    let low: Double
    let high: Double
    var isLowExcluded = false
    var isHighExcluded = false

    func accepts(_ value: Double) -> Bool {
      (isLowExcluded ? value > low : value >= low) && (isHighExcluded ? value < high : value <= high)
    }

    /// "from 0 to below 1".
    var rule: String {
      switch (isLowExcluded, isHighExcluded) {
      case (false, false): "from \(short(low)) to \(short(high))"
      case (false, true): "from \(short(low)) to below \(short(high))"
      case (true, false): "above \(short(low)) and at most \(short(high))"
      case (true, true): "above \(short(low)) and below \(short(high))"
      }
    }

    private func short(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? "\(value)" }
  }

  /// Every numeric key in the order of YOLOv5's files.
  static let fields: [Field] = [
    Field(key: "lr0", name: "learning rate", path: \.learningRate, low: 0, high: 10, isLowExcluded: true),
    Field(key: "lrf", name: "final learning rate fraction", path: \.finalRateFraction, low: 0, high: 1),
    Field(key: "momentum", name: "momentum", path: \.momentum, low: 0, high: 1, isHighExcluded: true),
    Field(key: "weight_decay", name: "weight decay", path: \.weightDecay, low: 0, high: 1),
    Field(key: "warmup_epochs", name: "number of warm-up epochs", path: \.warmupEpochs, low: 0, high: 1000),
    Field(key: "warmup_momentum", name: "warm-up momentum", path: \.warmupMomentum, low: 0, high: 1, isHighExcluded: true),
    Field(key: "warmup_bias_lr", name: "warm-up rate of biases", path: \.warmupBiasRate, low: 0, high: 10),
    Field(key: "box", name: "box gain", path: \.boxGain, low: 0, high: 1000),
    Field(key: "cls", name: "class gain", path: \.classGain, low: 0, high: 1000),
    Field(key: "cls_pw", name: "weight of class positives", path: \.classPositiveWeight, low: 0, high: 1000, isLowExcluded: true),
    Field(key: "obj", name: "objectness gain", path: \.objectnessGain, low: 0, high: 1000),
    Field(
      key: "obj_pw", name: "weight of objectness positives", path: \.objectnessPositiveWeight, low: 0, high: 1000, isLowExcluded: true),
    Field(key: "iou_t", name: "IoU threshold", path: \.iouThreshold, low: 0, high: 1),
    Field(key: "anchor_t", name: "anchor ratio", path: \.anchorRatioMax, low: 1, high: 100, isLowExcluded: true),
    Field(key: "fl_gamma", name: "focal loss exponent", path: \.focalGamma, low: 0, high: 10),
    Field(key: "hsv_h", name: "hue change", path: \.hue, low: 0, high: 1),
    Field(key: "hsv_s", name: "saturation change", path: \.saturation, low: 0, high: 1),
    Field(key: "hsv_v", name: "value change", path: \.value, low: 0, high: 1),
    Field(key: "degrees", name: "rotation", path: \.degrees, low: 0, high: 180),
    Field(key: "translate", name: "translation", path: \.translate, low: 0, high: 1),
    Field(key: "scale", name: "scale change", path: \.scale, low: 0, high: 1, isHighExcluded: true),
    Field(key: "shear", name: "shear", path: \.shear, low: 0, high: 60),
    Field(key: "perspective", name: "perspective", path: \.perspective, low: 0, high: 0.001),
    Field(key: "flipud", name: "probability of upside-down images", path: \.flipUpDown, low: 0, high: 1),
    Field(key: "fliplr", name: "probability of mirror images", path: \.flipLeftRight, low: 0, high: 1),
    Field(key: "mosaic", name: "probability of a mosaic", path: \.mosaic, low: 0, high: 1),
    Field(key: "mixup", name: "probability of a mixture", path: \.mixup, low: 0, high: 1),
    Field(key: "copy_paste", name: "probability of copied objects", path: \.copyPaste, low: 0, high: 1),
    Field(key: "label_smoothing", name: "label smoothing", path: \.labelSmoothing, low: 0, high: 1, isHighExcluded: true),
  ]

  /// Anchors a level that a file may ask for; the yaml's number is rounded first, as v7.0 does.
  static let anchorsRange = 1...10

  /// - Throws: `TrainingError.badJob` naming the first number that is out of range.
  func validate() throws(TrainingError) {
    for field in Self.fields where !field.accepts(self[keyPath: field.path]) {
      throw TrainingError(.badJob, "\(field.name) must be \(field.rule)", hint: "choose another value")
    }
    guard copyPaste == 0 else {
      throw TrainingError(.badJob, "copy_paste needs polygons, and a detector is trained with boxes", hint: "set copy_paste to 0")
    }
    guard anchors.map(Self.anchorsRange.contains) ?? true else {
      throw TrainingError(.badJob, "anchors a level must be from 1 to \(Self.anchorsRange.upperBound)", hint: "choose another value")
    }
  }
}
