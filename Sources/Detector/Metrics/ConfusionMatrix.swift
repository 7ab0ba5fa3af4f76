// What was taken for what: labels against detections of any class, one row and one column more for the background. Invariant: a label
// counts once in its column and a detection once in its row, whatever overlaps what.

/// Counts of (detected class, true class) over many images.
public struct ConfusionMatrix: Equatable, Sendable {
  public let classes: Int
  /// Detections must be more confident than this.
  public let confidenceMin: Float
  /// Overlap that a pair must exceed.
  public let iouMin: Float
  /// `[detected][true]`; index `classes` is the background: labels that were missed in the last row, false alarms in the last column.
  public private(set) var counts: [[Int]]

  /// Thresholds as in YOLOv5.
  public init(classes: Int, confidenceMin: Float = 0.25, iouMin: Float = 0.45) {
    precondition(classes > 0)
    (self.classes, self.confidenceMin, self.iouMin) = (classes, confidenceMin, iouMin)
    counts = [[Int]](repeating: [Int](repeating: 0, count: classes + 1), count: classes + 1)
  }

  /// Adds one image.
  ///
  /// Pairs with enough overlap, of whatever class, are sorted by it; each detection keeps its best label, then each label its best
  /// detection. False alarms count in every image: YOLOv5 v7.0 leaves out those of images where nothing matched.
  public mutating func add(detections: [Detection], labels: [LabelledBox]) {
    let found = detections.filter { $0.confidence > confidenceMin && (0..<classes).contains($0.classIndex) }
    var pairs: [(iou: Float, label: Int, detection: Int)] = []
    for (label, truth) in labels.enumerated() {
      for (index, detection) in found.enumerated() {
        let iou = DetectionMatching.iou(truth.box, detection.box)
        if iou > iouMin { pairs.append((iou, label, index)) }
      }
    }
    pairs.sort { $0.iou != $1.iou ? $0.iou > $1.iou : ($0.label, $0.detection) < ($1.label, $1.detection) }
    var isTaken = [Bool](repeating: false, count: found.count)
    var detectionOf = [Int?](repeating: nil, count: labels.count)
    // Sorted by overlap, a detection's first pair is its best; of those, a label's first is its best.
    for pair in pairs where !isTaken[pair.detection] {
      isTaken[pair.detection] = true
      if detectionOf[pair.label] == nil { detectionOf[pair.label] = pair.detection }
    }
    for (label, truth) in labels.enumerated() where (0..<classes).contains(truth.classIndex) {
      counts[detectionOf[label].map { found[$0].classIndex } ?? classes][truth.classIndex] += 1
    }
    let matched = Set(detectionOf.compactMap { $0 })
    for (index, detection) in found.enumerated() where !matched.contains(index) { counts[detection.classIndex][classes] += 1 }
  }

  /// The share of each true class (column) that was taken for each class; columns without a count are zero.
  public var shares: [[Double]] {
    let sums = (0...classes).map { column in counts.reduce(0) { $0 + $1[column] } }
    return counts.map { row in zip(row, sums).map { $1 > 0 ? Double($0) / Double($1) : 0 } }
  }
}
