// The curves behind the scores: precision, recall and F1 against confidence, and precision against recall, for each class that has
// labels and for their mean. All at IoU 0.5.

public struct CurveSet: Equatable, Sendable {
  public struct ClassCurves: Equatable, Sendable {
    public var classIndex: Int
    /// Number of labels of this class.
    public var labels: Int
    /// By `confidences`.
    public var precision: [Double]
    public var recall: [Double]
    /// By `recalls`: the precision envelope.
    public var precisionByRecall: [Double]
    /// Area under the precision envelope at IoU 0.5.
    public var averagePrecision: Double

    public var f1: [Double] { zip(precision, recall).map { AveragePrecision.f1($0, $1) } }
  }

  /// Classes with labels, by index.
  public var classes: [ClassCurves]

  /// 0 to 1 in equal steps.
  public static let confidences = steps
  public static let recalls = steps
  private static let steps = (0..<AveragePrecision.steps).map { Double($0) / Double(AveragePrecision.steps - 1) }

  public var meanPrecision: [Double] { mean { $0.precision } }
  public var meanRecall: [Double] { mean { $0.recall } }
  public var meanF1: [Double] { mean { $0.f1 } }
  public var meanPrecisionByRecall: [Double] { mean { $0.precisionByRecall } }
  /// mAP at IoU 0.5.
  public var map50: Double { classes.isEmpty ? 0 : classes.reduce(0) { $0 + $1.averagePrecision } / Double(classes.count) }

  /// The confidence where the mean F1 is highest, and that F1; smoothed over a tenth of the range, as the scores are.
  public var best: (confidence: Double, f1: Double) {
    let mean = meanF1
    guard !classes.isEmpty else { return (0, 0) }
    let step = AveragePrecision.smoothedPeak(mean)
    return (Self.confidences[step], mean[step])
  }

  private func mean(_ curve: (ClassCurves) -> [Double]) -> [Double] {
    var sums = [Double](repeating: 0, count: AveragePrecision.steps)
    for found in classes { for (step, value) in curve(found).enumerated() { sums[step] += value } }
    return sums.map { $0 / Double(max(classes.count, 1)) }
  }
}
