// Amounts by name, as upright bars with their numbers on top: labels of each class.

public struct BarChart: Chart {
  public struct Bar: Sendable, Equatable {
    public var name: String
    public var value: Double
    public init(_ name: String, _ value: Double) { (self.name, self.value) = (name, value) }
  }

  public var title: String
  public var yLabel: String
  public var bars: [Bar]
  public var width = 460.0
  public var height = 340.0

  public init(_ title: String, y: String, bars: [Bar]) { (self.title, yLabel, self.bars) = (title, y, bars) }

  private static let nameWidthMax = 110.0

  public func elements() -> [String] {
    let shown = bars.filter { $0.value.isFinite && $0.value >= 0 && $0.value < 1e15 }
    let axis = AxisScale(covering: 0...max(shown.map(\.value).max() ?? 1, 1e-9), ticks: 5, tight: false)
    let left = 34 + 7.2 * Double(axis.ticks.map { axis.label($0).count }.max() ?? 1)
    let right = width - 22
    let slot = (right - left) / Double(max(shown.count, 1))
    let longest = Double(shown.map(\.name.count).max() ?? 0) * SVG.letterWidth
    let isFlat = longest <= slot - 4
    let top = 48.0
    let bottom = height - (isFlat ? 34 : min(longest, Self.nameWidthMax) + 20)
    func py(_ value: Double) -> Double { bottom - value / axis.high * (bottom - top) }

    var out = [SVG.text("p-title", x: left, y: 24, title)]
    for tick in axis.ticks {
      out.append(SVG.line("p-grid", x1: left, y1: py(tick), x2: right, y2: py(tick)))
      out.append(SVG.text("p-tick", x: left - 8, y: py(tick) + 4, anchor: "end", axis.label(tick)))
    }
    let step = max(1, Int((13 / slot).rounded(.up)))
    for (index, bar) in shown.enumerated() {
      let middle = left + slot * (Double(index) + 0.5)
      let wide = max(1, min(56, slot * 0.72))
      let value = Text.fixed(bar.value, bar.value == bar.value.rounded() ? 0 : 2)
      out.append(
        SVG.rectangle(
          "f\(index % ChartStyle.hues)", x: middle - wide / 2, y: py(bar.value), width: wide, height: bottom - py(bar.value),
          tip: "\(bar.name): \(value)"))
      if Double(value.count) * SVG.letterWidth <= slot + 2 {
        out.append(SVG.text("p-tick", x: middle, y: py(bar.value) - 5, anchor: "middle", value))
      }
      guard index.isMultiple(of: step) else { continue }
      out.append(
        isFlat
          ? SVG.text("p-tick", x: middle, y: bottom + 18, anchor: "middle", bar.name)
          : SVG.turned("p-tick", x: middle + 4, y: bottom + 8, degrees: -90, anchor: "end", SVG.fitted(bar.name, width: Self.nameWidthMax)))
    }
    out.append(SVG.line("p-axis", x1: left, y1: bottom, x2: right, y2: bottom))
    out.append(SVG.turned("p-label", x: 14, y: (top + bottom) / 2, degrees: -90, yLabel))
    return out
  }
}
