// The 70,000 real 28×28 images of Debian's `dataset-fashion-mnist` (MIT licence), read from their gzipped IDX files. Every size in the
// files is checked: they come from outside.
import CZlib
import Foundation

/// Grey images of garments with their ten original labels.
struct FashionImages: Sendable {
  static let side = 28
  /// `count` × 784 grey values, row by row; 0 is background.
  let pixels: [UInt8]
  let labels: [UInt8]

  var count: Int { labels.count }

  func image(_ index: Int) -> ArraySlice<UInt8> {
    pixels[index * Self.side * Self.side..<(index + 1) * Self.side * Self.side]
  }

  /// Some of the images, in their order.
  func part(_ range: Range<Int>) -> FashionImages {
    let range = range.clamped(to: 0..<count)
    let values = Self.side * Self.side
    return FashionImages(
      pixels: Array(pixels[range.lowerBound * values..<range.upperBound * values]), labels: Array(labels[range]))
  }

  /// Reads the `train` or `t10k` half.
  static func load(_ half: String, folder: String) throws(DemoError) -> FashionImages {
    let images = try unzip("\(folder)/\(half)-images-idx3-ubyte.gz", limit: 64 << 20)
    let labels = try unzip("\(folder)/\(half)-labels-idx1-ubyte.gz", limit: 1 << 20)
    let count = labels.count - 8
    guard count > 0, word(labels, 0) == 0x801, word(labels, 4) == count, images.count == 16 + count * side * side,
      word(images, 0) == 0x803, word(images, 4) == count, word(images, 8) == side, word(images, 12) == side
    else { throw DemoError(.dataMissing, "\(folder) does not hold Fashion-MNIST in its IDX format") }
    let classes = Array(labels[8...])
    guard classes.allSatisfy({ $0 < 10 }) else { throw DemoError(.dataMissing, "\(folder): a label is outside 0…9") }
    return FashionImages(pixels: Array(images[16...]), labels: classes)
  }

  private static func word(_ bytes: [UInt8], _ at: Int) -> Int {
    bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
  }

  private static func unzip(_ path: String, limit: Int) throws(DemoError) -> [UInt8] {
    guard let file = gzopen(path, "rb") else {
      throw DemoError(.dataMissing, "\(path) cannot be opened")
    }
    defer { gzclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= limit {
      let got = gzread(file, &buffer, UInt32(buffer.count))
      guard got >= 0 else { throw DemoError(.dataMissing, "\(path) is damaged") }
      if got == 0 { break }
      bytes += buffer[..<Int(got)]
    }
    guard bytes.count >= 16, bytes.count <= limit else { throw DemoError(.dataMissing, "\(path) has an unexpected size") }
    return bytes
  }
}
