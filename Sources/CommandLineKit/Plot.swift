// Line charts as SVG text, for reports and run folders. No script, no external font, no raster: the same picture on a
// screen of either brightness and on paper. Colours are CSS variables, so one file serves light and dark (see Chart).

/// A line chart. Points must be finite; others are left out and break the line.
public struct Plot: Chart {
  public struct Point: Sendable, Equatable {
    public var x: Double
    public var y: Double
    public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
  }

  public enum Stroke: String, Sendable {
    case solid = ""
    case dashed = "7 5"
    case dotted = "1.5 5"
  }

  public struct Series: Sendable {
    public var name: String
    public var points: [Point]
    public var stroke: Stroke
    /// Which of the eight palette colours; by default the place of the series in the plot.
    public var color: Int?
    /// Thin and pale: context rather than message, e.g. one of many sites.
    public var muted: Bool
    /// Thick: the message itself, e.g. the mean of the others.
    public var isBold = false
    /// Has no place in the legend, where that would be longer than the picture.
    public var isUnnamed = false
    public init(_ name: String, _ points: [Point], stroke: Stroke = .solid, color: Int? = nil, muted: Bool = false) {
      (self.name, self.points, self.stroke, self.color, self.muted) = (name, points, stroke, color, muted)
    }
    /// Values at x = `first`, `first + 1`, …
    public init(
      _ name: String, values: [Double], first: Double = 1, stroke: Stroke = .solid, color: Int? = nil, muted: Bool = false
    ) {
      let points = values.enumerated().map { Point(first + Double($0.offset), $0.element) }
      self.init(name, points, stroke: stroke, color: color, muted: muted)
    }
  }

  /// A vertical mark with a word at its top: when something happened.
  public struct Event: Sendable {
    public var x: Double
    public var label: String
    public init(x: Double, label: String) { (self.x, self.label) = (x, label) }
  }

  /// A horizontal line with a word: a bar to pass, or a figure to compare with.
  public struct Level: Sendable {
    public var y: Double
    public var label: String
    public init(y: Double, label: String) { (self.y, self.label) = (y, label) }
  }

  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var series: [Series]
  public var events: [Event] = []
  public var levels: [Level] = []
  /// Fixed limits of the y axis; by default taken from the points.
  public var yLimits: ClosedRange<Double>?
  /// Size of the drawing in CSS pixels; the picture scales to the width that it is given.
  public var width = 760.0
  public var height = 400.0

  public init(_ title: String, x: String, y: String, series: [Series], yLimits: ClosedRange<Double>? = nil) {
    (self.title, self.xLabel, self.yLabel, self.series, self.yLimits) = (title, x, y, series, yLimits)
  }

  public func elements() -> [String] { PlotDrawing(self).elements() }
}

/// Tick positions of one axis: a step of 1, 2 or 5 times a power of ten.
struct AxisScale: Equatable {
  var low: Double
  var high: Double
  var step: Double
  var decimals: Int

  /// - Parameter whole: only whole numbers, as for rounds and epochs.
  init(covering range: ClosedRange<Double>, ticks: Int, tight: Bool, whole: Bool = false) {
    var (low, high) = (range.lowerBound, range.upperBound)
    if high - low <= max(abs(low), abs(high)) * 1e-9 {
      let pad = low == 0 ? 1 : abs(low) * 0.1
      (low, high) = (low - pad, high + pad)
    }
    let raw = (high - low) / Double(max(1, ticks))
    var power = 1.0
    while power > raw { power /= 10 }
    while power * 10 <= raw { power *= 10 }
    var step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= raw * 0.999 } ?? power * 10
    if whole { step = max(1, step.rounded(.up)) }
    var decimals = 0
    var unit = step
    while unit < 0.999, decimals < 12 { (unit, decimals) = (unit * 10, decimals + 1) }
    self.step = step
    self.decimals = decimals
    self.low = tight ? low : (low / step).rounded(.down) * step
    self.high = tight ? high : (high / step).rounded(.up) * step
  }

  var ticks: [Double] {
    let first = Int64((low / step - 1e-6).rounded(.up))
    let last = Int64((high / step + 1e-6).rounded(.down))
    guard last >= first, last - first < 200 else { return [] }
    return (first...last).map { Double($0) * step }
  }

  func label(_ value: Double) -> String {
    let size = max(abs(low), abs(high))
    if size >= 1e6, step >= 1e5 { return Text.fixed(value / 1e6, step >= 1e6 ? 0 : 1) + " M" }
    if size >= 1e4, step >= 1e3 { return Text.fixed(value / 1e3, 0) + " k" }
    return Text.fixed(value, decimals)
  }
}
