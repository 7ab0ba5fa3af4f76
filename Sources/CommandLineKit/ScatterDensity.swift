// Where many points lie in the unit square: a grid of cells, darker where more are. The picture stays small however many points there are.

public struct ScatterDensity: Chart {
  public var title: String
  public var xLabel: String
  public var yLabel: String
  /// Points per cell, `[row from the bottom][column]`.
  private var counts: [[Int]]
  /// Points outside of the square or not finite, which are left out.
  public private(set) var outside = 0
  /// Whether y grows downwards, as in images.
  public var isYDown: Bool
  public var width = 460.0
  public var height = 340.0

  private static let cells = 50

  public init(_ title: String, x: String, y: String, points: some Sequence<Plot.Point>, isYDown: Bool = false) {
    (self.title, xLabel, yLabel, self.isYDown) = (title, x, y, isYDown)
    counts = [[Int]](repeating: [Int](repeating: 0, count: Self.cells), count: Self.cells)
    for point in points {
      guard (0...1).contains(point.x), (0...1).contains(point.y) else {
        outside += 1
        continue
      }
      let column = min(Int(point.x * Double(Self.cells)), Self.cells - 1)
      let row = min(Int(point.y * Double(Self.cells)), Self.cells - 1)
      counts[row][column] += 1
    }
  }

  public func elements() -> [String] {
    let frame = SquareFrame(width: width, height: height, isYDown: isYDown)
    var out = [SVG.text("p-title", x: frame.left, y: 24, title)]
    let most = counts.joined().max() ?? 0
    let cell = frame.side / Double(Self.cells)
    for (row, line) in counts.enumerated() {
      for (column, count) in line.enumerated() where count > 0 {
        // The root keeps single points visible beside crowds.
        let opacity = 0.12 + 0.88 * (Double(count) / Double(most)).squareRoot()
        let y = isYDown ? frame.top + cell * Double(row) : frame.bottom - cell * Double(row + 1)
        out.append(
          SVG.rectangle("p-cell", x: frame.left + cell * Double(column), y: y, width: cell, height: cell, opacity: opacity, tip: "\(count)")
        )
      }
    }
    return out + frame.elements(xLabel: xLabel, yLabel: yLabel)
  }
}

/// The axes of a unit square.
struct SquareFrame {
  let left: Double
  let top = 40.0
  let side: Double
  let isYDown: Bool

  var right: Double { left + side }
  var bottom: Double { top + side }

  init(width: Double, height: Double, isYDown: Bool) {
    side = max(10, min(width - 84, height - 40 - 52))
    left = 62 + max(0, (width - 84 - side) / 2)
    self.isYDown = isYDown
  }

  func px(_ x: Double) -> Double { left + x * side }
  func py(_ y: Double) -> Double { isYDown ? top + y * side : bottom - y * side }

  func elements(xLabel: String, yLabel: String) -> [String] {
    var out = [SVG.rectangle("p-frame", x: left, y: top, width: side, height: side)]
    for tick in [0, 0.25, 0.5, 0.75, 1] {
      out.append(SVG.line("p-axis", x1: px(tick), y1: bottom, x2: px(tick), y2: bottom + 5))
      out.append(SVG.text("p-tick", x: px(tick), y: bottom + 19, anchor: "middle", Text.fixed(tick, tick == tick.rounded() ? 0 : 2)))
      out.append(SVG.line("p-axis", x1: left - 5, y1: py(tick), x2: left, y2: py(tick)))
      out.append(SVG.text("p-tick", x: left - 9, y: py(tick) + 4, anchor: "end", Text.fixed(tick, tick == tick.rounded() ? 0 : 2)))
    }
    out.append(SVG.text("p-label", x: (left + right) / 2, y: bottom + 40, anchor: "middle", xLabel))
    out.append(SVG.turned("p-label", x: left - 44, y: (top + bottom) / 2, degrees: -90, yLabel))
    return out
  }
}
