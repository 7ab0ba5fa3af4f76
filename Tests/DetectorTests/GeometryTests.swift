// Turned, sheared and tilted crops, mixtures and mirrors: pixels against their definitions, boxes against their pixels.

import Foundation
import TestSupport
import Testing

@testable import Detector

private func noise(_ width: Int, _ height: Int, seed: UInt64) -> RGBImage {
  var random = SeededGenerator(seed: seed)
  return RGBImage(width: width, height: height, pixels: (0..<width * height * 3).map { _ in UInt8.random(in: 0...255, using: &random) })
}

@Suite struct HomographyTests {
  private func random(_ generator: inout SeededGenerator) -> Homography {
    func part(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &generator) }
    return Homography(
      [part(0.5...1.5), part(-0.4...0.4), part(-20...20)], [part(-0.4...0.4), part(0.5...1.5), part(-20...20)],
      [part(-1e-3...1e-3), part(-1e-3...1e-3), 1])
  }

  @Test func theInverseLeadsBack() throws {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<50 {
      let map = random(&generator)
      let back = try #require(map.inverse)
      let there = try #require(map.apply(x: 31, y: 17))
      let home = try #require(back.apply(x: there.x, y: there.y))
      #expect(abs(home.x - 31) < 1e-9 && abs(home.y - 17) < 1e-9)
      let product = map * back
      for (row, wanted) in zip(product.rows, [SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)] as [SIMD3<Double>]) {
        #expect(((row - wanted) * (row - wanted)).sum() < 1e-18)
      }
    }
  }

  @Test func aProductIsOneMapAfterTheOther() throws {
    var generator = SeededGenerator(seed: 4)
    let (first, second) = (random(&generator), random(&generator))
    let middle = try #require(first.apply(x: 5, y: 9))
    let wanted = try #require(second.apply(x: middle.x, y: middle.y))
    let found = try #require((second * first).apply(x: 5, y: 9))
    #expect(abs(found.x - wanted.x) < 1e-9 && abs(found.y - wanted.y) < 1e-9)
  }

  @Test func aFlattenedPlaneHasNoWayBack() { #expect(Homography([1, 1, 0], [1, 1, 0], [0, 0, 1]).inverse == nil) }

  @Test func whatLiesBehindTheViewerGoesNowhere() {
    let tilt = Homography([1, 0, 0], [0, 1, 0], [-0.01, 0, 1])
    #expect(tilt.apply(x: 50, y: 0) != nil)
    #expect(tilt.apply(x: 100, y: 0) == nil && tilt.apply(x: 200, y: 0) == nil)
    #expect(tilt.frame(left: 50, top: 0, right: 150, bottom: 10) == nil)
  }
}

@Suite struct TiltedWarpTests {
  /// Every pixel against the definition: the four neighbours, grey where they lie outside.
  @Test func everyPixelIsInterpolatedFromItsNeighbours() throws {
    let source = noise(37, 29, seed: 4)
    let motions = [
      Homography([0.9, 0.3, 3], [-0.3, 0.9, 8], [0, 0, 1]), Homography([1.4, 0, -9], [0.5, 0.8, 2], [2e-3, -3e-3, 1]),
      Homography([1, 0, 0], [0, 1, 0], [-0.05, 0, 1]),
    ]
    for motion in motions {
      let back = try #require(motion.inverse)
      let out = source.warped(to: SampleShape(width: 48, height: 32), from: back)
      #expect(out.width == 48 && out.height == 32)
      for y in 0..<32 {
        for x in 0..<48 {
          for c in 0..<3 {
            var wanted = Double(RGBImage.padding)
            if let from = back.apply(x: Double(x), y: Double(y)), abs(from.x) < 1e6, abs(from.y) < 1e6 {
              let (x0, y0) = (Int(from.x.rounded(.down)), Int(from.y.rounded(.down)))
              func at(_ x: Int, _ y: Int) -> Double {
                (0..<37).contains(x) && (0..<29).contains(y) ? Double(source.pixels[(y * 37 + x) * 3 + c]) : Double(RGBImage.padding)
              }
              let (fx, fy) = (from.x - Double(x0), from.y - Double(y0))
              wanted =
                (at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx) * (1 - fy) + (at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx) * fy
            }
            #expect(abs(Double(out.pixels[(y * 48 + x) * 3 + c]) - wanted) <= 0.51)
          }
        }
      }
    }
  }

