// Drawing on images: filled rectangles, frames, text in dots. Everything is cut at the image's border.

extension RGBImage {
  /// Fills columns `x` of rows `y`.
  mutating func fill(x: Range<Int>, y: Range<Int>, _ color: DrawingColor) {
    let columns = x.clamped(to: 0..<width)
    guard !columns.isEmpty else { return }
    for row in y.clamped(to: 0..<height) {
      for column in columns {
        let at = (row * width + column) * 3
        (pixels[at], pixels[at + 1], pixels[at + 2]) = (color.red, color.green, color.blue)
      }
    }
  }

  /// A frame whose outer edge is the rectangle.
  mutating func frame(x: Range<Int>, y: Range<Int>, line: Int, _ color: DrawingColor) {
    let (across, down) = (min(line, x.count), min(line, y.count))
    fill(x: x, y: y.lowerBound..<(y.lowerBound + down), color)
    fill(x: x, y: (y.upperBound - down)..<y.upperBound, color)
    fill(x: x.lowerBound..<(x.lowerBound + across), y: y, color)
    fill(x: (x.upperBound - across)..<x.upperBound, y: y, color)
  }

  /// Text with its first dot at (x, y); a dot is `scale` pixels.
  mutating func draw(_ text: String, x: Int, y: Int, scale: Int, _ color: DrawingColor) {
    for (index, character) in text.enumerated() {
      for (column, bits) in BitmapFont.columns(character).enumerated() where bits != 0 {
        let left = x + (index * BitmapFont.advance + column) * scale
        for row in 0..<BitmapFont.height where bits >> row & 1 == 1 {
          fill(x: left..<(left + scale), y: (y + row * scale)..<(y + (row + 1) * scale), color)
        }
      }
    }
  }

  /// The part of the image that a box (left, top, right, bottom in pixels) covers; nil where that is nothing.
  public func cropped(_ box: SIMD4<Float>) -> RGBImage? {
    guard (0..<4).allSatisfy({ box[$0].isFinite && abs(box[$0]) < 1e9 }) else { return nil }
    let (left, top) = (max(Int(box.x.rounded(.down)), 0), max(Int(box.y.rounded(.down)), 0))
    let (right, bottom) = (min(Int(box.z.rounded(.up)), width), min(Int(box.w.rounded(.up)), height))
    guard left < right, top < bottom else { return nil }
    var part = RGBImage(width: right - left, height: bottom - top, grey: 0)
    part.paste(self, x: -left, y: -top)
    return part
  }
}
