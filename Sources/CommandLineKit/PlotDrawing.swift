// The drawing of a Plot: frame, grid, axes, lines, end labels and legend. Coordinates are CSS pixels from the top left.

struct PlotDrawing {
  private let plot: Plot
  private let xAxis: AxisScale
  private let yAxis: AxisScale
  private let left: Double
  private let right: Double
  private let top: Double
  private let bottom: Double
  private let legend: [[Int]]

  init(_ plot: Plot) {
    self.plot = plot
    let points = plot.series.flatMap(\.points).filter { Self.drawable($0.x) && Self.drawable($0.y) }
    let xs = points.map(\.x) + plot.events.map(\.x).filter(Self.drawable)
    var ys = points.map(\.y) + plot.levels.map(\.y).filter(Self.drawable)
    // An axis that nearly touches zero starts at zero: a cut axis exaggerates differences.
    if let low = ys.min(), let high = ys.max(), low >= 0, low < 0.6 * high { ys.append(0) }
    let whole = xs.allSatisfy { $0 == $0.rounded() }
    xAxis = AxisScale(covering: Self.range(xs), ticks: max(3, Int(plot.width / 85)), tight: true, whole: whole)
    let axis = AxisScale(covering: plot.yLimits ?? Self.range(ys), ticks: 6, tight: plot.yLimits != nil)
    let widest = axis.ticks.map { axis.label($0).count }.max() ?? 1
    yAxis = axis
    left = 34 + 7.2 * Double(widest)
    right = plot.width - 22
    legend = Self.legendRows(plot, width: right - left)
    top = 44 + 20 * Double(legend.count) + (plot.events.isEmpty ? 0 : plot.events.count == 1 ? 16 : 30)
    bottom = plot.height - 52
  }

  // Beyond this a coordinate has no meaning as a picture, and sums of coordinates could overflow.
  private static func drawable(_ value: Double) -> Bool { value.isFinite && abs(value) < 1e15 }

  private static func range(_ values: [Double]) -> ClosedRange<Double> {
    guard let low = values.min(), let high = values.max() else { return 0...1 }
    return low...high
  }

  private func px(_ x: Double) -> Double { left + (x - xAxis.low) / (xAxis.high - xAxis.low) * (right - left) }
  private func py(_ y: Double) -> Double { bottom - (y - yAxis.low) / (yAxis.high - yAxis.low) * (bottom - top) }
  private func color(_ index: Int) -> Int { abs(plot.series[index].color ?? index) % ChartStyle.hues }
  private func n(_ value: Double) -> String { SVG.number(value) }
  private func tip(_ words: String) -> String { "<title>\(Text.escaped(words))</title>" }
  private func kind(_ series: Plot.Series, _ index: Int) -> String {
    "p-line c\(color(index))" + (series.muted ? " p-muted" : series.isBold ? " p-bold" : "")
  }

  func elements() -> [String] {
    var out = [SVG.text("p-title", x: left, y: 24, plot.title)]
    out += legendLines() + grid() + marks()
    let clip = "clip-\(identity)"
    let frame = "x=\"\(n(left - 4))\" y=\"\(n(top - 4))\" width=\"\(n(right - left + 8))\" height=\"\(n(bottom - top + 8))\""
    out.append("<clipPath id=\"\(clip)\"><rect \(frame)/></clipPath>")
    out.append("<g clip-path=\"url(#\(clip))\">")
    // Context first and the bold message last, so that what matters lies on top.
    func rank(_ index: Int) -> Int { plot.series[index].muted ? 0 : plot.series[index].isBold ? 2 : 1 }
    for index in plot.series.indices.sorted(by: { (rank($0), $0) < (rank($1), $1) }) { out += line(index) }
    out.append("</g>")
    return out
  }

