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

  /// Draws the boxes in their order: the last is on top. All tags lie above all lines, so that no line crosses a word.
  ///
  /// The font has ASCII only: accents are dropped, and a tag with other characters begins with the class's number.
  public func draw(boxes: [AnnotatedBox], on image: inout RGBImage) {
    let mean = Double(image.width + image.height) / 2
    let line = lineWidth ?? max(1, Int((mean * 0.003).rounded()))
    let scale = max(1, Int((mean / 480).rounded()))
    let drawable = boxes.filter { box in (0..<4).allSatisfy { box.box[$0].isFinite && abs(box.box[$0]) < 1e9 } }
    for box in drawable {
      let (left, top) = (Int(box.box.x.rounded()), Int(box.box.y.rounded()))
      let (right, bottom) = (max(Int(box.box.z.rounded()), left + 1), max(Int(box.box.w.rounded()), top + 1))
      image.frame(x: left..<right, y: top..<bottom, line: line, DrawingColor.ofClass(box.classIndex))
    }
    for box in drawable where !box.text.isEmpty { Self.tag(box, scale: scale, on: &image) }
  }

  private static func tag(_ box: AnnotatedBox, scale: Int, on image: inout RGBImage) {
    let folded = BitmapFont.folded(box.text)
    let text = BitmapFont.has(folded) ? folded : "\(box.classIndex) \(folded)"
    func width(_ scale: Int) -> Int { (text.count * BitmapFont.advance + 3) * scale }
    var scale = scale
    while scale > 1, width(scale) > image.width { scale -= 1 }
    let height = (BitmapFont.height + 2) * scale
    let (left, top) = (Int(box.box.x.rounded()), Int(box.box.y.rounded()))
    let x = max(min(left, image.width - width(scale)), 0)
    let y = max(top >= height ? top - height : min(top, image.height - height), 0)
    let color = DrawingColor.ofClass(box.classIndex)
    image.fill(x: x..<(x + width(scale)), y: y..<(y + height), color)
    image.draw(text, x: x + 2 * scale, y: y + 3 * scale / 2, scale: scale, color.text)
  }
}
