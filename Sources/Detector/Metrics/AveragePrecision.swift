// Mean average precision over classes and IoU thresholds (COCO's 101-point interpolation of the precision envelope), and
// precision and recall where the smoothed mean F1 is highest. Invariant: only classes that have labels count.

/// How well detections agree with labels.
public struct DetectionScores: Equatable, Sendable {
  public struct ClassScores: Equatable, Sendable {
    public var classIndex: Int
    /// Number of labels of this class.
    public var labels: Int
    public var precision: Double
    public var recall: Double
    public var f1: Double
    /// Average precision per IoU threshold .5, .55 … .95.
    public var averagePrecision: [Double]

    public var map50: Double { averagePrecision[0] }
    public var map: Double { averagePrecision.reduce(0, +) / Double(averagePrecision.count) }
    /// Right detections at the confidence that `precision` and `recall` belong to.
    public var truePositives: Double { (recall * Double(labels)).rounded(.toNearestOrEven) }
    public var falsePositives: Double {
      (truePositives / (precision + 1e-16) - truePositives).rounded(.toNearestOrEven)
    }
  }

  /// Classes with labels, by index.
  public var classes: [ClassScores]
  public var precision: Double { mean { $0.precision } }
  public var recall: Double { mean { $0.recall } }
  /// Mean average precision at IoU 0.5.
  public var map50: Double { mean { $0.map50 } }
  /// Mean average precision, averaged over IoU .5 to .95.
  public var map: Double { mean { $0.map } }
  /// The number that the best weights are chosen by.
  public var fitness: Double { 0.1 * map50 + 0.9 * map }

  private func mean(_ value: (ClassScores) -> Double) -> Double {
    classes.isEmpty ? 0 : classes.reduce(0) { $0 + value($1) } / Double(classes.count)
  }
}

/// Collects the detections and labels of many images, and scores them.
public struct AveragePrecision: Sendable {
  private struct Scored {
    var confidence: Double
    var classIndex: Int
    /// Bit per IoU threshold.
    var correct: UInt16
  }

  private var scored: [Scored] = []
  private var labelCounts: [Int: Int] = [:]

  /// Steps of confidence at which precision and recall are read.
  private static let confidenceSteps = 1000

  public init() {}

  /// Adds one image; detections most confident first.
  public mutating func add(detections: [Detection], labels: [LabelledBox]) {
    for label in labels { labelCounts[label.classIndex, default: 0] += 1 }
    let correct = DetectionMatching.correct(detections: detections, labels: labels)
    for (detection, row) in zip(detections, correct) {
      scored.append(
        Scored(confidence: Double(detection.confidence), classIndex: detection.classIndex, correct: row))
    }
  }

  /// The scores of everything added so far; all zero where nothing was found rightly.
  public func scores() -> DetectionScores {
    let classes = labelCounts.keys.sorted()
    let order = scored.indices.sorted {
      let (a, b) = (scored[$0].confidence, scored[$1].confidence)
      return a != b ? a > b : $0 < $1
    }
    var precisions: [[Double]] = []
    var recalls: [[Double]] = []
    var averages: [[Double]] = []
    for classIndex in classes {
      let ranked = order.lazy.map { scored[$0] }.filter { $0.classIndex == classIndex }
      let curves = Self.curves(Array(ranked), labels: labelCounts[classIndex] ?? 0)
      precisions.append(curves.precision)
      recalls.append(curves.recall)
      averages.append(curves.average)
    }
    let best = Self.bestStep(precisions, recalls)
    return DetectionScores(
      classes: classes.enumerated().map { position, classIndex in
        let precision = precisions[position][best]
        let recall = recalls[position][best]
        return DetectionScores.ClassScores(
          classIndex: classIndex, labels: labelCounts[classIndex] ?? 0, precision: precision, recall: recall,
          f1: Self.f1(precision, recall), averagePrecision: averages[position])
      })
  }

  /// Precision and recall at IoU 0.5 by confidence step, and average precision per threshold, of one class.
  private static func curves(
    _ ranked: [Scored], labels: Int
  ) -> (precision: [Double], recall: [Double], average: [Double]) {
    let zeros = [Double](repeating: 0, count: confidenceSteps)
    let thresholds = DetectionMatching.thresholds.count
    guard !ranked.isEmpty, labels > 0 else { return (zeros, zeros, [Double](repeating: 0, count: thresholds)) }
    var average: [Double] = []
    var byConfidence = (precision: zeros, recall: zeros)
    for threshold in 0..<thresholds {
      var right = 0.0
      var precision: [Double] = []
      var recall: [Double] = []
      for (index, detection) in ranked.enumerated() {
        if detection.correct >> UInt16(threshold) & 1 == 1 { right += 1 }
        precision.append(right / Double(index + 1))
        recall.append(right / (Double(labels) + 1e-16))
      }
      average.append(area(precision: precision, recall: recall))
      guard threshold == 0 else { continue }
      // Confidence falls along the list, so both axes are negated for the interpolation.
      let axis = ranked.map { -$0.confidence }
      for step in 0..<confidenceSteps {
        let confidence = -Double(step) / Double(confidenceSteps - 1)
        byConfidence.precision[step] = interpolate(confidence, axis, precision, below: 1)
        byConfidence.recall[step] = interpolate(confidence, axis, recall, below: 0)
      }
    }
    return (byConfidence.precision, byConfidence.recall, average)
  }

  /// Area under the precision envelope, read at 101 recalls and summed by the trapezoid rule.
  static func area(precision: [Double], recall: [Double]) -> Double {
    let axis = [0] + recall + [1]
    var envelope = [1] + precision + [0]
    for index in stride(from: envelope.count - 2, through: 0, by: -1) {
      envelope[index] = max(envelope[index], envelope[index + 1])
    }
    let points = (0...100).map { interpolate(Double($0) / 100, axis, envelope, below: 1) }
    return zip(points, points.dropFirst()).reduce(0) { $0 + ($1.0 + $1.1) / 2 / 100 }
  }

  /// Linear interpolation over a non-decreasing axis; of equal points the last counts; `below` before the first.
  static func interpolate(_ x: Double, _ axis: [Double], _ values: [Double], below: Double) -> Double {
    // First position whose axis value exceeds x.
    var low = 0
    var high = axis.count
    while low < high {
      let middle = (low + high) / 2
      if axis[middle] <= x { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return below }
    let left = low - 1
    guard low < axis.count, axis[left] != x else { return values[left] }
    return values[left] + (values[low] - values[left]) / (axis[low] - axis[left]) * (x - axis[left])
  }

  private static func f1(_ precision: Double, _ recall: Double) -> Double {
    2 * precision * recall / (precision + recall + 1e-16)
  }

  /// The confidence step where the mean F1, smoothed over a tenth of the range, is highest.
  private static func bestStep(_ precisions: [[Double]], _ recalls: [[Double]]) -> Int {
    guard !precisions.isEmpty else { return 0 }
    let mean = (0..<confidenceSteps).map { step in
      zip(precisions, recalls).reduce(0) { $0 + f1($1.0[step], $1.1[step]) } / Double(precisions.count)
    }
    let half = confidenceSteps / 20
    var best = 0
    var bestSum = -Double.infinity
    for step in mean.indices {
      var sum = 0.0
      for neighbour in (step - half)...(step + half) { sum += mean[min(max(neighbour, 0), mean.count - 1)] }
      if sum > bestSum { (best, bestSum) = (step, sum) }
    }
    return best
  }
}
