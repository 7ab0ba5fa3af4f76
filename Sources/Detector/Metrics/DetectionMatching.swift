// Which detections of one image count as right at which IoU threshold (COCO's ten, YOLOv5's pairing rule).
// Invariant: a label is used once and a detection is right for one label at most, at every threshold.

/// A labelled box in the same pixels as the detections it is compared with.
public struct LabelledBox: Equatable, Sendable {
  /// Left, top, right, bottom.
  public var box: SIMD4<Float>
  public var classIndex: Int

  public init(box: SIMD4<Float>, classIndex: Int) {
    self.box = box
    self.classIndex = classIndex
  }
}

/// Pairs detections with labels.
public enum DetectionMatching {
  /// IoU .5, .55 … .95.
  public static let thresholds: [Float] = (0..<10).map { Float(0.5 + 0.05 * Double($0)) }

  private struct Pair {
    var label: Int
    var detection: Int
    var iou: Float
  }

  /// For each detection (most confident first) whether it is right: bit i belongs to `thresholds[i]`.
  ///
  /// Pairs of one class with enough overlap are sorted by it; each detection keeps its best label, then each label its
  /// most confident detection.
  public static func correct(detections: [Detection], labels: [LabelledBox]) -> [UInt16] {
    var result = [UInt16](repeating: 0, count: detections.count)
    var pairs: [Pair] = []
    for (label, truth) in labels.enumerated() {
      for (index, detection) in detections.enumerated() where detection.classIndex == truth.classIndex {
        let overlap = iou(truth.box, detection.box)
        if overlap >= thresholds[0] { pairs.append(Pair(label: label, detection: index, iou: overlap)) }
      }
    }
    pairs.sort { $0.iou != $1.iou ? $0.iou > $1.iou : ($0.label, $0.detection) < ($1.label, $1.detection) }
    for (level, threshold) in thresholds.enumerated() {
      var labelOf = [Int?](repeating: nil, count: detections.count)
      for pair in pairs where pair.iou >= threshold && labelOf[pair.detection] == nil {
        labelOf[pair.detection] = pair.label
      }
      var isUsed = [Bool](repeating: false, count: labels.count)
      for (index, label) in labelOf.enumerated() {
        guard let label, !isUsed[label] else { continue }
        isUsed[label] = true
        result[index] |= 1 << UInt16(level)
      }
    }
    return result
  }

  static func iou(_ a: SIMD4<Float>, _ b: SIMD4<Float>) -> Float {
    let width = max(min(a.z, b.z) - max(a.x, b.x), 0)
    let height = max(min(a.w, b.w) - max(a.y, b.y), 0)
    let intersection = width * height
    let union = (a.z - a.x) * (a.w - a.y) + (b.z - b.x) * (b.w - b.y) - intersection
    return intersection / (union + 1e-7)
  }
}
