// The demo's scenes: boxes that frame what was painted, one seed for everything, validation apart from training, and damaged source files.

import Detector
import Foundation
import TestSupport
import Testing

@testable import Demo

/// Garments of known shape: class label `l` is a filled block of 6 + 2l by 20 pixels; no data set needs to be installed.
private func blocks(copies: Int = 2) -> FashionImages {
  var pixels: [UInt8] = []
  var labels: [UInt8] = []
  for label in 0..<10 {
    for _ in 0..<copies {
      var image = [UInt8](repeating: 0, count: 784)
      for y in 4..<24 { for x in 2..<(8 + 2 * label) { image[y * 28 + x] = 200 } }
      pixels += image
      labels.append(UInt8(label))
    }
  }
  return FashionImages(pixels: pixels, labels: labels)
}

private func classes(_ images: FashionImages) -> [[Int]] {
  var byClass = [[Int]](repeating: [], count: 5)
  for (index, label) in images.labels.enumerated() { byClass[GarmentClass.ofLabel[Int(label)]].append(index) }
  return byClass
}

private let even = [Double](repeating: 1, count: 5)

@Suite struct SceneTests {
  private func scene(seed: UInt64, site: Int = 0, mix: [Double] = even) -> GarmentScene {
    let images = blocks()
    var random = SampleRandom(seed: seed, stream: 9)
    return GarmentScene(images: images, byClass: classes(images), look: SiteLook(site: site, seed: 1), mix: mix, random: &random)
  }

  @Test func aBoxFramesWhatWasPainted() throws {
    let images = blocks()
    for number in 0..<40 {
      var random = SampleRandom(seed: 3, stream: UInt64(number))
      let garment = try #require(Garment(images.image(number % images.count), longSide: 20 + number % 37, &random))
      let side = GarmentScene.side
      // Painted on black and on white, the two results tell how far each pixel is covered.
      var (black, white) = ([Float](repeating: 0, count: side * side * 3), [Float](repeating: 255, count: side * side * 3))
      let box = try #require(garment.paint(on: &black, side: side, x: 11, y: 23, classIndex: 2))
      _ = garment.paint(on: &white, side: side, x: 11, y: 23, classIndex: 2)
      let covered = (0..<side * side).filter { 1 - (white[$0 * 3] - black[$0 * 3]) / 255 > 0.5 }
      let (xs, ys) = (covered.map { $0 % side }, covered.map { $0 / side })
      #expect(box.columns == (xs.min() ?? -1)...(xs.max() ?? -1))
      #expect(box.rows == (ys.min() ?? -1)...(ys.max() ?? -1))
      #expect(box.classIndex == 2)
    }
  }

  @Test func anEmptyImageIsNoGarment() {
    var random = SampleRandom(seed: 1)
    #expect(Garment([UInt8](repeating: 0, count: 784)[...], longSide: 30, &random) == nil)
    #expect(Garment([UInt8](repeating: 15, count: 784)[...], longSide: 30, &random) == nil)
  }

  @Test func scenesHoldTwoToSixGarmentsOfTheRightSizeThatHardlyOverlap() {
    for seed in 0..<40 as Range<UInt64> {
      let boxes = scene(seed: seed).boxes
      #expect((2...6).contains(boxes.count))
      for box in boxes {
        #expect(box.columns.lowerBound >= 0 && box.columns.upperBound < 128 && box.rows.lowerBound >= 0 && box.rows.upperBound < 128)
        #expect((18...56).contains(max(box.columns.count, box.rows.count)))
        #expect((0..<5).contains(box.classIndex))
      }
      for (i, a) in boxes.enumerated() {
        for b in boxes[(i + 1)...] {
          let (columns, rows) = (a.columns.clamped(to: b.columns), a.rows.clamped(to: b.rows))
          guard a.columns.overlaps(b.columns), a.rows.overlaps(b.rows) else { continue }
          // A seventh of the whole garments, which are a little larger than what they cover.
          #expect(columns.count * rows.count * 5 <= min(a.columns.count * a.rows.count, b.columns.count * b.rows.count))
        }
      }
    }
  }

  @Test func oneSeedMakesOneScene() {
    #expect(scene(seed: 4).pixels == scene(seed: 4).pixels)
    #expect(scene(seed: 4).pixels != scene(seed: 5).pixels)
    #expect(scene(seed: 4, site: 0).pixels != scene(seed: 4, site: 1).pixels)
  }

  @Test func theClassMixIsObeyed() {
    for wanted in 0..<5 {
      let mix = (0..<5).map { $0 == wanted ? 1.0 : 0 }
      #expect(scene(seed: 6, mix: mix).boxes.allSatisfy { $0.classIndex == wanted })
    }
  }

