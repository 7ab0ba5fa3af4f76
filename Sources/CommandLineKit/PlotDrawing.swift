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
  private func color(_ index: Int) -> Int { abs(plot.series[index].color ?? index) % 8 }
  private func n(_ value: Double) -> String { Text.fixed(value, 1) }
  private func tip(_ words: String) -> String { "<title>\(Text.escaped(words))</title>" }
  private func text(_ kind: String, x: Double, y: Double, anchor: String, _ words: String) -> String {
    "<text class=\"\(kind)\" x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"\(anchor)\">\(Text.escaped(words))</text>"
  }

  func document() -> String {
    let (w, h) = (n(plot.width), n(plot.height))
    let size = "viewBox=\"0 0 \(w) \(h)\" width=\"\(w)\" height=\"\(h)\""
    var out = ["<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" \(size) role=\"img\">"]
    out.append("<title>\(Text.escaped(plot.title))</title>")
    out.append("<style>\(Self.style)</style>")
    out.append("<text class=\"p-title\" x=\"\(n(left))\" y=\"24\">\(Text.escaped(plot.title))</text>")
    out += legendLines() + grid() + marks()
    let clip = "clip-\(identity)"
    let frame = "x=\"\(n(left - 4))\" y=\"\(n(top - 4))\" width=\"\(n(right - left + 8))\" height=\"\(n(bottom - top + 8))\""
    out.append("<clipPath id=\"\(clip)\"><rect \(frame)/></clipPath>")
    out.append("<g clip-path=\"url(#\(clip))\">")
    // Context first, so that it lies under what matters.
    let order = plot.series.indices.sorted { (plot.series[$0].muted ? 0 : 1, $0) < (plot.series[$1].muted ? 0 : 1, $1) }
    for index in order { out += line(index) }
    out.append("</g></svg>")
    return out.joined(separator: "\n")
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
      out.append(text("p-tick", x: left - 8, y: py(tick) + 4, anchor: "end", yAxis.label(tick)))
    }
    for tick in xAxis.ticks {
      let x = n(px(tick))
      out.append("<line class=\"p-axis\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(n(bottom))\" y2=\"\(n(bottom + 5))\"/>")
      out.append(text("p-tick", x: px(tick), y: bottom + 19, anchor: "middle", xAxis.label(tick)))
    }
    out.append("<line class=\"p-axis\" x1=\"\(n(left))\" x2=\"\(n(right))\" y1=\"\(n(bottom))\" y2=\"\(n(bottom))\"/>")
    out.append(text("p-label", x: (left + right) / 2, y: bottom + 41, anchor: "middle", plot.xLabel))
    let turned = "transform=\"translate(14 \(n((top + bottom) / 2))) rotate(-90)\""
    out.append("<text class=\"p-label\" \(turned) text-anchor=\"middle\">\(Text.escaped(plot.yLabel))</text>")
    return out
  }

  private func marks() -> [String] {
    var out: [String] = []
    for level in plot.levels where Self.drawable(level.y) && level.y >= yAxis.low && level.y <= yAxis.high {
      let y = py(level.y)
      out.append("<line class=\"p-level\" x1=\"\(n(left))\" x2=\"\(n(right))\" y1=\"\(n(y))\" y2=\"\(n(y))\"/>")
      out.append(text("p-mark", x: left + 6, y: y - 5, anchor: "start", level.label))
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
        out.append(text("p-mark", x: middle, y: top - 11 - 14 * Double(row), anchor: "middle", event.label))
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
    let kind = "p-line c\(color(index))" + (series.muted ? " p-muted" : "")
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
    guard plot.series.count > 1 else { return [] }
    var rows: [[Int]] = [[]]
    var used = 0.0
    for (index, series) in plot.series.enumerated() {
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
        let kind = "p-line c\(color(index))" + (series.muted ? " p-muted" : "")
        out.append("<line class=\"\(kind)\"\(dash) x1=\"\(n(x))\" x2=\"\(n(x + 22))\" y1=\"\(n(y - 4))\" y2=\"\(n(y - 4))\"/>")
        out.append("<text class=\"p-legend\" x=\"\(n(x + 28))\" y=\"\(n(y))\">\(Text.escaped(series.name))</text>")
        x += Self.labelWidth(series.name)
      }
    }
    return out
  }

  // Eight hues that stay apart for colour-blind readers, in a darker set for paper and a lighter one for dark screens.
  private static let style: String = {
    let light = ["#1f6feb", "#c2500a", "#0b7a5a", "#8a3ffc", "#b8246b", "#5a6472", "#8a6d00", "#0e7490"]
    let dark = ["#6ea8ff", "#ff9a5c", "#4fd1a5", "#c4a1ff", "#ff8ac0", "#aab4c3", "#e3c04d", "#5cd3ee"]
    func variables(_ colors: [String], _ ink: String, _ soft: String, _ rule: String, _ paper: String) -> String {
      let hues = colors.enumerated().map { "--s\($0.offset):\($0.element);" }.joined()
      return "svg.plot{\(hues)--ink:\(ink);--soft:\(soft);--rule:\(rule);--paper:\(paper)}"
    }
    let classes = (0..<8).map { ".plot .c\($0){stroke:var(--s\($0))}.plot .f\($0){fill:var(--s\($0))}" }.joined()
    return variables(light, "#1b2330", "#5b6675", "#e3e7ed", "#fff")
      + "@media (prefers-color-scheme:dark){\(variables(dark, "#e8ecf2", "#9aa5b5", "#2c3543", "#12171f"))}"
      + "@media print{\(variables(light, "#000", "#444", "#ccc", "#fff"))}"
      + "svg.plot{font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;max-width:100%;height:auto}"
      + classes
      + ".plot .p-title{font-size:15px;font-weight:600;fill:var(--ink)}.plot .p-legend{font-size:12.5px;fill:var(--ink)}"
      + ".plot .p-tick{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}.plot .p-label{font-size:12.5px;fill:var(--soft)}"
      + ".plot .p-mark{font-size:11.5px;fill:var(--soft);paint-order:stroke;stroke:var(--paper);stroke-width:3px}"
      + ".plot .p-grid{stroke:var(--rule);stroke-width:1}"
      + ".plot .p-axis{stroke:var(--soft);stroke-width:1}"
      + ".plot .p-line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}.plot .p-muted{stroke-width:1.4;opacity:.55}"
      + ".plot .p-level{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 4}"
      + ".plot .p-event{stroke:var(--s4);stroke-width:1;stroke-dasharray:3 3;opacity:.7}.plot .p-dot{fill:var(--s4)}"
  }()
}
