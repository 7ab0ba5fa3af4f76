// Boxes must follow their pixels: every training image holds one coloured rectangle, and after any augmentation each label must frame pixels of
// its class's colour. Randomness must follow from (seed, epoch, index) alone.

import Foundation
import TestSupport
import Testing

@testable import Detector

/// Six images of different proportions, each with one rectangle in its class's colour on black.
private enum Rectangles {
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

private func augmentation(_ data: Dataset, _ settings: AugmentationSettings, side: Int = 96, seed: UInt64 = 7) -> Augmentation {
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

@Suite struct ColourShiftTests {
  private static func shifted(_ pixels: [UInt8], hue: Double = 0, saturation: Double = 0, value: Double = 0, seed: UInt64 = 1) -> [UInt8] {
    var settings = AugmentationSettings.none
    (settings.hue, settings.saturation, settings.value) = (hue, saturation, value)
    var random = SampleRandom(seed: seed)
    var out = pixels
    ColourShift(settings, &random).apply(to: &out)
    return out
  }

  private static let noise: [UInt8] = {
    var random = SeededGenerator(seed: 21)
    return (0..<3000).map { _ in UInt8.random(in: 0...255, using: &random) }
  }()

  @Test func noShiftChangesNothingButRounding() {
    // Hue in steps of two degrees costs up to 255 / 30 / 2 grey levels.
    let worst = zip(Self.shifted(Self.noise), Self.noise).map { abs(Int($0) - Int($1)) }.max() ?? 99
    #expect(worst <= 6)
  }

  @Test func greyKeepsItsGreyWhateverTheHueAndSaturation() {
    let grey = (0...255).flatMap { [UInt8](repeating: UInt8($0), count: 3) }
    for seed in 1...5 as ClosedRange<UInt64> { #expect(Self.shifted(grey, hue: 0.5, saturation: 0.9, seed: seed) == grey) }
  }

  @Test func valueScalesTheBrightestChannel() {
    for seed in 1...20 as ClosedRange<UInt64> {
      let out = Self.shifted([200, 100, 50], value: 0.4, seed: seed)
      #expect((119...255).contains(Int(out[0])))
      #expect(out[0] >= out[1] && out[1] >= out[2])
    }
  }

  @Test func blackStaysBlackAndExtremesStayInRange() {
    #expect(Self.shifted([0, 0, 0], hue: 1, saturation: 1, value: 1) == [0, 0, 0])
    for seed in 1...50 as ClosedRange<UInt64> {
      #expect(Self.shifted(Self.noise, hue: 1, saturation: 1, value: 1, seed: seed).count == 3000)
    }
  }

  /// Against the definition, with every division written out: one grey level of rounding.
  @Test func tablesGiveWhatTheDefinitionGives() {
    for seed in 1...8 as ClosedRange<UInt64> {
      var random = SampleRandom(seed: seed)
      func factor(_ gain: Double) -> Double { random.uniform(-1, 1) * gain + 1 }
      let (h, s, v) = (factor(0.4), factor(0.7), factor(0.4))
      let out = Self.shifted(Self.noise, hue: 0.4, saturation: 0.7, value: 0.4, seed: seed)
      var far = 0
      for at in stride(from: 0, to: Self.noise.count, by: 3) {
        let wanted = Self.defined(Self.noise[at..<at + 3].map(Double.init), h, s, v)
        if zip(wanted, out[at..<at + 3]).contains(where: { abs($0 - Double($1)) > 1.01 }) { far += 1 }
      }
      // A hue or saturation that lies between two table entries may fall to either.
      #expect(far <= 10, "\(far) of 1000 pixels")
    }
  }

  /// Hue in half degrees, saturation and value in bytes, each scaled and cut to a whole number.
  private static func defined(_ rgb: [Double], _ h: Double, _ s: Double, _ v: Double) -> [Double] {
    let (highest, lowest) = (rgb.max() ?? 0, rgb.min() ?? 0)
    let spread = highest - lowest
    var hue = 0.0
    if spread > 0 {
      switch highest {
      case rgb[0]: hue = 30 * (rgb[1] - rgb[2]) / spread
      case rgb[1]: hue = 60 + 30 * (rgb[2] - rgb[0]) / spread
      default: hue = 120 + 30 * (rgb[0] - rgb[1]) / spread
      }
    }
    if hue < 0 { hue += 180 }
    let saturation = highest > 0 ? (255 * spread / highest + 0.5).rounded(.down) : 0
    let shifted = ((hue + 0.5).rounded(.down) * h).rounded(.down).truncatingRemainder(dividingBy: 180)
    let strength = min(255, (saturation * s).rounded(.down)) / 255
    let value = min(255, (highest * v).rounded(.down))
    // Each channel is the value, less the strength times how far its own hue lies from the shifted one, in sixths of the circle.
    return [5.0, 3, 1].map { start in
      let k = (start + shifted / 30).truncatingRemainder(dividingBy: 6)
      return value - value * strength * max(0, min(k, 4 - k, 1))
    }
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
      let out = source.warped(side: 48, scale: scale, from: (18.5, 14.5), to: to)
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
