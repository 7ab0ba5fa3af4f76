// Charts side by side in one picture.

public struct ChartGrid: Chart {
  public var title: String
  public var charts: [any Chart]
  public var columns: Int

  /// - Precondition: there is at least one column.
  public init(_ title: String, _ charts: [any Chart], columns: Int) {
    precondition(columns > 0)
    (self.title, self.charts, self.columns) = (title, charts, columns)
  }

  private static let gap = 12.0
  private static let top = 40.0

  private func chart(_ row: Int, _ column: Int) -> (any Chart)? {
    let index = row * columns + column
    return charts.indices.contains(index) && column < columns ? charts[index] : nil
  }
  private var rows: Int { (charts.count + columns - 1) / columns }
  private var widths: [Double] { (0..<columns).map { column in (0..<rows).compactMap { chart($0, column)?.width }.max() ?? 0 } }
  private var heights: [Double] { (0..<rows).map { row in (0..<columns).compactMap { chart(row, $0)?.height }.max() ?? 0 } }

  public var width: Double { widths.reduce(Self.gap) { $0 + $1 + Self.gap } }
  public var height: Double { heights.reduce(Self.top) { $0 + $1 + Self.gap } }

  public func elements() -> [String] {
    var out = [SVG.text("p-title", x: Self.gap + 12, y: 26, title)]
    let (widths, heights) = (widths, heights)
    for row in heights.indices {
      for column in widths.indices {
        guard let chart = chart(row, column) else { continue }
        let x = widths[..<column].reduce(Self.gap) { $0 + $1 + Self.gap }
        let y = heights[..<row].reduce(Self.top) { $0 + $1 + Self.gap }
        out.append("<g transform=\"translate(\(SVG.number(x)) \(SVG.number(y)))\">")
        out += chart.elements()
        out.append("</g>")
      }
    }
    return out
  }
}
