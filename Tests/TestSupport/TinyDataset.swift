// A small detection data set made on the spot: coloured rectangles on grey, as PNG files with YOLO labels. The PNG is
// written by hand (stored blocks), so that tests of readers do not depend on this project's own writer.

import Foundation

/// A data set in a folder, with `data.yaml`, `images/` and `labels/`.
public struct TinyDataset {
  public let folder: String
  public var yaml: String { "\(folder)/data.yaml" }

  public func image(_ split: String, _ index: Int) -> String { "\(folder)/images/\(split)/\(index).png" }
  public func labels(_ split: String, _ index: Int) -> String { "\(folder)/labels/\(split)/\(index).txt" }

  /// - Parameters:
  ///   - size: side of the square images in pixels.
  ///   - classes: each class has a colour of its own.
  public init(folder: String, training: Int, validation: Int, size: Int = 64, classes: Int = 2, seed: UInt64 = 1) throws {
    self.folder = folder
    var generator = SeededGenerator(seed: seed)
    for (split, count) in [("train", training), ("val", validation)] {
      for kind in ["images", "labels"] {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(kind)/\(split)", withIntermediateDirectories: true)
      }
      for index in 0..<count {
        let scene = Self.scene(size: size, classes: classes, &generator)
        try Data(testPNG(width: size, height: size, rgb: scene.pixels)).write(to: URL(fileURLWithPath: image(split, index)))
        try scene.labels.write(toFile: labels(split, index), atomically: true, encoding: .utf8)
      }
    }
    let names = (0..<classes).map { "kind\($0)" }.joined(separator: ", ")
    let text = "path: .\ntrain: images/train\nval: images/val\nnames: [\(names)]\n"
    try text.write(toFile: yaml, atomically: true, encoding: .utf8)
  }

  private static func scene(
    size: Int, classes: Int, _ generator: inout SeededGenerator
  ) -> (pixels: [UInt8], labels: String) {
    var pixels = [UInt8](repeating: 90, count: size * size * 3)
    let side = Int.random(in: (size / 4)...(size / 2), using: &generator)
    let left = Int.random(in: 0...(size - side), using: &generator)
    let top = Int.random(in: 0...(size - side), using: &generator)
    let kind = Int.random(in: 0..<classes, using: &generator)
    for y in top..<(top + side) {
      for x in left..<(left + side) {
        for channel in 0..<3 { pixels[(y * size + x) * 3 + channel] = channel == kind % 3 ? 250 : 20 }
      }
    }
    let scale = Double(size)
    let numbers = [Double(left) + Double(side) / 2, Double(top) + Double(side) / 2, Double(side), Double(side)]
    let row = numbers.map { String(format: "%.6f", $0 / scale) }.joined(separator: " ")
    return (pixels, "\(kind) \(row)\n")
  }
}

/// An 8-bit RGB image as a PNG file without compression.
public func testPNG(width: Int, height: Int, rgb: [UInt8]) -> [UInt8] {
  func bigEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
  func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
    let content = Array(name.utf8) + body
    var check: UInt32 = 0xFFFF_FFFF
    for byte in content {
      check ^= UInt32(byte)
      for _ in 0..<8 { check = check & 1 == 1 ? check >> 1 ^ 0xEDB8_8320 : check >> 1 }
    }
    return bigEndian(UInt32(body.count)) + content + bigEndian(~check)
  }
  var rows: [UInt8] = []
  for y in 0..<height { rows += [0] + rgb[(y * width * 3)..<((y + 1) * width * 3)] }
  var packed: [UInt8] = [0x78, 0x01]
  var start = 0
  while start < rows.count {
    let end = min(start + 65_535, rows.count)
    let length = UInt16(end - start)
    packed += [end == rows.count ? 1 : 0, UInt8(length & 255), UInt8(length >> 8), UInt8(~length & 255), UInt8(~length >> 8)]
    packed += rows[start..<end]
    start = end
  }
  var (a, b): (UInt32, UInt32) = (1, 0)
  for byte in rows { (a, b) = ((a + UInt32(byte)) % 65_521, (a + UInt32(byte) + b) % 65_521) }
  packed += bigEndian(b << 16 | a)
  let header = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, 2, 0, 0, 0]
  return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header) + chunk("IDAT", packed) + chunk("IEND", [])
}