  // Several plots share one page: the clip path needs a name of its own. FNV-1a over what is drawn.
  private var identity: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    let names = plot.series.map { "\($0.name)\($0.points.count)" }.joined()
    for byte in "\(plot.title)\(plot.yLabel)\(names)\(plot.width)x\(plot.height)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 36)
  }

  private func grid() -> [String] {
    var out: [String] = []
    for tick in yAxis.ticks {
      let y = n(py(tick))
      out.append("<line class=\"p-grid\" x1=\"\(n(left))\" x2=\"\(n(right))\" y1=\"\(y)\" y2=\"\(y)\"/>")
      out.append(SVG.text("p-tick", x: left - 8, y: py(tick) + 4, anchor: "end", yAxis.label(tick)))
    }
    for tick in xAxis.ticks {
      let x = n(px(tick))
      out.append("<line class=\"p-axis\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(n(bottom))\" y2=\"\(n(bottom + 5))\"/>")
      out.append(SVG.text("p-tick", x: px(tick), y: bottom + 19, anchor: "middle", xAxis.label(tick)))
    }
    out.append("<line class=\"p-axis\" x1=\"\(n(left))\" x2=\"\(n(right))\" y1=\"\(n(bottom))\" y2=\"\(n(bottom))\"/>")
    out.append(SVG.text("p-label", x: (left + right) / 2, y: bottom + 41, anchor: "middle", plot.xLabel))
    out.append(SVG.turned("p-label", x: 14, y: (top + bottom) / 2, degrees: -90, plot.yLabel))
    return out
  }

  private func marks() -> [String] {
    var out: [String] = []
    for level in plot.levels where Self.drawable(level.y) && level.y >= yAxis.low && level.y <= yAxis.high {
      let y = py(level.y)
      out.append("<line class=\"p-level\" x1=\"\(n(left))\" x2=\"\(n(right))\" y1=\"\(n(y))\" y2=\"\(n(y))\"/>")
      out.append(SVG.text("p-mark", x: left + 6, y: y - 5, anchor: "start", level.label))
    }
    // Two rows of labels; one that fits in neither is left out, and the tooltip of its dot keeps the word.
    var taken = [-Double.infinity, -Double.infinity]
    for event in plot.events.filter({ Self.drawable($0.x) }).sorted(by: { $0.x < $1.x }) {
      let x = px(event.x)
      out.append("<line class=\"p-event\" x1=\"\(n(x))\" x2=\"\(n(x))\" y1=\"\(n(top - 4))\" y2=\"\(n(bottom))\"/>")
      let half = 3.2 * Double(event.label.count)
      let middle = min(max(x, left + half), right - half)
      out.append("<circle class=\"p-dot\" cx=\"\(n(x))\" cy=\"\(n(top - 4))\" r=\"3\">" + tip(event.label) + "</circle>")
      if let row = taken.firstIndex(where: { middle - half > $0 }) {
        out.append(SVG.text("p-mark", x: middle, y: top - 11 - 14 * Double(row), anchor: "middle", event.label))
        taken[row] = middle + half + 6
      }
    }
    return out
  }

  private func line(_ index: Int) -> [String] {
    let series = plot.series[index]
    var runs: [[Plot.Point]] = [[]]
    for point in series.points {
      if Self.drawable(point.x), Self.drawable(point.y) { runs[runs.count - 1].append(point) } else { runs.append([]) }
    }
    var out: [String] = []
    let kind = kind(series, index)
    let dash = series.stroke == .solid ? "" : " stroke-dasharray=\"\(series.stroke.rawValue)\""
    for run in runs where run.count > 1 {
      let path = run.enumerated().map { "\($0.offset == 0 ? "M" : "L")\(n(px($0.element.x))) \(n(py($0.element.y)))" }
      out.append("<path class=\"\(kind)\"\(dash) d=\"\(path.joined(separator: " "))\"/>")
    }
    let shown = runs.flatMap { $0 }
    // Points carry their value as a tooltip; many points are a curve already and need no dots.
    guard shown.count <= 60, !series.muted || shown.count == 1 else { return out }
    let radius = shown.count <= 30 ? "2.6" : "1.6"
    for point in shown {
      let words = "\(series.name): \(Text.fixed(point.y, 4)) at \(Text.fixed(point.x, point.x == point.x.rounded() ? 0 : 3))"
      let place = "cx=\"\(n(px(point.x)))\" cy=\"\(n(py(point.y)))\" r=\"\(radius)\""
      out.append("<circle class=\"p-point f\(color(index))\" \(place)>" + tip(words) + "</circle>")
    }
    return out
  }

  private static func labelWidth(_ name: String) -> Double { 42 + 6.6 * Double(name.count) }

  private static func legendRows(_ plot: Plot, width: Double) -> [[Int]] {
    guard plot.series.count > 1, plot.series.contains(where: { !$0.isUnnamed }) else { return [] }
    var rows: [[Int]] = [[]]
    var used = 0.0
    for (index, series) in plot.series.enumerated() where !series.isUnnamed {
      let need = labelWidth(series.name)
      if used + need > width, !(rows.last ?? []).isEmpty { (used, rows) = (0, rows + [[]]) }
      rows[rows.count - 1].append(index)
      used += need
    }
    return rows
  }

  private func legendLines() -> [String] {
    var out: [String] = []
    for (row, indices) in legend.enumerated() {
      var x = left
      let y = 46 + 20 * Double(row)
      for index in indices {
        let series = plot.series[index]
        let dash = series.stroke == .solid ? "" : " stroke-dasharray=\"\(series.stroke.rawValue)\""
        let kind = kind(series, index)
        out.append("<line class=\"\(kind)\"\(dash) x1=\"\(n(x))\" x2=\"\(n(x + 22))\" y1=\"\(n(y - 4))\" y2=\"\(n(y - 4))\"/>")
        out.append("<text class=\"p-legend\" x=\"\(n(x + 28))\" y=\"\(n(y))\">\(Text.escaped(series.name))</text>")
        x += Self.labelWidth(series.name)
      }
    }
    return out
  }
}
