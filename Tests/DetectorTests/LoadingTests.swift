// Loading on several threads, orders of an epoch, batches of one shape, batches of other sizes, caches: what they give, and that the
// number of threads changes none of it.

import Foundation
import TestSupport
import Testing

@testable import Detector

@Suite struct LoadingTests {
  @Test(arguments: [1, 2, 5], [1, 4]) func itemsComeInOrderWhoeverMakesThem(workers: Int, depth: Int) throws {
    let queue = Prefetcher(count: 60, depth: depth, workers: workers) { index in
      // Uneven work, so that threads overtake each other.
      (0..<(index * 7919 % 13 * 500)).reduce(index) { $0 ^ ($1 &* 2) ^ ($1 &* 2) }
    }
    for index in 0..<60 { #expect(try queue.next() == index) }
    #expect(try queue.next() == nil)
  }

  @Test(arguments: [2, 5]) func theFirstErrorEndsTheQueueAtItsPlace(workers: Int) throws {
    struct Bad: Error {}
    let queue = Prefetcher(count: 40, workers: workers) { index in
      if index >= 7 && index % 3 == 1 { throw Bad() }
      return index
    }
    for index in 0..<7 { #expect(try queue.next() == index) }
    #expect(throws: Bad.self) { try queue.next() }
    #expect(try queue.next() == nil)
  }

  @Test func noMoreIsMadeAheadThanThereIsRoomFor() throws {
    let counter = Counter()
    let queue = Prefetcher(count: 1000, depth: 2, workers: 3) { index in
      counter.add()
      return index
    }
    for _ in 0..<10 { _ = try queue.next() }
    queue.stop()
    #expect(counter.value <= 10 + 2 + 3)
    #expect(try queue.next() == nil)
  }

  @Test func aFixedOrderIsKeptByEveryEpoch() {
    let plan = BatchPlan(images: 5, batchSize: 2, seed: 1, fixedOrder: [4, 2, 0, 1, 3])
    for epoch in 0..<3 { #expect((0..<3).map { plan.images(epoch: epoch, batch: $0) } == [[4, 2], [0, 1], [3]]) }
  }

  @Test func heavyImagesAreDrawnMoreOften() {
    let plan = BatchPlan(images: 4, batchSize: 4, seed: 2, weights: [0, 1, 3, 0])
    var counts = [0, 0, 0, 0]
    for epoch in 0..<1000 { for image in plan.order(epoch: epoch) { counts[image] += 1 } }
    #expect(counts[0] == 0 && counts[3] == 0)
    // Binomial(4000, 1/4): five deviations are 137.
    #expect(abs(counts[1] - 1000) < 137)
    #expect(plan.order(epoch: 5) == plan.order(epoch: 5) && plan.order(epoch: 5) != plan.order(epoch: 7))
    let none = BatchPlan(images: 3, batchSize: 3, seed: 2, weights: [0, 0, 0])
    #expect(Set((0..<20).flatMap { none.order(epoch: $0) }) == [0, 1, 2])
  }

  @Test func rareAndBadlyFoundClassesWeighMore() {
    let classes = [[0], [0], [0, 1], []]
    let even = ImageWeights.of(classes, scores: [0, 0])
    #expect(even[3] == 0 && even[2] > even[0] && even[0] == even[1])
    let known = ImageWeights.of(classes, scores: [0, 1])
    #expect(known[2] == known[0])
  }
}

private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0
  var value: Int { lock.withLock { count } }
  func add() { lock.withLock { count += 1 } }
}

@Suite struct MultiScaleTests {
  @Test func sizesLieBetweenHalfAndOneAndAHalf() {
    let sizes = Set((0..<500).map { MultiScale.side(imageSize: 128, seed: 1, epoch: $0 / 10, batch: $0 % 10) })
    #expect(sizes == [64, 96, 128, 160, 192])
    #expect(MultiScale.side(imageSize: 128, seed: 1, epoch: 3, batch: 4) == MultiScale.side(imageSize: 128, seed: 1, epoch: 3, batch: 4))
    #expect((0..<100).allSatisfy { MultiScale.side(imageSize: 32, seed: 1, epoch: $0, batch: 0) >= 32 })
  }

  @Test(arguments: [(64, 96), (96, 32), (32, 32), (160, 64)]) func pixelsAreInterpolated(width: Int, height: Int) {
    var random = SeededGenerator(seed: 3)
    let batch = ImageBatch(
      count: 2, height: 32, width: 64, pixels: (0..<2 * 32 * 64 * 3).map { _ in Float.random(in: 0...1, using: &random) })
    let out = batch.resized(width: width, height: height)
    #expect((out.count, out.width, out.height) == (2, width, height))
    func source(_ image: Int, _ y: Int, _ x: Int, _ c: Int) -> Double {
      Double(batch.pixels[((image * 32 + min(max(y, 0), 31)) * 64 + min(max(x, 0), 63)) * 3 + c])
    }
    for image in 0..<2 {
      for y in 0..<height {
        for x in 0..<width {
          let (sy, sx) = ((Double(y) + 0.5) * 32 / Double(height) - 0.5, (Double(x) + 0.5) * 64 / Double(width) - 0.5)
          let (py, px) = (max(sy, 0), max(sx, 0))
          let (y0, x0) = (Int(py), Int(px))
          let (fy, fx) = (py - Double(y0), px - Double(x0))
          for c in 0..<3 {
            let wanted =
              (source(image, y0, x0, c) * (1 - fx) + source(image, y0, x0 + 1, c) * fx) * (1 - fy)
              + (source(image, y0 + 1, x0, c) * (1 - fx) + source(image, y0 + 1, x0 + 1, c) * fx) * fy
            #expect(abs(Double(out.pixels[((image * height + y) * width + x) * 3 + c]) - wanted) < 1e-5)
          }
        }
      }
    }
  }

  @Test func rectanglesKeepTheirShapeInWholeStrides() {
    let batch = ImageBatch(count: 1, height: 64, width: 128, pixels: [Float](repeating: 0.5, count: 64 * 128 * 3))
    let small = batch.resized(longSide: 96)
    #expect(small.width == 96 && small.height == 64)
    #expect(small.pixels.allSatisfy { abs($0 - 0.5) < 1e-6 })
    #expect(batch.resized(longSide: 128).pixels == batch.pixels)
  }
}

@Suite struct DatasetSourceTests {
  private func options(_ change: (inout TrainingOptions) -> Void = { _ in }) -> TrainingOptions {
    var options = TrainingOptions()
    (options.imageSize, options.batchSize, options.nominalBatchSize, options.threads) = (64, 2, 2, 1)
    change(&options)
    return options
  }

  @Test func rectangularBatchesAreAsSmallAsTheirShapesAllow() throws {
    try Rectangles.with { data in
      let yaml = (data.imagePaths[0] as NSString).deletingLastPathComponent + "/../data.yaml"
      let source = try DatasetTrainingSource(data: yaml, options: options { $0.isRectangular = true })
      let order = try #require(source.fixedOrder)
      let ratios = order.map { Double(Rectangles.sizes[$0].1) / Double(Rectangles.sizes[$0].0) }
      #expect(ratios == ratios.sorted())
      // 128x72 and 96x64 share the flattest batch: 64 · 2/3 = 42.7 becomes 64; the two squares and the tall one are 64 high.
      let flat = try source.batch(images: Array(order[0..<2]), epoch: 0)
      #expect((flat.images.width, flat.images.height) == (64, 64))
      let tall = try source.batch(images: [order[5]], epoch: 0)
      #expect((tall.images.width, tall.images.height) == (32, 64))
      #expect(tall.targets.allSatisfy { $0.classIndex == order[5] % 3 })
    }
  }

  @Test func aCoarserModelTakesNoNarrowerBatch() throws {
    try Rectangles.with { data in
      let yaml = (data.imagePaths[0] as NSString).deletingLastPathComponent + "/../data.yaml"
      let source = try DatasetTrainingSource(
        data: yaml,
        options: options {
          $0.isRectangular = true
          $0.isAugmented = false
        })
      let tallest = try #require(source.fixedOrder?.last)
      let narrow = try source.batch(images: [tallest], epoch: 0)
      let wide = try source.padded(to: 64).batch(images: [tallest], epoch: 0)
      #expect((narrow.images.width, narrow.images.height) == (32, 64))
      #expect((wide.images.width, wide.images.height) == (64, 64))
      // The object keeps its place in the middle.
      #expect(wide.targets.count == 1 && narrow.targets.count == 1)
      for (one, other) in zip(wide.targets, narrow.targets) {
        #expect(abs(one.x * 64 - (other.x * 32 + 16)) < 1e-2 && abs(one.y - other.y) < 1e-3)
      }
    }
  }

  @Test func weightedImagesComeBeforeRectangles() throws {
    try withTemporaryFolder { folder in
      let data = try TinyDataset(folder: folder, training: 3, validation: 1)
      let both = options {
        $0.isRectangular = true
        $0.isImageWeighted = true
      }
      #expect(try DatasetTrainingSource(data: data.yaml, options: both).fixedOrder == nil)
    }
  }

  @Test func oneClassStandsForAll() throws {
    try withTemporaryFolder { folder in
      let data = try TinyDataset(folder: folder, training: 4, validation: 2)
      let single = try DatasetTrainingSource(data: data.yaml, options: options { $0.isSingleClass = true })
      #expect(single.classCount == 1 && single.dataset.names == ["item"])
      #expect(single.dataset.labels.flatMap { $0 }.allSatisfy { $0.classIndex == 0 })
      #expect(try DatasetValidationSource(data: data.yaml, imageSize: 64, isSingleClass: true).classCount == 1)
      // The file's own classes still bound what a label may say.
      try TrainingRoundTests.write("2 0.5 0.5 0.2 0.2\n", data.labels("train", 1))
      #expect(throws: DataError.self) { try DatasetTrainingSource(data: data.yaml, options: options { $0.isSingleClass = true }) }
    }
  }

  @Test(arguments: [1, 3]) func aCacheKeepsWhatFits(workers: Int) throws {
    try withTemporaryFolder { folder in
      let data = try TinyDataset(folder: folder, training: 6, validation: 1)
      let dataset = try Dataset(yaml: data.yaml, split: .train)
      let bytes = 64 * 64 * 3
      let all = ImageStore(dataset: dataset, imageSize: 64, shrinkFilter: .bilinear, cacheBytesMax: 6 * bytes)
      #expect(try all.preload(workers: workers) == 6)
      #expect(all.cachedBytes == 6 * bytes)
      let few = ImageStore(dataset: dataset, imageSize: 64, shrinkFilter: .bilinear, cacheBytesMax: 3 * bytes)
      #expect(try few.preload(workers: workers) <= 3)
      #expect(few.cachedBytes <= 3 * bytes)
      #expect(try few.image(5) == all.image(5))
    }
  }

  @Test func aDamagedImageEndsTheCachingWithItsName() throws {
    try withTemporaryFolder { folder in
      let data = try TinyDataset(folder: folder, training: 3, validation: 1)
      try TrainingRoundTests.cut(data.image("train", 1), to: 200)
      let store = ImageStore(dataset: try Dataset(yaml: data.yaml, split: .train), imageSize: 64, shrinkFilter: .bilinear)
      let error = #expect(throws: DataError.self) { try store.preload(workers: 2) }
      #expect(error?.path.hasSuffix("1.png") == true)
    }
  }

  @Test func freeMemoryIsReadStrictly() {
    #expect(MemoryBudget.available("MemTotal: 9 kB\nMemAvailable:   2048 kB\n") == 2048 * 1024)
    for text in ["", "MemAvailable: x kB", "MemAvailable: 5", "MemAvailable: 9223372036854775807 kB"] {
      #expect(MemoryBudget.available(text) == nil)
    }
    #expect(MemoryBudget.cacheBytes >= 0)
  }
}
