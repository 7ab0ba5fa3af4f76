// Boxes must follow their pixels: every training image holds one coloured rectangle, and after any augmentation each label must frame pixels
// of its class's colour. Randomness must follow from (seed, epoch, index) alone.

import Foundation
import TestSupport
import Testing

@testable import Detector

/// Six images of different proportions, each with one rectangle in its class's colour on black.
enum Rectangles {
  static let colours: [(UInt8, UInt8, UInt8)] = [(250, 20, 20), (20, 250, 20), (20, 20, 250)]
  static let sizes = [(96, 96), (96, 64), (48, 96), (128, 72), (60, 60), (96, 90)]

  static func with(_ body: (Dataset) throws -> Void) throws {
    try withTemporaryFolder { folder in
      for kind in ["images", "labels"] {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(kind)", withIntermediateDirectories: true)
      }
      for (index, (width, height)) in sizes.enumerated() {
        let (left, top) = (width / 5 + index, height / 4)
        let (right, bottom) = (width * 4 / 5, height * 3 / 4 - index)
        var image = RGBImage(width: width, height: height, grey: 0)
        let (red, green, blue) = colours[index % 3]
        for y in top..<bottom {
          for x in left..<right { image.pixels.replaceSubrange((y * width + x) * 3..<(y * width + x) * 3 + 3, with: [red, green, blue]) }
        }
        try Data(PNGWriter.encode(image)).write(to: URL(fileURLWithPath: "\(folder)/images/\(index).png"))
        let (w, h) = (Double(width), Double(height))
        let row = [Double(left + right) / 2 / w, Double(top + bottom) / 2 / h, Double(right - left) / w, Double(bottom - top) / h]
        try "\(index % 3) \(row.map { "\($0)" }.joined(separator: " "))\n"
          .write(toFile: "\(folder)/labels/\(index).txt", atomically: false, encoding: .utf8)
      }
      try "train: images\nnames: [red, green, blue]\n".write(toFile: folder + "/data.yaml", atomically: false, encoding: .utf8)
      try body(Dataset(yaml: folder + "/data.yaml", split: .train))
    }
  }

  /// Which class's colour a pixel has; nil for background, border and mixtures.
  static func classIndex(_ image: RGBImage, _ x: Int, _ y: Int) -> Int? {
    let at = (y * image.width + x) * 3
    let rgb = [Int(image.pixels[at]), Int(image.pixels[at + 1]), Int(image.pixels[at + 2])]
    guard let strongest = rgb.indices.max(by: { rgb[$0] < rgb[$1] }), rgb[strongest] > 150 else { return nil }
    return rgb.indices.allSatisfy { $0 == strongest || rgb[$0] < 80 } ? strongest : nil
  }
}

private func geometryOnly(mosaic: Double) -> AugmentationSettings {
  var settings = AugmentationSettings()
  (settings.mosaic, settings.hue, settings.saturation, settings.value) = (mosaic, 0, 0, 0)
  return settings
}

func augmentation(_ data: Dataset, _ settings: AugmentationSettings, side: Int = 96, seed: UInt64 = 7) -> Augmentation {
  Augmentation(store: ImageStore(dataset: data, imageSize: side, shrinkFilter: .bilinear), settings: settings, seed: seed)
}

@Suite struct AugmentationTests {
  @Test(arguments: [0.0, 1.0]) func labelsFrameTheirPixels(mosaic: Double) throws {
    try Rectangles.with { data in
      let maker = augmentation(data, geometryOnly(mosaic: mosaic))
      var (labels, coloured, uncovered) = (0, 0, 0)
      for epoch in 0..<20 {
        for index in 0..<data.count {
          let sample = try maker.sample(index, epoch: epoch)
          labels += sample.labels.count
          check(sample)
          let (all, missed) = coverage(sample)
          (coloured, uncovered) = (coloured + all, uncovered + missed)
        }
      }
      #expect(labels > 60)
      // What is left of a box that cropping dropped may stay visible; that is a sliver.
      #expect(uncovered * 50 < coloured, "\(uncovered) of \(coloured) coloured pixels belong to no label")
    }
  }

