// YOLOv5's segmentation loss: the detection loss and, for every matched box, the cross-entropy of its mask inside its labelled box. A
// mask is the box's coefficients times the prototypes. Plain loops in double precision over the boxes' own pixels.

import Foundation

/// The objects of a batch as one plane per image: 0 is background, k the image's k-th target; where objects overlap, one of them.
public struct MaskPlanes: Sendable {
  public let batch: Int
  public let height: Int
  public let width: Int
  /// `[image][y][x]`.
  public let objects: [Int32]

  /// - Precondition: `objects` has `batch * height * width` values.
  public init(batch: Int, height: Int, width: Int, objects: [Int32]) {
    precondition(objects.count == batch * height * width)
    (self.batch, self.height, self.width, self.objects) = (batch, height, width, objects)
  }
}

/// The loss of a segmentation model.
public struct SegmentationLoss: Sendable {
  public let detection: DetectionLoss

  /// - Parameter anchors: anchor sizes per level in grid units, finest level first.
  public init(classes: Int, anchors: [[SIMD2<Float>]], gains: LossGains, terms: LossTerms = LossTerms()) {
    detection = DetectionLoss(classes: classes, anchors: anchors, gains: gains, terms: terms, coefficients: ModelSpec.prototypes)
  }

  /// Loss and gradient of a network's outputs: three maps, then the prototypes.
  ///
  /// `mask` is the masks' part with its gain, per image; `parts.total` holds it too.
  /// - Parameter masks: planes of the prototypes' size, objects numbered in the order of their image's `targets`.
  public func evaluate(
    outputs: [FeatureMap], targets: [Target], masks: MaskPlanes
  ) -> (parts: LossParts, mask: Double, gradients: [FeatureMap]) {
    let prototypes = outputs[outputs.count - 1]
    let maps = Array(outputs.dropLast())
    precondition(prototypes.anchors == 1 && prototypes.outputs == ModelSpec.prototypes)
    precondition((masks.batch, masks.height, masks.width) == (prototypes.batch, prototypes.height, prototypes.width))
    var (parts, gradients) = detection.evaluate(maps: maps, targets: targets)
    var prototypeGradient = [Double](repeating: 0, count: prototypes.values.count)
    var mask = 0.0
    for (level, map) in maps.enumerated() {
      let matches = detection.levels[level].matches(targets: targets, width: map.width, height: map.height)
      let matched = matches.reduce(into: [Int: Int]()) { $0[$1.image, default: 0] += 1 }
      for match in matches {
        let at = map.index(image: match.image, y: match.cellY, x: match.cellX, anchor: match.anchor, output: 5 + detection.classes)
        let box = MaskBox(match, map: map, masks: masks)
        // Mean over the image's matches and all pixels, over the share of the image that the box covers.
        let scale = 1 / (Double(matched[match.image] ?? 1) * Double(masks.height * masks.width) * box.area)
        mask +=
          scale
          * addMask(
            match, box, map.values[at..<(at + ModelSpec.prototypes)], prototypes, masks, scale: scale * detection.gains.box,
            slope: &gradients[level].values, at: at, prototypeSlope: &prototypeGradient)
      }
    }
    mask *= detection.gains.box / Double(prototypes.batch)
    parts.total += mask * Double(prototypes.batch)
    var last = prototypes
    last.values = prototypeGradient.map(Float.init)
    return (parts, mask, gradients + [last])
  }

  /// Cross-entropy of one mask, summed over the pixels of its box; adds the slopes of `scale` times it.
  private func addMask(
    _ match: Match, _ box: MaskBox, _ coefficients: ArraySlice<Float>, _ prototypes: FeatureMap, _ masks: MaskPlanes, scale: Double,
    slope: inout [Float], at: Int, prototypeSlope: inout [Double]
  ) -> Double {
    let factors = coefficients.map(Double.init)
    var slopes = [Double](repeating: 0, count: factors.count)
    var sum = 0.0
    for y in box.rows {
      for x in box.columns {
        let pixel = (match.image * masks.height + y) * masks.width + x
        let from = pixel * factors.count
        var logit = 0.0
        for index in factors.indices { logit += factors[index] * Double(prototypes.values[from + index]) }
        let truth = masks.objects[pixel] == Int32(match.object) ? 1.0 : 0.0
        sum += crossEntropy(logit: logit, truth: truth)
        let change = (sigmoid(logit) - truth) * scale
        for index in factors.indices {
          slopes[index] += change * Double(prototypes.values[from + index])
          prototypeSlope[from + index] += change * factors[index]
        }
      }
    }
    for index in slopes.indices { slope[at + index] += Float(slopes[index]) }
    return sum
  }
}

/// A labelled box on the mask plane.
private struct MaskBox {
  /// Pixels whose index is at least the low side and below the high side.
  let rows: Range<Int>
  let columns: Range<Int>
  /// As a fraction of the image.
  let area: Double

  init(_ match: Match, map: FeatureMap, masks: MaskPlanes) {
    let (w, h) = (match.w / Float(map.width), match.h / Float(map.height))
    let x = (Float(match.cellX) + match.x) / Float(map.width)
    let y = (Float(match.cellY) + match.y) / Float(map.height)
    func pixels(_ centre: Float, _ size: Float, _ count: Int) -> Range<Int> {
      let low = min(max(((centre - size / 2) * Float(count)).rounded(.up), 0), Float(count))
      let high = min(max(((centre + size / 2) * Float(count)).rounded(.up), low), Float(count))
      return Int(low)..<Int(high)
    }
    rows = pixels(y, h, masks.height)
    columns = pixels(x, w, masks.width)
    area = Double(w) * Double(h)
  }
}
