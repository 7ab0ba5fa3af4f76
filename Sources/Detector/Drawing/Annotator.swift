// Boxes with tags on an image. Lines and letters grow with the image; a tag stands on its box where there is room, inside it otherwise, and
// always within the image.

/// A box to draw.
public struct AnnotatedBox: Equatable, Sendable {
  /// Left, top, right, bottom in pixels.
  public var box: SIMD4<Float>
  /// Gives the colour.
  public var classIndex: Int
  /// Empty: no tag.
  public var text: String

  public init(box: SIMD4<Float>, classIndex: Int, text: String) { (self.box, self.classIndex, self.text) = (box, classIndex, text) }
}

public struct Annotator: Sendable {
  /// Width of lines in pixels; nil follows the image's size.
  public var lineWidth: Int?

  public init(lineWidth: Int? = nil) { self.lineWidth = lineWidth }

  /// Draws the boxes in their order: the last is on top.
  public func draw(boxes: [AnnotatedBox], on image: inout RGBImage) {
    let mean = Double(image.width + image.height) / 2
    let line = lineWidth ?? max(1, Int((mean * 0.003).rounded()))
    let scale = max(1, Int((mean / 480).rounded()))
    for box in boxes where (0..<4).allSatisfy({ box.box[$0].isFinite && abs(box.box[$0]) < 1e9 }) {
      let color = DrawingColor.ofClass(box.classIndex)
      let (left, top) = (Int(box.box.x.rounded()), Int(box.box.y.rounded()))
      let (right, bottom) = (max(Int(box.box.z.rounded()), left + 1), max(Int(box.box.w.rounded()), top + 1))
      image.frame(x: left..<right, y: top..<bottom, line: line, color)
      guard !box.text.isEmpty else { continue }
      let text = BitmapFont.has(box.text) ? box.text : "\(box.classIndex) \(box.text)"
      let width = text.count * BitmapFont.advance * scale + scale
      let height = (BitmapFont.height + 2) * scale
      let x = max(min(left, image.width - width), 0)
      let y = top >= height ? top - height : min(top, max(image.height - height, 0))
      image.fill(x: x..<(x + width), y: max(y, 0)..<(max(y, 0) + height), color)
      image.draw(text, x: x + scale, y: max(y, 0) + scale, scale: scale, color.text)
    }
  }
}