  @Test func sitesDifferInLookAndMix() {
    let looks = (0..<5).map { SiteLook(site: $0, seed: 1) }
    #expect(Set(looks.map(\.blur)).count == 5)
    #expect(Set(looks.map(\.inversion)).count == 5)
    for look in looks { #expect(abs(look.classMix.reduce(0, +) - 1) < 1e-9) }
    #expect(Set(looks.map { $0.classMix.map { ($0 * 1e6).rounded() } }).count == 5)
  }
}

@Suite struct DirichletTests {
  @Test func meanAndVarianceAreThoseOfTheDistribution() {
    var random = SampleRandom(seed: 12)
    let (count, alpha) = (5, 0.8)
    let draws = (0..<20_000).map { _ in random.dirichlet(alpha, count: count)[0] }
    let mean = draws.reduce(0, +) / Double(draws.count)
    let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(draws.count)
    // Var = (1/k)(1 − 1/k) / (kα + 1) = 0.032; the seed is fixed, the limits are beyond five standard errors.
    #expect(abs(mean - 0.2) < 0.0065)
    #expect(abs(variance - 0.032) < 0.002)
  }
}

@Suite struct FashionFileTests {
  private func header(_ magic: UInt32, _ numbers: [UInt32]) -> [UInt8] {
    ([magic] + numbers).flatMap { number in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) } }
  }

  /// Writes the two files of a half; zlib reads uncompressed files as they are.
  private func write(_ folder: String, images: [UInt8], labels: [UInt8]) throws {
    try Data(images).write(to: URL(fileURLWithPath: folder + "/train-images-idx3-ubyte.gz"))
    try Data(labels).write(to: URL(fileURLWithPath: folder + "/train-labels-idx1-ubyte.gz"))
  }

  private var goodLabels: [UInt8] { header(0x801, [10]) + (0..<10).map(UInt8.init) }
  private var goodImages: [UInt8] { header(0x803, [10, 28, 28]) + [UInt8](repeating: 7, count: 7840) }

  @Test func wellFormedFilesAreRead() throws {
    try withTemporaryFolder { folder in
      try write(folder, images: goodImages, labels: goodLabels)
      let images = try FashionImages.load("train", folder: folder)
      #expect(images.count == 10)
      #expect(images.image(9).count == 784)
    }
  }

  @Test func damagedFilesAreRefused() throws {
    var wrongClass = goodLabels
    wrongClass[17] = 10
    let cases: [(images: [UInt8], labels: [UInt8])] = [
      (goodImages.dropLast(), goodLabels), (goodImages + [0], goodLabels), (goodImages, goodLabels.dropLast()), (goodImages, wrongClass),
      (goodImages, header(0x803, [10]) + (0..<10).map(UInt8.init)), (header(0x803, [10, 27, 28]) + goodImages[16...], goodLabels),
      (header(0x803, [0xffff_ffff, 28, 28]) + goodImages[16...], goodLabels), ([], goodLabels), (goodImages, []),
      (goodImages, header(0x801, [0xffff_ffff]) + (0..<10).map(UInt8.init)),
      // A gzip header with nothing sensible behind it.
      ([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0x55, count: 200), goodLabels),
    ]
    for (number, files) in cases.enumerated() {
      try withTemporaryFolder { folder in
        try write(folder, images: Array(files.images), labels: Array(files.labels))
        #expect(throws: DemoError.self, "case \(number)") { try FashionImages.load("train", folder: folder) }
      }
    }
  }

  @Test func absentFilesNameThePackageToInstall() {
    let error = #expect(throws: DemoError.self) { try FashionImages.load("train", folder: "/nonexistent") }
    #expect(error?.code == .dataMissing)
    #expect(error?.hint.contains("apt-get install dataset-fashion-mnist") == true)
  }
}

@Suite struct GarmentDataTests {
  static let isInstalled = FileManager.default.fileExists(atPath: GarmentScenes.fashionFolder + "/train-images-idx3-ubyte.gz")

  @Test(.enabled(if: isInstalled, "dataset-fashion-mnist is not installed")) func theDataSetsAreReadByTheDetector() throws {
    try withTemporaryFolder { folder in
      let sites = try GarmentScenes.write(to: folder, sites: 2, training: 3...5, validation: 2, seed: 8)
      #expect(sites.count == 2)
      for site in sites {
        let training = try Dataset(yaml: site.yaml, split: .train)
        #expect(training.count == site.trainingImages && (3...5).contains(training.count))
        #expect(training.names == GarmentClass.names)
        #expect(training.labels.allSatisfy { (2...6).contains($0.count) })
        #expect(site.trainingBytes > 0)
        #expect(try Dataset(yaml: site.yaml, split: .val).labels.count == 2)
        let image = try ImageDecoder.decode(path: training.imagePaths[0])
        #expect(image.width == 128 && image.height == 128)
      }
      try withTemporaryFolder { other in
        let again = try GarmentScenes.write(to: other, sites: 2, training: 3...5, validation: 2, seed: 8)
        for (a, b) in zip(sites, again) {
          let (first, second) = (try Dataset(yaml: a.yaml, split: .train), try Dataset(yaml: b.yaml, split: .train))
          #expect(first.labels == second.labels)
          let (image, copy) = (try ImageDecoder.decode(path: first.imagePaths[0]), try ImageDecoder.decode(path: second.imagePaths[0]))
          #expect(image == copy)
        }
      }
    }
  }
}
