// Image files against the picture that they were written from, and files that lie, end early or are no images at all.

import Foundation
import TestSupport
import Testing

@testable import Detector

private func file(_ name: String) -> String { vectorPath("images/\(name)") }

private func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name)))) }

/// Largest difference to the picture R = 8x, G = 10y, B = 4(x + y).
private func difference(_ image: RGBImage, _ expected: (_ x: Int, _ y: Int, _ channel: Int) -> Int) -> Int {
  var worst = 0
  for y in 0..<image.height {
    for x in 0..<image.width {
      for c in 0..<3 { worst = max(worst, abs(Int(image.pixels[(y * image.width + x) * 3 + c]) - expected(x, y, c))) }
    }
  }
  return worst
}

private func colour(_ x: Int, _ y: Int, _ channel: Int) -> Int { [8 * x, 10 * y, 4 * (x + y)][channel] }

@Suite struct DataImageTests {
  // JPEG at quality 97 keeps a smooth picture within a few grey levels; PNG keeps it exactly.
  @Test(arguments: [("rgb.jpg", 4), ("progressive.jpg", 4), ("rgb.png", 0), ("alpha.png", 0), ("deep.png", 0)])
  func colourImagesKeepTheirPixels(name: String, tolerance: Int) throws {
    let image = try ImageDecoder.decode(path: file(name))
    #expect(image.width == 24 && image.height == 17)
    #expect(difference(image, colour) <= tolerance)
  }

  @Test(arguments: [("grey.jpg", 4), ("grey.png", 0), ("palette.png", 0)])
  func greyImagesAreWidened(name: String, tolerance: Int) throws {
    #expect(difference(try ImageDecoder.decode(path: file(name))) { x, y, _ in 6 * (x + y) } <= tolerance)
  }

  @Test func aTurnedPhotographIsTurnedBack() throws {
    let image = try ImageDecoder.decode(path: file("turned.jpg"))
    #expect(image.width == 17 && image.height == 24)
    // Orientation 6: the stored picture's left edge is the top, its bottom the left.
    #expect(difference(image) { x, y, c in colour(y, 16 - x, c) } <= 4)
    let size = try ImageDecoder.size(path: file("turned.jpg"))
    #expect(size == (17, 24))
  }

  @Test func turningTwiceByHalfGivesTheImageBack() throws {
    let image = try ImageDecoder.decode(path: file("rgb.png"))
    for orientation in [2, 3, 4, 5, 7] { #expect(image.turned(orientation).turned(orientation) == image) }
    #expect(image.turned(6).turned(8) == image)
    #expect(image.turned(6) != image.turned(8))
    for orientation in [-1, 0, 1, 9] { #expect(image.turned(orientation) == image) }
  }

  // Noise does not compress: the widest and the tallest image need the most room beyond their pixels.
  @Test(arguments: [(33, 7), (1, 1), (1, 3000), (3000, 1), (400, 300)]) func pngWritingIsLossless(width: Int, height: Int) throws {
    var random = SeededGenerator(seed: 5)
    let pixels = (0..<width * height * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
    let image = RGBImage(width: width, height: height, pixels: pixels)
    let again = try ImageDecoder.decode(PNGWriter.encode(image), path: "made here")
    #expect(again == image)
  }

  @Test(arguments: ["rgb.jpg", "progressive.jpg", "turned.jpg", "rgb.png", "deep.png", "palette.png"])
  func everyTruncationIsRefused(name: String) throws {
    let whole = try bytes(name)
    // JPEG readers supply a missing end marker themselves, PNG's last chunk is empty: cuts inside those change no pixel.
    for count in 0..<(whole.count - 12) {
      #expect(throws: DataError.self, "\(count) of \(whole.count) bytes") {
        try ImageDecoder.decode(Array(whole[..<count]), path: name)
      }
    }
  }

  @Test(arguments: ["rgb.jpg", "turned.jpg", "rgb.png", "palette.png"])
  func damageNeverCrashes(name: String) throws {
    let whole = try bytes(name)
    var random = SeededGenerator(seed: 11)
    for _ in 0..<1500 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      // Any image or any `DataError` will do; what counts is that it comes back and that the sizes agree.
      if let image = try? ImageDecoder.decode(damaged, path: name) { #expect(image.pixels.count == image.width * image.height * 3) }
    }
  }

  @Test func aPromiseOfBillionsOfPixelsIsRefusedBeforeMemoryIsSetAside() throws {
    let error = #expect(throws: DataError.self) { try ImageDecoder.decode(path: file("huge.png")) }
    #expect(error?.code == .tooLarge)
    #expect(error?.path == file("huge.png"))
  }

  @Test func cmykIsRefused() {
    let error = #expect(throws: DataError.self) { try ImageDecoder.decode(path: file("cmyk.jpg")) }
    #expect(error?.code == .badImage)
  }

  @Test func whatIsNoImageIsNamed() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/note.jpg"
      try "these are words".write(toFile: path, atomically: false, encoding: .utf8)
      let error = #expect(throws: DataError.self) { try ImageDecoder.decode(path: path) }
      #expect(error?.code == .badImage)
      #expect(error?.message.hasPrefix(path + ": ") == true)
      #expect(error?.hint.isEmpty == false)
      try Data().write(to: URL(fileURLWithPath: folder + "/empty.png"))
      #expect(throws: DataError.self) { try ImageDecoder.size(path: folder + "/empty.png") }
      #expect(throws: DataError.self) { try ImageDecoder.decode(path: folder + "/absent.png") }
      #expect(throws: DataError.self) { try ImageDecoder.decode(path: folder) }
    }
  }

  @Test func exifThatPointsOutsideCountsAsUpright() throws {
    let whole = try bytes("turned.jpg")
    // The APP1 body starts at 6; every byte of its TIFF header set to 255 in turn must neither crash nor read elsewhere.
    for at in 4..<40 {
      var damaged = whole
      damaged[at] = 0xff
      #expect((1...8).contains(Orientation.ofJPEG(damaged)))
    }
    #expect(Orientation.ofJPEG(Array(whole[..<20])) == 1)
    #expect(Orientation.ofJPEG([]) == 1)
  }
}