  /// The fast path of scale and shift is the general one with such a matrix.
  @Test func scaleAndShiftAgreeWithTheGeneralMap() throws {
    let source = noise(41, 33, seed: 5)
    var random = SeededGenerator(seed: 6)
    for _ in 0..<20 {
      let scale = Float.random(in: 0.4...1.8, using: &random)
      let to = (x: Float.random(in: 0...40, using: &random), y: Float.random(in: 0...40, using: &random))
      let shape = SampleShape(width: 52, height: 36)
      let fast = source.warped(to: shape, scale: scale, from: (20.5, 16.5), at: to)
      let motion =
        Homography.moving(x: Double(to.x), y: Double(to.y)) * Homography([Double(scale), 0, 0], [0, Double(scale), 0], [0, 0, 1])
        * Homography.moving(x: -20.5, y: -16.5)
      let general = source.warped(to: shape, from: try #require(motion.inverse))
      #expect(zip(fast.pixels, general.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
    }
  }
}

@Suite struct MixtureTests {
  @Test func theShareOfAMixtureIsBeta() {
    var random = SampleRandom(seed: 3)
    let shares = (0..<2000).map { _ in random.mixingShare() }
    let mean = shares.reduce(0, +) / 2000
    let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2000
    // Beta(32, 32): mean 1/2, variance 1/260; five standard errors either way.
    #expect(abs(mean - 0.5) < 0.007)
    #expect(abs(variance * 260 - 1) < 0.16)
  }

  @Test func bothImagesAndAllObjectsAreInAMixture() {
    let box = Placed.Box(classIndex: 1, left: 0, top: 0, right: 2, bottom: 2)
    var first = Placed(image: RGBImage(width: 4, height: 4, grey: 200), boxes: [box])
    first.mix(Placed(image: RGBImage(width: 4, height: 4, grey: 100), boxes: [box, box]), share: 0.25)
    #expect(first.image == RGBImage(width: 4, height: 4, grey: 125))
    #expect(first.boxes.count == 3)
  }

  @Test func objectsEndAThousandthOfAPixelInsideTheBorder() {
    let boxes: [Placed.Box] = [
      .init(classIndex: 0, left: 4, top: 2, right: 8, bottom: 4), .init(classIndex: 1, left: -3, top: -1, right: 12, bottom: 9),
      .init(classIndex: 2, left: 8, top: 1, right: 11, bottom: 2), .init(classIndex: 2, left: -4, top: 1, right: 0, bottom: 2),
    ]
    let labels = Placed(image: RGBImage(width: 8, height: 4, grey: 0), boxes: boxes).labels
    // What lies outside is gone.
    #expect(labels.map(\.classIndex) == [0, 1])
    for (label, low) in zip(labels, [SIMD2<Float>(4, 2), SIMD2(0, 0)]) {
      let (centre, half) = (SIMD2(label.x, label.y) * SIMD2(8, 4), SIMD2(label.w, label.h) * SIMD2(8, 4) / 2)
      let (first, last) = (centre - half - low, centre + half - SIMD2(7.999, 3.999))
      #expect([first.x, first.y, last.x, last.y].allSatisfy { abs($0) < 1e-5 })
    }
  }

  @Test func upsideDownTwiceIsNothing() {
    var placed = Placed(image: noise(7, 5, seed: 1), boxes: [.init(classIndex: 0, left: 1, top: 0.5, right: 4, bottom: 2)])
    let before = placed
    placed.turnUpsideDown()
    #expect(placed.boxes[0].top == 3 && placed.boxes[0].bottom == 4.5 && placed.boxes[0].left == 1)
    #expect(Array(placed.image.pixels[0..<21]) == Array(before.image.pixels[84..<105]))
    placed.turnUpsideDown()
    #expect(placed.image == before.image && placed.boxes[0].top == 0.5)
  }
}

@Suite struct WarpTests {
  /// Every pixel against the definition: the four neighbours, grey where they lie outside.
  @Test func everyPixelIsInterpolatedFromItsNeighbours() {
    var random = SeededGenerator(seed: 4)
    let source = RGBImage(width: 37, height: 29, pixels: (0..<37 * 29 * 3).map { _ in UInt8.random(in: 0...255, using: &random) })
    for _ in 0..<20 {
      let scale = Float.random(in: 0.4...1.8, using: &random)
      let to = (x: Float.random(in: 5...40, using: &random), y: Float.random(in: 5...40, using: &random))
      let out = source.warped(to: SampleShape(width: 48, height: 48), scale: scale, from: (18.5, 14.5), at: to)
      for y in 0..<48 {
        for x in 0..<48 {
          let (sx, sy) = (Double((Float(x) - to.x) / scale + 18.5), Double((Float(y) - to.y) / scale + 14.5))
          let (x0, y0) = (Int(sx.rounded(.down)), Int(sy.rounded(.down)))
          for c in 0..<3 {
            func at(_ x: Int, _ y: Int) -> Double {
              (0..<37).contains(x) && (0..<29).contains(y) ? Double(source.pixels[(y * 37 + x) * 3 + c]) : Double(RGBImage.padding)
            }
            let (fx, fy) = (sx - Double(x0), sy - Double(y0))
            let wanted =
              (at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx) * (1 - fy) + (at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx) * fy
            #expect(abs(Double(out.pixels[(y * 48 + x) * 3 + c]) - wanted) <= 0.51)
          }
        }
      }
    }
  }
}
