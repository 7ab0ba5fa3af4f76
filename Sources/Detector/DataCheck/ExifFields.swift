// What a JPEG's EXIF block says about how the image is to be turned (EXIF 2.3, sections 4.6.2 to 4.6.4), read for its faults: tools
// that turn the pixels and keep the tag make every later reader turn them again, and labels then lie beside their objects.
// Invariant: the walk never leaves the file's bytes.

struct ExifFields: Equatable {
  /// Tag 0x0112 as it stands, also outside 1…8; nil where there is none.
  var orientation: Int?
  /// Tags 0xA002 and 0xA003: the size in pixels that the camera wrote.
  var width: Int?
  var height: Int?
  /// The block is there and its directory cannot be read.
  var isDamaged = false

  /// Nil where the file has no EXIF block.
  static func ofJPEG(_ bytes: [UInt8]) -> ExifFields? {
    var at = 2
    while at + 4 <= bytes.count, bytes[at] == 0xff, bytes[at + 1] != 0xda, bytes[at + 1] != 0xd9 {
      let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
      guard length >= 2, at + 2 + length <= bytes.count else { return nil }
      let body = bytes[(at + 4)..<(at + 2 + length)]
      if bytes[at + 1] == 0xe1, body.starts(with: Array("Exif".utf8) + [0, 0]) { return ExifFields(tiff: Array(body.dropFirst(6))) }
      at += 2 + length
    }
    return nil
  }

  private init(tiff: [UInt8]) {
    guard tiff.count >= 8, tiff[0] == tiff[1], tiff[0] == UInt8(ascii: "I") || tiff[0] == UInt8(ascii: "M") else {
      isDamaged = true
      return
    }
    let isLittleEndian = tiff[0] == UInt8(ascii: "I")
    func number(_ at: Int, bytes: Int) -> Int? {
      guard at >= 0, at + bytes <= tiff.count else { return nil }
      let field = tiff[at..<(at + bytes)]
      return (isLittleEndian ? field.reversed() : Array(field)).reduce(0) { $0 << 8 | Int($1) }
    }
    /// The entries of the directory at `start`: type and place of the value by tag; nil where it is cut.
    func directory(_ start: Int) -> [Int: (type: Int, at: Int)]? {
      guard let count = number(start, bytes: 2), start + 2 + count * 12 <= tiff.count else { return nil }
      var entries: [Int: (type: Int, at: Int)] = [:]
      for entry in 0..<count {
        let at = start + 2 + entry * 12
        guard let tag = number(at, bytes: 2), let type = number(at + 2, bytes: 2) else { return nil }
        entries[tag] = (type, at + 8)
      }
      return entries
    }
    func value(_ entry: (type: Int, at: Int)?) -> Int? { entry.flatMap { number($0.at, bytes: $0.type == 3 ? 2 : 4) } }
    guard number(2, bytes: 2) == 42, let first = number(4, bytes: 4), let main = directory(first) else {
      isDamaged = true
      return
    }
    orientation = value(main[0x0112].map { (3, $0.at) })
    // A cut or missing sub-directory only costs the size, which is a second opinion.
    guard let start = value(main[0x8769]), let sub = directory(start) else { return }
    width = value(sub[0xa002])
    height = value(sub[0xa003])
  }

  /// What is wrong or worth knowing about an image of this size in the file (before turning).
  func finding(storedWidth: Int, storedHeight: Int, file: String) -> DataFault? {
    if isDamaged { return DataFault(.exif, file, "the EXIF block is damaged: tools differ in whether they turn the image") }
    guard let orientation, orientation != 0, orientation != 1 else { return nil }
    guard (2...8).contains(orientation) else {
      return DataFault(.exif, file, "EXIF orientation \(orientation) does not exist (1 to 8): tools differ in what they make of it")
    }
    let stored = "\(storedWidth)×\(storedHeight)"
    if orientation >= 5, let width, let height, width != height, storedWidth != storedHeight,
      (width > height) != (storedWidth > storedHeight)
    {
      let detail =
        "turned twice: EXIF speaks of \(width)×\(height) pixels and a turn, but the \(stored) pixels of the file are turned already"
      return DataFault(.exif, file, detail)
    }
    let shown = orientation >= 5 ? "\(storedHeight)×\(storedWidth)" : stored
    return DataFault(.turnedImage, file, "stored \(stored), shown \(shown) (EXIF orientation \(orientation))")
  }
}
