// results.csv as small pictures side by side: losses in training and validation, and the scores, by epoch.

import CommandLineKit

enum ResultsChart {
  /// Columns of YOLOv5's file and what they are called here, in the order of the pictures.
  private static let panels: [(column: String, title: String)] = [
    ("train/box_loss", "Box loss, training"), ("train/obj_loss", "Objectness loss, training"), ("train/cls_loss", "Class loss, training"),
    ("metrics/precision", "Precision"), ("metrics/recall", "Recall"), ("val/box_loss", "Box loss, validation"),
    ("val/obj_loss", "Objectness loss, validation"), ("val/cls_loss", "Class loss, validation"), ("metrics/mAP_0.5", "mAP@0.5"),
    ("metrics/mAP_0.5:0.95", "mAP@0.5:0.95"),
  ]

  /// The chart of a file's text. Cells that are empty or no number are left out: epochs that were not validated.
  static func make(_ text: String) -> ChartGrid {
    let lines = text.split(whereSeparator: \.isNewline).map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).map { $0.filter { !$0.isWhitespace } }
    }
    let heading = lines.first ?? []
    let epochs = heading.firstIndex(of: "epoch")
    let charts: [any Chart] = panels.map { panel in
      let column = heading.firstIndex(of: panel.column)
      let points = lines.dropFirst().enumerated().compactMap { number, cells -> Plot.Point? in
        guard let column, column < cells.count, let value = Double(cells[column]), value.isFinite else { return nil }
        let epoch = epochs.flatMap { $0 < cells.count ? Double(cells[$0]) : nil } ?? Double(number)
        return Plot.Point(epoch, value)
      }
      let isScore = panel.column.hasPrefix("metrics/")
      var plot = Plot(panel.title, x: "epoch", y: "", series: [Plot.Series(panel.title, points, color: isScore ? 2 : 0)])
      (plot.width, plot.height) = (300, 240)
      if let best = points.max(by: { $0.y < $1.y }), isScore {
        plot.xLabel = "epoch (best: \(Text.fixed(best.y, 3)) in epoch \(Text.fixed(best.x, 0)))"
      }
      return plot
    }
    return ChartGrid("Training by epoch", charts, columns: 5)
  }
}
