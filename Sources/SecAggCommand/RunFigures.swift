// The figures of a run folder, under YOLOv5's names but as SVG: curves, confusion matrix, labels, and losses and scores by epoch. Every
// function takes values and writes one kind of file, so that a run writes what it has.

import CommandLineKit
import Detector
import Foundation

struct RunFigures {
  /// The run folder; it exists.
  let folder: String
  /// Class names by index.
  let names: [String]

  /// More classes than this are grey lines without names, and the mean.
  private static let namedClassesMax = 20
  /// More bars, rows and columns than this say nothing.
  private static let barsMax = 40
  private static let matrixClassesMax = 100

  /// Writes `PR_curve.svg`, `P_curve.svg`, `R_curve.svg` and `F1_curve.svg`.
  /// - Throws: `CommandError` TN-06 where a file cannot be written, as all functions here.
  func write(_ curves: CurveSet) throws(CommandError) {
    let best = curves.best
    let mean = Text.fixed(curves.map50, 3)
    try write(
      plot(
        "Precision by recall", x: "recall", y: "precision", CurveSet.recalls, curves.meanPrecisionByRecall, "all classes \(mean) mAP@0.5",
        curves, { $0.precisionByRecall }, { Text.fixed($0.averagePrecision, 3) }), "PR_curve.svg")
    let byConfidence = CurveSet.confidences
    try write(
      plot(
        "Precision by confidence", x: "confidence", y: "precision", byConfidence, curves.meanPrecision,
        "all classes \(peak(curves.meanPrecision))", curves, { $0.precision }, { _ in "" }), "P_curve.svg")
    try write(
      plot(
        "Recall by confidence", x: "confidence", y: "recall", byConfidence, curves.meanRecall, "all classes \(peak(curves.meanRecall))",
        curves, { $0.recall }, { _ in "" }), "R_curve.svg")
    var f1 = plot(
      "F1 by confidence", x: "confidence", y: "F1", byConfidence, curves.meanF1,
      "all classes \(Text.fixed(best.f1, 2)) at \(Text.fixed(best.confidence, 3))", curves, { $0.f1 }, { _ in "" })
    if !curves.classes.isEmpty { f1.events = [Plot.Event(x: best.confidence, label: "best F1")] }
    try write(f1, "F1_curve.svg")
  }

  private func peak(_ curve: [Double]) -> String {
    let step = curve.indices.max { curve[$0] < curve[$1] } ?? 0
    return "\(Text.fixed(curve[step], 2)) at \(Text.fixed(CurveSet.confidences[step], 3))"
  }

  private func plot(
    _ title: String, x: String, y: String, _ axis: [Double], _ mean: [Double], _ meanName: String, _ curves: CurveSet,
    _ curve: (CurveSet.ClassCurves) -> [Double], _ remark: (CurveSet.ClassCurves) -> String
  ) -> Plot {
    let isNamed = curves.classes.count <= Self.namedClassesMax
    let strokes: [Plot.Stroke] = [.solid, .dashed, .dotted]
    var series = curves.classes.enumerated().map { index, found in
      var series = Plot.Series(
        "\(name(found.classIndex)) \(remark(found))".trimmingCharacters(in: .whitespaces),
        Self.points(axis, curve(found), every: isNamed ? 2 : 5), stroke: isNamed ? strokes[index / 7 % 3] : .solid,
        color: isNamed ? 1 + index % 7 : 5, muted: !isNamed)
      series.isUnnamed = !isNamed
      return series
    }
    var all = Plot.Series(meanName, Self.points(axis, mean, every: 1), color: 0)
    all.isBold = true
    series.append(all)
    var plot = Plot(title, x: x, y: y, series: series, yLimits: 0...1)
    plot.height = 460 + 20 * Double(isNamed ? curves.classes.count / 5 : 0)
    return plot
  }

  private static func points(_ axis: [Double], _ values: [Double], every step: Int) -> [Plot.Point] {
    axis.indices.filter { $0.isMultiple(of: step) || $0 == axis.count - 1 }.map { Plot.Point(axis[$0], values[$0]) }
  }

  private func name(_ index: Int) -> String { names.indices.contains(index) ? names[index] : "class\(index)" }

  /// Writes `confusion_matrix.svg`: shares of each true class, counts under the pointer.
  func write(_ matrix: ConfusionMatrix) throws(CommandError) {
    // Of very many classes, those with most labels.
    let labels = (0..<matrix.classes).map { column in matrix.counts.reduce(0) { $0 + $1[column] } }
    let shown = (0..<matrix.classes).sorted { (labels[$1], $0) < (labels[$0], $1) }.prefix(Self.matrixClassesMax).sorted()
    let indices = shown + [matrix.classes]
    let shares = matrix.shares
    let title = shown.count < matrix.classes ? "Confusion matrix: the \(shown.count) classes with most labels" : "Confusion matrix"
    let words = shown.map(name)
    let heatmap = Heatmap(
      title, x: "true", y: "predicted", columns: words + ["false alarm"], rows: words + ["missed"],
      values: indices.map { row in indices.map { shares[row][$0] } },
      tips: indices.map { row in
        indices.map { column in
          let count = matrix.counts[row][column]
          guard count > 0 else { return "" }
          let truth = column == matrix.classes ? "nothing" : name(column)
          return "\(truth) taken for \(row == matrix.classes ? "nothing" : name(row)): \(count)"
        }
      })
    try write(heatmap, "confusion_matrix.svg")
  }

  /// Writes `labels.svg`: how many labels each class has, their sizes, and where they lie.
  /// - Parameter labels: by image.
  func write(labels: [[Label]]) throws(CommandError) {
    let all = labels.flatMap { $0 }
    var counts = [Int](repeating: 0, count: names.count)
    for label in all where counts.indices.contains(label.classIndex) { counts[label.classIndex] += 1 }
    let order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }.prefix(Self.barsMax).sorted()
    let title = order.count < counts.count ? "Labels by class: the \(order.count) with most" : "Labels by class"
    let charts: [any Chart] = [
      BarChart(title, y: "labels", bars: order.map { .init(name($0), Double(counts[$0])) }),
      BoxOutlines(
        "Boxes, their centres together", boxes: all.map { .init(width: Double($0.w), height: Double($0.h), group: $0.classIndex) }),
      ScatterDensity(
        "Centres in the image", x: "x", y: "y", points: all.lazy.map { Plot.Point(Double($0.x), Double($0.y)) }, isYDown: true),
      ScatterDensity("Sizes of boxes", x: "width", y: "height", points: all.lazy.map { Plot.Point(Double($0.w), Double($0.h)) }),
    ]
    try write(ChartGrid("\(all.count) labels in \(labels.count) images", charts, columns: 2), "labels.svg")
  }

  /// Writes `results.svg` from `results.csv` of this run, or of YOLOv5's.
  func writeResults() throws(CommandError) {
    let path = "\(folder)/results.csv"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw CommandError(code: "TN-06", what: "\(path) cannot be read", hint: "check the path", exit: .unavailable)
    }
    try write(ResultsChart.make(text), "results.svg")
  }

  private func write(_ chart: some Chart, _ file: String) throws(CommandError) {
    let path = "\(folder)/\(file)"
    do { try Data(chart.svg(look: .paper).utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
      throw CommandError(
        code: "TN-06", what: "\(path) cannot be written", hint: "check the folder, its permissions, and free space", exit: .unavailable)
    }
  }
}
