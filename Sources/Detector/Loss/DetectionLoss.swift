// YOLOv5's detection loss over three raw maps: box (1 − CIoU), objectness and class cross-entropy, with the gradient
// in every raw output. Invariant: sums are taken in double precision in a fixed order, so a batch has one loss.

import Foundation

/// The parts of a loss; `box`, `objectness` and `classification` with their gains, per image.
public struct LossParts: Equatable, Sendable {
  public var box: Double
  public var objectness: Double
  public var classification: Double
  /// Sum of the parts times the batch size: what the gradients belong to.
  public var total: Double
}

/// The detection loss of one model.
public struct DetectionLoss: Sendable {
  public let classes: Int
  public let gains: LossGains
  public let terms: LossTerms
  /// Mask coefficients at the end of each prediction, which this loss leaves alone.
  let coefficients: Int
  let levels: [TargetAssignment]
  private let classEntropy: BinaryCrossEntropy
  private let objectnessEntropy: BinaryCrossEntropy

  /// - Parameter anchors: anchor sizes per level in grid units, finest level first.
  public init(classes: Int, anchors: [[SIMD2<Float>]], gains: LossGains, terms: LossTerms = LossTerms()) {
    self.init(classes: classes, anchors: anchors, gains: gains, terms: terms, coefficients: 0)
  }

  /// The loss that `hyper` asks for.
  /// - Parameter imageSize: long side of the network's input in pixels.
  public init(classes: Int, anchors: [[SIMD2<Float>]], hyper: HyperParameters, imageSize: Int) {
    let gains = LossGains(hyper, classes: classes, imageSize: imageSize, levels: anchors.count)
    self.init(classes: classes, anchors: anchors, gains: gains, terms: LossTerms(hyper))
  }

  init(classes: Int, anchors: [[SIMD2<Float>]], gains: LossGains, terms: LossTerms, coefficients: Int) {
    precondition(classes > 0 && anchors.count == gains.balance.count, "one balance factor per level")
    self.classes = classes
    self.gains = gains
    self.terms = terms
    self.coefficients = coefficients
    levels = anchors.map { TargetAssignment(anchors: $0, shapeRatioMax: Float(terms.anchorRatioMax)) }
    classEntropy = BinaryCrossEntropy(positiveWeight: terms.classPositiveWeight, focalGamma: terms.focalGamma)
    objectnessEntropy = BinaryCrossEntropy(positiveWeight: terms.objectnessPositiveWeight, focalGamma: terms.focalGamma)
  }

  /// The loss of raw maps (values laid out [image][y][x][anchor][output]) and its gradient in each raw value.
  ///
  /// Targets hold boxes as fractions of the input; image and class indices must be in range (a bug otherwise).
  public func evaluate(maps: [FeatureMap], targets: [Target]) -> (parts: LossParts, gradients: [FeatureMap]) {
    precondition(maps.count == levels.count, "one map per level")
    let batch = maps[0].batch
    precondition(targets.allSatisfy { (0..<batch).contains($0.image) && (0..<classes).contains($0.classIndex) })
    var box = 0.0
    var objectness = 0.0
    var classification = 0.0
    var gradients: [FeatureMap] = []
    for (level, map) in maps.enumerated() {
      precondition(map.batch == batch && map.outputs == 5 + classes + coefficients && map.anchors == levels[level].anchors.count)
      let matches = levels[level].matches(targets: targets, width: map.width, height: map.height)
      var gradient = map
      let parts = map.values.withUnsafeBufferPointer { raw in
        gradient.values.withUnsafeMutableBufferPointer { slope in
          evaluate(level: level, map: map, raw: raw, slope: slope, matches: matches)
        }
      }
      box += parts.box
      objectness += parts.objectness
      classification += parts.classification
      gradients.append(gradient)
    }
    let parts = LossParts(
      box: box * gains.box, objectness: objectness * gains.objectness,
      classification: classification * gains.classification,
      total: (box * gains.box + objectness * gains.objectness + classification * gains.classification) * Double(batch))
    return (parts, gradients)
  }