  /// The inside of each label has its colour; just outside, where the image goes on, it ends.
  private func check(_ sample: TrainingSample) {
    let side = Float(sample.image.width)
    for label in sample.labels {
      let (left, right) = ((label.x - label.w / 2) * side, (label.x + label.w / 2) * side)
      let (top, bottom) = ((label.y - label.h / 2) * side, (label.y + label.h / 2) * side)
      #expect(left >= -0.01 && top >= -0.01 && right <= side + 0.01 && bottom <= side + 0.01)
      let (middleX, middleY) = (min(Int(label.x * side), Int(side) - 1), min(Int(label.y * side), Int(side) - 1))
      func has(_ x: Float, _ y: Float) -> Bool { Rectangles.classIndex(sample.image, Int(x), Int(y)) == label.classIndex }
      #expect(has(Float(middleX), Float(middleY)))
      if label.w * side > 6 {
        #expect(has(left + 2, Float(middleY)) && has(right - 2.5, Float(middleY)))
        if left > 3 { #expect(!has(left - 2.5, Float(middleY))) }
        if right < side - 3 { #expect(!has(right + 2, Float(middleY))) }
      }
      if label.h * side > 6 {
        #expect(has(Float(middleX), top + 2) && has(Float(middleX), bottom - 2.5))
        if top > 3 { #expect(!has(Float(middleX), top - 2.5)) }
        if bottom < side - 3 { #expect(!has(Float(middleX), bottom + 2)) }
      }
    }
  }

  /// Coloured pixels, and those of them in no label of that colour.
  private func coverage(_ sample: TrainingSample) -> (all: Int, missed: Int) {
    let side = sample.image.width
    var (all, missed) = (0, 0)
    for y in 0..<side {
      for x in 0..<side {
        guard let classIndex = Rectangles.classIndex(sample.image, x, y) else { continue }
        all += 1
        let (px, py) = ((Float(x) + 0.5) / Float(side), (Float(y) + 0.5) / Float(side))
        let slack = 1.5 / Float(side)
        let isCovered = sample.labels.contains {
          $0.classIndex == classIndex && abs(px - $0.x) <= $0.w / 2 + slack && abs(py - $0.y) <= $0.h / 2 + slack
        }
        if !isCovered { missed += 1 }
      }
    }
    return (all, missed)
  }

  /// Turned, sheared and tilted: boxes get loose, but still cover all that is coloured.
  @Test(arguments: [0.0, 1.0], ["degrees", "shear", "perspective", "all"])
  func tiltedLabelsCoverTheirPixels(mosaic: Double, what: String) throws {
    try Rectangles.with { data in
      var settings = geometryOnly(mosaic: mosaic)
      if what == "degrees" || what == "all" { settings.degrees = 25 }
      if what == "shear" || what == "all" { settings.shear = 12 }
      if what == "perspective" || what == "all" { settings.perspective = 0.001 }
      settings.flipUpDown = 0.5
      let maker = augmentation(data, settings)
      var (labels, coloured, uncovered) = (0, 0, 0)
      for epoch in 0..<20 {
        for index in 0..<data.count {
          let sample = try maker.sample(index, epoch: epoch)
          labels += sample.labels.count
          let (all, missed) = coverage(sample)
          (coloured, uncovered) = (coloured + all, uncovered + missed)
          #expect(sample.labels.allSatisfy { (0...1).contains($0.x) && (0...1).contains($0.y) && $0.w <= 1 && $0.h <= 1 })
        }
      }
      #expect(labels > 60)
      #expect(uncovered * 40 < coloured, "\(uncovered) of \(coloured) coloured pixels belong to no label")
    }
  }

  @Test func aMixtureHasTheObjectsOfTwoMosaics() throws {
    try Rectangles.with { data in
      var (plain, mixing) = (geometryOnly(mosaic: 1), geometryOnly(mosaic: 1))
      mixing.mixup = 1
      plain.flip = 0
      mixing.flip = 0
      let (alone, mixed) = (augmentation(data, plain), augmentation(data, mixing))
      var (fewer, more) = (0, 0)
      for epoch in 0..<20 {
        let (first, both) = (try alone.sample(0, epoch: epoch), try mixed.sample(0, epoch: epoch))
        // The first mosaic is drawn before anything of the second.
        #expect(Array(both.labels.prefix(first.labels.count)) == first.labels)
        (fewer, more) = (fewer + first.labels.count, more + both.labels.count)
        #expect(both.image != first.image)
      }
      #expect(more * 2 > fewer * 3)
    }
  }

  @Test func rectanglesComeInTheirShapeAndNeverAsMosaics() throws {
    try Rectangles.with { data in
      let maker = augmentation(data, geometryOnly(mosaic: 1))
      let shape = SampleShape(width: 96, height: 64)
      for epoch in 0..<20 {
        let sample = try maker.sample(1, epoch: epoch, shape: shape)
        #expect(sample.image.width == 96 && sample.image.height == 64)
        #expect(sample.labels.allSatisfy { $0.classIndex == 1 })
      }
      let (images, _) = try augmentation(data, .none).batch([1, 3], epoch: 0, shape: shape)
      #expect((images.count, images.width, images.height) == (2, 96, 64))
    }
  }

  @Test func mosaicsAreFilledFromTheGivenPartners() throws {
    try Rectangles.with { data in
      let maker = augmentation(data, geometryOnly(mosaic: 1))
      var seen: Set<Int> = []
      for epoch in 0..<30 { seen.formUnion(try maker.sample(0, epoch: epoch, partners: [3]).labels.map(\.classIndex)) }
      #expect(seen == [0])
    }
  }

  @Test func aSampleDependsOnSeedEpochAndIndexAlone() throws {
    try Rectangles.with { data in
      let maker = augmentation(data, AugmentationSettings())
      let first = try (0..<data.count).map { try maker.sample($0, epoch: 3) }
      // Another store, the other way round, after other samples were drawn.
      let again = augmentation(data, AugmentationSettings())
      _ = try again.sample(0, epoch: 1)
      for index in (0..<data.count).reversed() {
        let sample = try again.sample(index, epoch: 3)
        #expect(sample.image == first[index].image && sample.labels == first[index].labels)
        #expect(try maker.sample(index, epoch: 4).image != first[index].image)
        #expect(try augmentation(data, AugmentationSettings(), seed: 8).sample(index, epoch: 3).image != first[index].image)
      }
      #expect(first[0].image != first[1].image)
    }
  }

  @Test func threadsDoNotChangeWhatTheyMake() throws {
    try Rectangles.with { data in
      let maker = augmentation(data, AugmentationSettings())
      let alone = try (0..<24).map { try maker.sample($0 % data.count, epoch: $0).image }
      let shared = augmentation(data, AugmentationSettings())
      let together = ImageBox(count: 24)
      DispatchQueue.concurrentPerform(iterations: 24) { index in
        together.set(index, try? shared.sample(index % data.count, epoch: index).image)
      }
      #expect(together.images == alone)
    }
  }

  @Test func withoutAugmentationTheLetterboxedImageComesOut() throws {
    try Rectangles.with { data in
      let maker = augmentation(data, .none)
      for index in 0..<data.count {
        let source = try maker.store.image(index)
        let box = Letterbox(imageHeight: source.height, imageWidth: source.width, target: (96, 96))
        let sample = try maker.sample(index, epoch: 9)
        #expect(sample.image == box.apply(to: source))
        #expect(try maker.sample(index, epoch: 0).image == sample.image)
        check(sample)
      }
    }
  }

  @Test func aBatchIsItsSamplesInOrder() throws {
    try Rectangles.with { data in
      let maker = augmentation(data, AugmentationSettings())
      let (images, targets) = try maker.batch([4, 0, 2], epoch: 5)
      #expect(images.count == 3 && images.height == 96 && images.width == 96)
      for (position, index) in [4, 0, 2].enumerated() {
        let sample = try maker.sample(index, epoch: 5)
        let size = 96 * 96 * 3
        let part = images.pixels[position * size..<(position + 1) * size]
        #expect(zip(part, sample.image.pixels).allSatisfy { abs($0 * 255 - Float($1)) < 1e-3 })
        #expect(targets.filter { $0.image == position }.count == sample.labels.count)
      }
      #expect(images.pixels.allSatisfy { (0...1).contains($0) })
    }
  }

  @Test func aMirrorShowsUpInAboutHalfOfTheImages() throws {
    try Rectangles.with { data in
      var settings = AugmentationSettings.none
      settings.flip = 0.5
      let maker = augmentation(data, settings)
      let plain = try augmentation(data, .none).sample(0, epoch: 0)
      let mirrored = try (0..<400).filter { try maker.sample(0, epoch: $0).image != plain.image }.count
      // Binomial(400, 1/2): outside 150…250 with probability below 1e-6; the seed is fixed.
      #expect((150...250).contains(mirrored))
    }
  }

  @Test func everyQuarterOfAMosaicIsUsed() throws {
    try Rectangles.with { data in
      let maker = augmentation(data, geometryOnly(mosaic: 1))
      var seen: Set<Int> = []
      for epoch in 0..<30 { seen.formUnion(try maker.sample(0, epoch: epoch).labels.map(\.classIndex)) }
      // Image 0 alone would show class 0 only.
      #expect(seen == [0, 1, 2])
    }
  }
}

/// A box for results of several threads.
private final class ImageBox: @unchecked Sendable {
  private let lock = NSLock()
  private(set) var images: [RGBImage?]
  init(count: Int) { images = Array(repeating: nil, count: count) }
  func set(_ index: Int, _ image: RGBImage?) { lock.withLock { images[index] = image } }
}
