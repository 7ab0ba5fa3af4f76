// EXIF orientation of JPEG files: YOLOv5's loader turns such images before training, and label tools show them turned, so labels
// belong to the turned pixels. Invariant: the walk over the file's segments never leaves its bytes; what it does not understand counts
// as "not turned".

enum Orientation {
  /// The orientation (1…8) that a JPEG file asks for; 1 where it asks for none. EXIF 2.3, section 4.6.4, tag 0x0112.
  static func ofJPEG(_ bytes: [UInt8]) -> Int {
    var at = 2
    while at + 4 <= bytes.count, bytes[at] == 0xff {
      let marker = bytes[at + 1]
      // The scan or the end of the image: nothing that describes it comes after.
      if marker == 0xda || marker == 0xd9 { return 1 }
      let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
      guard length >= 2, at + 2 + length <= bytes.count else { return 1 }
      if marker == 0xe1, let value = exif(Array(bytes[(at + 4)..<(at + 2 + length)])) { return value }
      at += 2 + length
    }
    return 1
  }

  /// Reads the tag from the first directory of an APP1 segment's body.
  private static func exif(_ body: [UInt8]) -> Int? {
    guard body.count >= 14, body.starts(with: Array("Exif".utf8) + [0, 0]) else { return nil }
    let tiff = Array(body[6...])
    let isLittleEndian = tiff[0] == UInt8(ascii: "I")
    func number(_ at: Int, bytes: Int) -> Int? {
      guard at >= 0, at + bytes <= tiff.count else { return nil }
      let field = tiff[at..<(at + bytes)]
      return (isLittleEndian ? field.reversed() : Array(field)).reduce(0) { $0 << 8 | Int($1) }
    }
    guard number(2, bytes: 2) == 42, let directory = number(4, bytes: 4), let entries = number(directory, bytes: 2) else { return nil }
    for entry in 0..<entries {
      let at = directory + 2 + entry * 12
      guard let tag = number(at, bytes: 2) else { return nil }
      guard tag == 0x0112 else { continue }
      return number(at + 8, bytes: 2).flatMap { (1...8).contains($0) ? $0 : nil }
    }
    return nil
  }
}

extension RGBImage {
  /// The image turned and mirrored as EXIF orientation 2…8 asks; unchanged for 1.
  func turned(_ orientation: Int) -> RGBImage {
    guard (2...8).contains(orientation) else { return self }
    let (newWidth, newHeight) = orientation >= 5 ? (height, width) : (width, height)
    let (lastX, lastY) = (width - 1, height - 1)
    var out = [UInt8](repeating: 0, count: pixels.count)
    for y in 0..<newHeight {
      for x in 0..<newWidth {
        let (fromX, fromY) =
          switch orientation {
          case 2: (lastX - x, y)
          case 3: (lastX - x, lastY - y)
          case 4: (x, lastY - y)
          case 5: (y, x)
          case 6: (y, lastY - x)
          case 7: (lastX - y, lastY - x)
          default: (lastX - y, x)
          }
        let (from, to) = ((fromY * width + fromX) * 3, (y * newWidth + x) * 3)
        for channel in 0..<3 { out[to + channel] = pixels[from + channel] }
      }
    }
    return RGBImage(width: newWidth, height: newHeight, pixels: out)
  }
}
