// Images as hospitals' archives have them: damaged, cut, with wrong sizes in their headers. Decoders are libjpeg-turbo and libpng; ours are
// the bounds around them, the orientation, and what is made of the pixels.
import Detector

struct JPEGTarget: Target {
  static let name = "jpeg"

  func run(_ input: [UInt8]) { decode([0xff, 0xd8] + input.dropFirst(input.starts(with: [0xff, 0xd8]) ? 2 : 0)) }

  func seeds() throws -> [[UInt8]] {
    try [(8, 8), (17, 5), (40, 33)].flatMap { width, height in
      let jpeg = try ImageWriter.jpeg(picture(width, height))
      return [jpeg, Array(jpeg.prefix(2)) + orientation(6) + jpeg.dropFirst(2)]
    }
  }

  /// An EXIF segment with that orientation.
  private func orientation(_ value: UInt8) -> [UInt8] {
    let tiff: [UInt8] = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0]
    let body = Array("Exif".utf8) + [0, 0] + tiff
    return [0xff, 0xe1, 0, UInt8(body.count + 2)] + body
  }
}

struct PNGTarget: Target {
  static let name = "png"

  func run(_ input: [UInt8]) { decode(input) }

  func seeds() throws -> [[UInt8]] { try [(1, 1), (9, 4), (33, 40)].map { try PNGWriter.encode(picture($0, $1)) } }
}

private func picture(_ width: Int, _ height: Int) -> RGBImage {
  RGBImage(width: width, height: height, pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* $0 / 7) })
}

private func decode(_ bytes: [UInt8]) {
  guard let image = try? ImageDecoder.decode(bytes, path: "image") else { return }
  require(image.width > 0 && image.height > 0 && image.pixels.count == image.width * image.height * 3, "an image of another size")
  require(image.pixels.count <= bytes.count * 8192 * 3, "a small file with a huge image")
  let box = Letterbox(imageHeight: image.height, imageWidth: image.width, target: (64, 64))
  let fitted = box.apply(to: image)
  require(fitted.width == 64 && fitted.height == 64, "a letterbox of another size")
}
