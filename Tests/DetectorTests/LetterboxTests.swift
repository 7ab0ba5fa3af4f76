// Letterbox geometry to the pixel and pixels within 1 of the recorded ones; what resizing must hold for any image.

import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct LetterboxTests {
  struct Case: Decodable, CustomTestStringConvertible {
    var k: Int
    var h: Int
    var w: Int
    var newShape: [Int]
    var auto: Bool
    var scaleup: Bool
    var outHw: [Int]
    var ratio: [Double]
    var dw: Double
    var dh: Double
    var testDescription: String { "\(h)x\(w) into \(newShape[0])x\(newShape[1])\(auto ? ", auto" : "")\(scaleup ? "" : ", no growth")" }
    var box: Letterbox {
      Letterbox(imageHeight: h, imageWidth: w, target: (newShape[0], newShape[1]), minimal: auto, scaleUp: scaleup)
    }
  }

  static let cases: [Case] = {
    let data = try? Data(contentsOf: URL(fileURLWithPath: vectorPath("letterbox.json")))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return data.flatMap { try? decoder.decode([Case].self, from: $0) } ?? []
  }()

  @Test func allTwelveAreThere() { #expect(Self.cases.count == 12) }

  @Test(arguments: cases) func geometryIsExact(vector: Case) {
    let box = vector.box
    #expect([box.height, box.width] == vector.outHw)
    #expect(box.ratio == vector.ratio[0])
    #expect(box.dw == vector.dw && box.dh == vector.dh)
  }

  @Test(arguments: cases) func pixelsAreWithinOne(vector: Case) throws {
    let file = try SafetensorsFile.read(path: vectorPath("letterbox.safetensors"))
    let source = RGBImage(width: vector.w, height: vector.h, pixels: Array(try file.entry("in\(vector.k)").data))
    let expected = Array(try file.entry("out\(vector.k)").data)
    let out = vector.box.apply(to: source)
    try #require(out.pixels.count == expected.count)
    let worst = zip(out.pixels, expected).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
    #expect(worst <= 1)
  }

  @Test func extremeStripsKeepAPixel() {
    for (height, width) in [(1, 10_000), (10_000, 1)] {
      let box = Letterbox(imageHeight: height, imageWidth: width, target: (32, 32))
      #expect(box.innerWidth >= 1 && box.innerHeight >= 1)
      #expect(box.width == 32 && box.height == 32)
      let out = box.apply(to: RGBImage(width: width, height: height, grey: 9))
      #expect(out.pixels.contains(9) && out.pixels.contains(RGBImage.padding))
    }
  }

  @Test func everySizeFillsItsTarget() {
    for height in 1...70 {
      for width in stride(from: 1, through: 140, by: 3) {
        let box = Letterbox(imageHeight: height, imageWidth: width, target: (64, 96))
        #expect(box.height == 64 && box.width == 96)
        #expect(box.left + box.innerWidth <= 96 && box.top + box.innerHeight <= 64)
      }
    }
  }
}

@Suite struct ResizeTests {
  private static func noise(_ width: Int, _ height: Int, seed: UInt64) -> RGBImage {
    var random = SeededGenerator(seed: seed)
    return RGBImage(width: width, height: height, pixels: (0..<width * height * 3).map { _ in UInt8.random(in: 0...255, using: &random) })
  }

  @Test(arguments: [RGBImage.Filter.bilinear, .area]) func aUniformImageStaysUniform(filter: RGBImage.Filter) {
    for (width, height) in [(1, 1), (7, 3), (64, 5), (13, 200)] {
      let out = RGBImage(width: 31, height: 17, grey: 201).resized(width: width, height: height, filter: filter)
      #expect(out == RGBImage(width: width, height: height, grey: 201))
    }
  }

  @Test func areaByAWholeFactorIsTheMeanOfEachBlock() {
    let source = Self.noise(24, 12, seed: 3)
    let out = source.resized(width: 8, height: 4, filter: .area)
    for y in 0..<4 {
      for x in 0..<8 {
        for c in 0..<3 {
          var sum = 0
          for dy in 0..<3 { for dx in 0..<3 { sum += Int(source.pixels[((y * 3 + dy) * 24 + x * 3 + dx) * 3 + c]) } }
          #expect(abs(Double(out.pixels[(y * 8 + x) * 3 + c]) - Double(sum) / 9) <= 0.51)
        }
      }
    }
  }

  @Test func areaKeepsTheMean() {
    let source = Self.noise(97, 61, seed: 4)
    func mean(_ image: RGBImage) -> Double { Double(image.pixels.reduce(0) { $0 + Int($1) }) / Double(image.pixels.count) }
    for (width, height) in [(96, 60), (50, 31), (13, 7), (1, 1)] {
      #expect(abs(mean(source.resized(width: width, height: height, filter: .area)) - mean(source)) < 0.5)
    }
  }

  @Test func bilinearDiffersFromAreaWhenShrinking() {
    let source = Self.noise(64, 64, seed: 6)
    #expect(source.resized(width: 16, height: 16, filter: .bilinear) != source.resized(width: 16, height: 16, filter: .area))
  }
}
