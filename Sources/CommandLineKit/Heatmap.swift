// A table of shares as colours, with the numbers inside where they fit: a confusion matrix.

public struct Heatmap: Chart {
  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var columns: [String]
  public var rows: [String]
  /// `[row][column]`, 0 to 1; others are drawn as 0 or 1, or not at all where they are no number.
  public var values: [[Double]]
  /// Words under the pointer, `[row][column]`; empty for none.
  public var tips: [[String]]

  /// - Precondition: `values` has a row for each of `rows` and a value for each of `columns`; `tips` likewise, or is empty.
  public init(_ title: String, x: String, y: String, columns: [String], rows: [String], values: [[Double]], tips: [[String]] = []) {
    precondition(!columns.isEmpty && values.count == rows.count && values.allSatisfy { $0.count == columns.count })
    precondition(tips.isEmpty || tips.count == rows.count && tips.allSatisfy { $0.count == columns.count })
    (self.title, xLabel, yLabel) = (title, x, y)
    (self.columns, self.rows, self.values, self.tips) = (columns, rows, values, tips)
  }

  /// Names longer than this many pixels are cut.
  private static let nameWidthMax = 150.0
  /// Smallest cell with room for a number of two decimals, and for its zero before the point.
  private static let cellWithNumber = 24.0
  private static let cellWithZero = 34.0

  private var cell: Double { min(60, max(7, 620 / Double(max(columns.count, rows.count)))) }
  private func nameWidth(_ names: [String]) -> Double {
    min(Self.nameWidthMax, Double(names.map(\.count).max() ?? 0) * SVG.letterWidth) + 10
  }
  /// Names under the columns lie flat where all fit.
  private var isFlat: Bool { nameWidth(columns) <= cell }
  private var left: Double { 34 + nameWidth(rows) }
  private let top = 46.0
  private var right: Double { left + cell * Double(columns.count) }
  private var bottom: Double { top + cell * Double(rows.count) }

  public var width: Double { max(right + 76, left + 8 * Double(title.count)) }
  public var height: Double { bottom + (isFlat ? 24 : nameWidth(columns)) + 32 }

  public func elements() -> [String] {
    var out = [SVG.text("p-title", x: left, y: 24, title)]
    for (row, line) in values.enumerated() {
      for (column, value) in line.enumerated() where value.isFinite {
        let (x, y) = (left + cell * Double(column), top + cell * Double(row))
        let tip = tips.isEmpty ? "" : tips[row][column]
        guard value > 0 || !tip.isEmpty else { continue }
        out.append(SVG.rectangle("p-cell", x: x, y: y, width: cell, height: cell, opacity: value, tip: tip))
        guard cell >= Self.cellWithNumber, value >= 0.005 else { continue }
        let kind = value > 0.55 ? "p-inverse" : "p-value"
        let number = Text.fixed(value, 2)
        let words = cell < Self.cellWithZero && number.hasPrefix("0") ? String(number.dropFirst()) : number
        out.append(SVG.text(kind, x: x + cell / 2, y: y + cell / 2 + 4, anchor: "middle", words))
      }
    }
    out.append(SVG.rectangle("p-frame", x: left, y: top, width: right - left, height: bottom - top))
    return out + names() + scale()
  }

  private func names() -> [String] {
    var out: [String] = []
    // Cells that are lower than a line of text have only each second, third, … name.
    let step = max(1, Int((13 / cell).rounded(.up)))
    for (row, name) in rows.enumerated() where row.isMultiple(of: step) || row == rows.count - 1 {
      let y = top + cell * (Double(row) + 0.5) + 4
      out.append(SVG.text("p-tick", x: left - 8, y: y, anchor: "end", SVG.fitted(name, width: Self.nameWidthMax)))
    }
    for (column, name) in columns.enumerated() where column.isMultiple(of: step) || column == columns.count - 1 {
      let x = left + cell * (Double(column) + 0.5)
      let words = SVG.fitted(name, width: Self.nameWidthMax)
      out.append(
        isFlat
          ? SVG.text("p-tick", x: x, y: bottom + 18, anchor: "middle", words)
          : SVG.turned("p-tick", x: x + 4, y: bottom + 8, degrees: -90, anchor: "end", words))
    }
    out.append(SVG.text("p-label", x: (left + right) / 2, y: height - 12, anchor: "middle", xLabel))
    out.append(SVG.turned("p-label", x: 16, y: (top + bottom) / 2, degrees: -90, yLabel))
    return out
  }

  /// What the colours mean.
  private func scale() -> [String] {
    var out: [String] = []
    let (x, steps) = (right + 20, 20)
    let step = (bottom - top) / Double(steps)
    for index in 0..<steps {
      let value = (Double(steps - index) - 0.5) / Double(steps)
      out.append(SVG.rectangle("p-cell", x: x, y: top + step * Double(index), width: 14, height: step, opacity: value))
    }
    out.append(SVG.rectangle("p-frame", x: x, y: top, width: 14, height: bottom - top))
    for value in [0, 0.5, 1] {
      out.append(SVG.text("p-tick", x: x + 20, y: bottom - (bottom - top) * value + 4, Text.fixed(value, 1)))
    }
    return out
  }
}