  private func evaluate(
    level: Int, map: FeatureMap, raw: UnsafeBufferPointer<Float>, slope: UnsafeMutableBufferPointer<Float>,
    matches: [Match]
  ) -> (box: Double, objectness: Double, classification: Double) {
    let batch = Double(map.batch)
    slope.update(repeating: 0)
    var objectnessTargets = [Float](repeating: 0, count: map.batch * map.height * map.width * map.anchors)
    var box = 0.0
    var classification = 0.0
    let boxScale = gains.box * batch / Double(matches.count)
    let classScale = gains.classification * batch / Double(matches.count * classes)
    let (positive, negative) = (1 - 0.5 * terms.labelSmoothing, 0.5 * terms.labelSmoothing)
    for match in matches {
      let cell = ((match.image * map.height + match.cellY) * map.width + match.cellX) * map.anchors + match.anchor
      let outputs = cell * map.outputs
      let anchor = levels[level].anchors[match.anchor]
      let iou = addBoxSlope(match, anchor, raw: raw, slope: slope, at: outputs, scale: boxScale)
      box += 1 - iou
      objectnessTargets[cell] = Float(max(iou, 0))
      guard classes > 1 else { continue }
      for index in 0..<classes {
        let position = outputs + 5 + index
        let part = classEntropy.evaluate(logit: Double(raw[position]), truth: index == match.classIndex ? positive : negative)
        classification += part.value
        slope[position] += Float(part.slope * classScale)
      }
    }
    if !matches.isEmpty {
      box /= Double(matches.count)
      classification /= Double(matches.count * classes)
    }
    let objectness = addObjectnessSlope(level: level, map: map, raw: raw, slope: slope, targets: objectnessTargets)
    return (box, objectness, classification)
  }

  /// CIoU of one match; adds the slope of its box loss to the four raw box outputs at `at`.
  private func addBoxSlope(
    _ match: Match, _ anchor: SIMD2<Float>, raw: UnsafeBufferPointer<Float>,
    slope: UnsafeMutableBufferPointer<Float>, at: Int, scale: Double
  ) -> Double {
    let s = SIMD4(
      sigmoid(Double(raw[at])), sigmoid(Double(raw[at + 1])), sigmoid(Double(raw[at + 2])),
      sigmoid(Double(raw[at + 3])))
    let width = Double(anchor.x)
    let height = Double(anchor.y)
    // A size that underflows would make the aspect ratio 0/0; a billionth of a cell keeps every term finite.
    let predicted = SIMD4(
      2 * s.x - 0.5, 2 * s.y - 0.5, max(4 * s.z * s.z * width, 1e-9), max(4 * s.w * s.w * height, 1e-9))
    let labelled = SIMD4(Double(match.x), Double(match.y), Double(match.w), Double(match.h))
    let iou = CompleteIoU(predicted: predicted, labelled: labelled)
    let decodeSlope = SIMD4(2, 2, 8 * s.z * width, 8 * s.w * height) * s * (1 - s)
    let change = iou.gradient * decodeSlope * -scale
    for index in 0..<4 {
      slope[at + index] += Float(change[index])
    }
    return iou.value
  }

  /// Objectness is taken over every cell, so this is the one loop whose length grows with the image.
  private func addObjectnessSlope(
    level: Int, map: FeatureMap, raw: UnsafeBufferPointer<Float>, slope: UnsafeMutableBufferPointer<Float>,
    targets: [Float]
  ) -> Double {
    let scale = gains.balance[level] / Double(targets.count)
    let slopeScale = Float(scale * gains.objectness * Double(map.batch))
    var sum = 0.0
    var position = 4
    guard objectnessEntropy.isPlain else {
      for target in targets {
        let part = objectnessEntropy.evaluate(logit: Double(raw[position]), truth: Double(target))
        sum += part.value
        slope[position] = Float(part.slope) * slopeScale
        position &+= map.outputs
      }
      return sum * scale
    }
    for target in targets {
      let logit = raw[position]
      let small = exp(-abs(logit))
      sum += Double(max(logit, 0) - logit * target + log1p(small))
      let probability = (logit >= 0 ? 1 : small) / (1 + small)
      slope[position] = (probability - target) * slopeScale
      position &+= map.outputs
    }
    return sum * scale
  }
}
