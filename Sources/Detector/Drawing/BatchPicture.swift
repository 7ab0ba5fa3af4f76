// Several images in one grid, each with its boxes and its name: what a batch looked like.

public enum BatchPicture {
  public static let imagesMax = 16
  /// Longest side of a picture in pixels.
  private static let sideMax = 1920
  /// Longest side that a small image grows to.
  private static let cellMin = 480.0

  /// - Parameters:
  ///   - images: the first `imagesMax` are shown.
  ///   - boxes: by image, in its pixels.
  ///   - names: by image.
  public static func make(images: [RGBImage], boxes: [[AnnotatedBox]], names: [String]) -> RGBImage {
    let count = min(images.count, imagesMax)
    precondition(count > 0 && boxes.count >= count && names.count >= count)
    let columns = Int(Double(count).squareRoot().rounded(.up))
    let rows = (count + columns - 1) / columns
    let (widest, highest) = (images[..<count].map(\.width).max() ?? 1, images[..<count].map(\.height).max() ?? 1)
    // One scale for all. Small images grow, up to the picture's size: their tags would cover them otherwise.
    let room = Double(sideMax) / Double(max(columns * widest, rows * highest))
    let scale = min(room, max(1, cellMin / Double(max(widest, highest))))
    let cell = (width: max(1, Int(Double(widest) * scale)), height: max(1, Int(Double(highest) * scale)))
    var picture = RGBImage(width: columns * cell.width, height: rows * cell.height, grey: 255)
    for index in 0..<count {
      let (x, y) = (index % columns * cell.width, index / columns * cell.height)
      picture.paste(shown(images[index], boxes[index], scale), x: x, y: y)
      picture.frame(x: x..<(x + cell.width), y: y..<(y + cell.height), line: 1, .white)
      // The end of a name says more than its beginning: the number stands there.
      let name = String(names[index].suffix(max(cell.width / BitmapFont.advance - 1, 1)))
      let height = BitmapFont.height + 2
      picture.fill(
        x: (x + 1)..<(x + 4 + name.count * BitmapFont.advance), y: (y + cell.height - height - 1)..<(y + cell.height - 1), .black)
      picture.draw(name, x: x + 3, y: y + cell.height - height, scale: 1, .white)
    }
    return picture
  }

  /// Scaled first and drawn on then: lines and letters stay sharp.
  private static func shown(_ image: RGBImage, _ boxes: [AnnotatedBox], _ scale: Double) -> RGBImage {
    let (width, height) = (max(1, Int(Double(image.width) * scale)), max(1, Int(Double(image.height) * scale)))
    var shown = image.resized(width: width, height: height, filter: .area)
    let (x, y) = (Float(width) / Float(image.width), Float(height) / Float(image.height))
    let scaled = boxes.map { AnnotatedBox(box: $0.box * SIMD4(x, y, x, y), classIndex: $0.classIndex, text: $0.text) }
    Annotator().draw(boxes: scaled, on: &shown)
    return shown
  }
}
