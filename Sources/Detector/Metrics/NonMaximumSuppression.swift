// Greedy non-maximum suppression with YOLOv5's settings and single-precision arithmetic. Invariant: every threshold is
// strict, equal scores keep their order, and work is bounded by `candidatesMax` and `detectionsMax` a box pair.

/// What suppression keeps.
public struct NonMaximumSuppression: Sendable {
  /// Objectness, and objectness × class, must exceed this.
  public var confidenceMin: Float
  /// A box that overlaps a kept one of its class by more than this IoU is dropped.
  public var iouMax: Float
  /// One candidate per class above the threshold, instead of the best class only.
  public var isMultiLabel: Bool
  /// Suppress across classes.
  public var isClassAgnostic: Bool
  /// Only these classes; nil for all.
  public var classFilter: Set<Int>?
  public var detectionsMax: Int
  /// The most confident candidates that are looked at.
  public var candidatesMax = 30_000

  public init(
    confidenceMin: Float, iouMax: Float, isMultiLabel: Bool = false, isClassAgnostic: Bool = false,
    classFilter: Set<Int>? = nil, detectionsMax: Int
  ) {
    self.confidenceMin = confidenceMin
    self.iouMax = iouMax
    self.isMultiLabel = isMultiLabel
    self.isClassAgnostic = isClassAgnostic
    self.classFilter = classFilter
    self.detectionsMax = detectionsMax
  }

  /// The settings that validation scores with.
  public static let validation = NonMaximumSuppression(
    confidenceMin: 0.001, iouMax: 0.6, isMultiLabel: true, detectionsMax: 300)
  /// The settings that detection shows with.
  public static let display = NonMaximumSuppression(confidenceMin: 0.25, iouMax: 0.45, detectionsMax: 1000)

  /// Classes are kept apart by moving their boxes this many pixels per class.
  private static let classOffset: Float = 7680

  /// The kept detections, most confident first.
  public func apply(to predictions: Predictions) -> [Detection] {
    var candidates = self.candidates(predictions)
    // A stable order: the row decides between equal scores.
    let order = candidates.indices.sorted {
      let (a, b) = (candidates[$0].confidence, candidates[$1].confidence)
      return a != b ? a > b : $0 < $1
    }
    candidates = order.prefix(candidatesMax).map { candidates[$0] }
    return suppress(candidates)
  }

  private func candidates(_ predictions: Predictions) -> [Detection] {
    let classes = predictions.classes
    let outputs = predictions.outputs
    var result: [Detection] = []
    predictions.values.withUnsafeBufferPointer { values in
      for row in 0..<predictions.count {
        let base = row * outputs
        let objectness = values[base + 4]
        guard objectness > confidenceMin else { continue }
        let halfWidth = values[base + 2] / 2
        let halfHeight = values[base + 3] / 2
        let box = SIMD4(
          values[base] - halfWidth, values[base + 1] - halfHeight, values[base] + halfWidth,
          values[base + 1] + halfHeight)
        if isMultiLabel && classes > 1 {
          for index in 0..<classes {
            append(Detection(box: box, confidence: values[base + 5 + index] * objectness, classIndex: index), to: &result)
          }
        } else {
          var best = 0
          for index in 1..<max(classes, 1) where values[base + 5 + index] > values[base + 5 + best] { best = index }
          append(Detection(box: box, confidence: values[base + 5 + best] * objectness, classIndex: best), to: &result)
        }
      }
    }
    return result
  }

  private func append(_ detection: Detection, to list: inout [Detection]) {
    guard detection.confidence > confidenceMin, classFilter?.contains(detection.classIndex) ?? true else { return }
    list.append(detection)
  }

  private func suppress(_ candidates: [Detection]) -> [Detection] {
    var kept: [Detection] = []
    var boxes: [SIMD4<Float>] = []
    var areas: [Float] = []
    for candidate in candidates {
      guard kept.count < detectionsMax else { break }
      let box = isClassAgnostic ? candidate.box : candidate.box + Float(candidate.classIndex) * Self.classOffset
      let area = (box.z - box.x) * (box.w - box.y)
      let isCovered = boxes.indices.contains { index in
        let other = boxes[index]
        let width = max(min(box.z, other.z) - max(box.x, other.x), 0)
        let height = max(min(box.w, other.w) - max(box.y, other.y), 0)
        let intersection = width * height
        return intersection / (areas[index] + area - intersection) > iouMax
      }
      guard !isCovered else { continue }
      kept.append(candidate)
      boxes.append(box)
      areas.append(area)
    }
    return kept
  }
}
