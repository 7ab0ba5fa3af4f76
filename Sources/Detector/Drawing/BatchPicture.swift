// Several images in one grid, each with its boxes and its name: what a batch looked like.

public enum BatchPicture {
  public static let imagesMax = 16
  /// Longest side of a picture in pixels.
  private static let sideMax = 1920

  /// - Parameters:
  ///   - images: the first `imagesMax` are shown.
  ///   - boxes: by image, in its pixels.
  ///   - names: by image.
  public static func make(images: [RGBImage], boxes: [[AnnotatedBox]], names: [String]) -> RGBImage {
    let count = min(images.count, imagesMax)
    precondition(count > 0 && boxes.count >= count && names.count >= count)
    let columns = Int(Double(count).squareRoot().rounded(.up))
    let rows = (count + columns - 1) / columns
    let largest = images[..<count].map { max($0.width, $0.height) }.max() ?? 1
    let cell = max(min(largest, sideMax / columns), 1)
    var picture = RGBImage(width: columns * cell, height: rows * cell, grey: 255)
    for index in 0..<count {
      let (image, x, y) = (images[index], index % columns * cell, index / columns * cell)
      let box = Letterbox(imageHeight: image.height, imageWidth: image.width, target: (cell, cell), scaleUp: false)
      var shown = image.resized(width: box.innerWidth, height: box.innerHeight, filter: .area)
      let scale = Float(box.innerWidth) / Float(image.width)
      Annotator().draw(boxes: boxes[index].map { AnnotatedBox(box: $0.box * scale, classIndex: $0.classIndex, text: $0.text) }, on: &shown)
      picture.paste(shown, x: x, y: y)
      picture.frame(x: x..<(x + cell), y: y..<(y + cell), line: 1, .white)
      let name = String(names[index].suffix(max(cell / BitmapFont.advance - 1, 1)))
      picture.fill(x: (x + 1)..<(x + 3 + name.count * BitmapFont.advance), y: (y + cell - 11)..<(y + cell - 1), .black)
      picture.draw(name, x: x + 2, y: y + cell - 9, scale: 1, .white)
    }
    return picture
  }
}
