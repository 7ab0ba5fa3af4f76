// Boxes laid over each other with their centres together: their sizes and shapes at a glance.

public struct BoxOutlines: Chart {
  public struct Box: Sendable, Equatable {
    /// Fractions of the image.
    public var width: Double
    public var height: Double
    /// Chooses the colour.
    public var group: Int
    public init(width: Double, height: Double, group: Int) { (self.width, self.height, self.group) = (width, height, group) }
  }

  public var title: String
  public var boxes: [Box]
  public var width = 460.0
  public var height = 340.0

  /// More outlines than this hide each other.
  public static let boxesMax = 400

  /// Of more than `boxesMax` boxes, as many are drawn, spread evenly over the list.
  public init(_ title: String, boxes: [Box]) {
    self.title = title
    let usable = boxes.filter { (0...1).contains($0.width) && (0...1).contains($0.height) }
    let count = min(usable.count, Self.boxesMax)
    self.boxes = (0..<count).map { usable[$0 * usable.count / count] }
  }

  public func elements() -> [String] {
    let frame = SquareFrame(width: width, height: height, isYDown: false)
    var out = [SVG.text("p-title", x: frame.left, y: 24, title)]
    for box in boxes {
      let (wide, high) = (box.width * frame.side, box.height * frame.side)
      let kind = "p-outline c\(abs(box.group) % ChartStyle.hues)"
      out.append(
        SVG.rectangle(
          kind, x: frame.left + (frame.side - wide) / 2, y: frame.top + (frame.side - high) / 2, width: wide, height: high))
    }
    return out + frame.elements(xLabel: "width", yLabel: "height")
  }
}
