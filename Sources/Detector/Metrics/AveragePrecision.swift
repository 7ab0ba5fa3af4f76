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

  /// Steps of confidence, and of recall, at which curves are read.
  static let steps = 1000

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
  public func scores() -> DetectionScores { evaluated().scores }

  /// The curves of everything added so far.
  public func curves() -> CurveSet { evaluated().curves }

  /// Both at once: each ranks all detections.
  public func evaluated() -> (scores: DetectionScores, curves: CurveSet) {
    let classes = classCurves()
    let curves = CurveSet(classes: classes.map(\.curves))
    let best = classes.isEmpty ? 0 : Self.smoothedPeak(curves.meanF1)
    let scores = DetectionScores(
      classes: classes.map { found in
        let precision = found.curves.precision[best]
        let recall = found.curves.recall[best]
        return DetectionScores.ClassScores(
          classIndex: found.curves.classIndex, labels: found.curves.labels, precision: precision, recall: recall,
          f1: Self.f1(precision, recall), averagePrecision: found.average)
      })
    return (scores, curves)
  }

  /// By class that has labels: its curves, and average precision per threshold.
  private func classCurves() -> [(curves: CurveSet.ClassCurves, average: [Double])] {
    var ranked: [Int: [Scored]] = [:]
    let order = scored.indices.sorted {
      let (a, b) = (scored[$0].confidence, scored[$1].confidence)
      return a != b ? a > b : $0 < $1
    }
    for index in order { ranked[scored[index].classIndex, default: []].append(scored[index]) }
    return labelCounts.keys.sorted().map { Self.curves($0, ranked[$0] ?? [], labels: labelCounts[$0] ?? 0) }
  }

  /// The curves of one class at IoU 0.5, and average precision per threshold.
  private static func curves(
    _ classIndex: Int, _ ranked: [Scored], labels: Int
  ) -> (curves: CurveSet.ClassCurves, average: [Double]) {
    let zeros = [Double](repeating: 0, count: steps)
    let thresholds = DetectionMatching.thresholds.count
    var curves = CurveSet.ClassCurves(
      classIndex: classIndex, labels: labels, precision: zeros, recall: zeros, precisionByRecall: zeros, averagePrecision: 0)
    guard !ranked.isEmpty, labels > 0 else { return (curves, [Double](repeating: 0, count: thresholds)) }
    var average: [Double] = []
    for threshold in 0..<thresholds {
      var right = 0.0
      var precision: [Double] = []
      var recall: [Double] = []
      for (index, detection) in ranked.enumerated() {
        if detection.correct >> UInt16(threshold) & 1 == 1 { right += 1 }
        precision.append(right / Double(index + 1))
        recall.append(right / (Double(labels) + 1e-16))
      }
      let envelope = envelope(precision: precision, recall: recall)
      average.append(area(envelope))
      guard threshold == 0 else { continue }
      // Confidence falls along the list, so both axes are negated for the interpolation.
      let axis = ranked.map { -$0.confidence }
      for (step, confidence) in CurveSet.confidences.enumerated() {
        curves.precision[step] = interpolate(-confidence, axis, precision, below: 1)
        curves.recall[step] = interpolate(-confidence, axis, recall, below: 0)
      }
      curves.precisionByRecall = CurveSet.recalls.map { interpolate($0, envelope.recall, envelope.precision, below: 1) }
      curves.averagePrecision = average[0]
    }
    return (curves, average)
  }

  /// Precision made non-increasing along recall, between (0, 1) and (1, 0).
  private static func envelope(precision: [Double], recall: [Double]) -> (recall: [Double], precision: [Double]) {
    var envelope = [1] + precision + [0]
    for index in stride(from: envelope.count - 2, through: 0, by: -1) {
      envelope[index] = max(envelope[index], envelope[index + 1])
    }
    return ([0] + recall + [1], envelope)
  }

  /// Area under the precision envelope, read at 101 recalls and summed by the trapezoid rule.
  private static func area(_ envelope: (recall: [Double], precision: [Double])) -> Double {
    let points = (0...100).map { interpolate(Double($0) / 100, envelope.recall, envelope.precision, below: 1) }
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

  static func f1(_ precision: Double, _ recall: Double) -> Double {
    2 * precision * recall / (precision + recall + 1e-16)
  }

  /// The step where a curve, smoothed over a tenth of its range, is highest.
  static func smoothedPeak(_ curve: [Double]) -> Int {
    let half = curve.count / 20
    var best = 0
    var bestSum = -Double.infinity
    for step in curve.indices {
      var sum = 0.0
      for neighbour in (step - half)...(step + half) { sum += curve[min(max(neighbour, 0), curve.count - 1)] }
      if sum > bestSum { (best, bestSum) = (step, sum) }
    }
    return best
  }
}
