// The parts of the training loop: prefetching changes no result, the seed fixes the order, a run cut into rounds trains as
// one run does, and failures end it cleanly.

import Foundation
import TestSupport
import Testing

@testable import Detector

/// Batches of bright squares on dark ground, made from the image number alone.
private struct SquareSource: TrainingSource {
  struct Broken: Error {}
  var imageCount = 12
  var classCount = 2
  var brokenEpoch = Int.max
  var brightness: Float = 1

  func batch(images: [Int], epoch: Int) throws -> TrainingBatch {
    if epoch >= brokenEpoch { throw Broken() }
    let side = 64
    var pixels = [Float](repeating: 0.3, count: images.count * side * side * 3)
    var targets: [Target] = []
    for (position, image) in images.enumerated() {
      let left = 4 + image * 2
      for y in 16..<40 {
        for x in left..<(left + 24) { pixels[((position * side + y) * side + x) * 3 + image % 2] = brightness }
      }
      targets.append(
        Target(
          image: position, classIndex: image % 2, x: Float(left + 12) / 64, y: 28 / 64, w: 24 / 64, h: 24 / 64))
    }
    return TrainingBatch(
      images: ImageBatch(count: images.count, height: side, width: side, pixels: pixels), targets: targets)
  }

  func example(image: Int, seed: UInt64) throws -> TrainingBatch { try batch(images: [image], epoch: 0) }
}

@Suite struct TrainingLoopTests {
  private static let spec = ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2)

  private func options(epochs: Int) -> TrainingOptions {
    var options = TrainingOptions()
    options.imageSize = 64
    options.batchSize = 4
    options.nominalBatchSize = 4
    options.epochs = epochs
    options.hyper.warmupEpochs = 0
    options.threads = 1
    return options
  }

  private func network(threads: Int = 1) -> Network { Network(spec: Self.spec, seed: 5, threads: threads) }

  @Test func prefetchedItemsComeInOrderAndEnd() throws {
    let queue = Prefetcher(count: 50, depth: 3) { $0 * $0 }
    for index in 0..<50 { #expect(try queue.next() == index * index) }
    #expect(try queue.next() == nil)
    #expect(try queue.next() == nil)
  }

  @Test func aPrefetchErrorArrivesAtItsPlaceAndEndsTheQueue() throws {
    struct Bad: Error {}
    let queue = Prefetcher(count: 10) { index in
      if index == 3 { throw Bad() }
      return index
    }
    for index in 0..<3 { #expect(try queue.next() == index) }
    #expect(throws: Bad.self) { try queue.next() }
    #expect(try queue.next() == nil)
  }

  @Test func aStoppedQueueGivesNothing() throws {
    let queue = Prefetcher(count: 10) { $0 }
    queue.stop()
    #expect(try queue.next() == nil)
  }

  @Test func everyEpochSeesEveryImageOnceInAnOrderOfItsOwn() {
    let plan = BatchPlan(images: 23, batchSize: 4, seed: 9)
    var orders: Set<[Int]> = []
    for epoch in 0..<5 {
      let order = (0..<6).flatMap { plan.images(epoch: epoch, batch: $0) }
      #expect(order.sorted() == Array(0..<23))
      orders.insert(order)
    }
    #expect(orders.count == 5)
    #expect(plan.images(epoch: 2, batch: 1) == BatchPlan(images: 23, batchSize: 4, seed: 9).images(epoch: 2, batch: 1))
    #expect(plan.images(epoch: 2, batch: 1) != BatchPlan(images: 23, batchSize: 4, seed: 8).images(epoch: 2, batch: 1))
  }

  @Test func trainingLowersTheLoss() throws {
    var source = SquareSource()
    source.imageCount = 8
    let run = try TrainingRun(network: network(), source: source, options: options(epochs: 40), keepsAverage: true)
    var reports: [EpochReport] = []
    try run.train(epochs: 40) { reports.append($0) }
    #expect(reports.map(\.epoch) == Array(0..<40))
    // Recorded once: box loss falls to 0.53 of its start, class loss to 0.6. Objectness rises with the boxes' overlap.
    #expect(reports[39].boxLoss < 0.75 * reports[0].boxLoss)
    #expect(reports[39].classLoss < 0.85 * reports[0].classLoss)
    #expect(run.average?.updates == 80)
  }

  @Test func theSameSeedGivesTheSameWeights() throws {
    func weights() throws -> [UInt8] {
      let run = try TrainingRun(network: network(), source: SquareSource(), options: options(epochs: 2), keepsAverage: false)
      try run.train(epochs: 2) { _ in }
      return run.network.safetensors().serialise()
    }
    #expect(try weights() == weights())
  }

  @Test func aJobCutIntoRoundsTrainsAsOneRun() throws {
    let whole = try TrainingRun(network: network(), source: SquareSource(), options: options(epochs: 4), keepsAverage: false)
    try whole.train(epochs: 4) { _ in }
    try withTemporaryFolder { folder in
      let state = OptimizerState(path: "\(folder)/state")
      let shared = network()
      for first in [0, 1, 3] {
        let count = first == 1 ? 2 : 1
        let run = try TrainingRun(
          network: shared, source: SquareSource(), options: options(epochs: 4), firstEpoch: first, keepsAverage: false)
        if first > 0 { #expect(try state.restore(into: run, position: first)) }
        try run.train(epochs: count) { _ in }
        try state.save(run, position: run.nextEpoch)
      }
      #expect(shared.safetensors().serialise() == whole.network.safetensors().serialise())
    }
  }

  /// Rounds shorter than an epoch: the parts of an epoch are the epoch.
  @Test(arguments: [1, 2, 3]) func anEpochCutIntoPartsTrainsAsOneRun(parts: Int) throws {
    let whole = try TrainingRun(network: network(), source: SquareSource(), options: options(epochs: 2), keepsAverage: false)
    try whole.train(epochs: 2) { _ in }
    try withTemporaryFolder { folder in
      let state = OptimizerState(path: "\(folder)/state")
      let shared = network()
      var images = 0
      for position in 0..<(2 * parts) {
        let run = try TrainingRun(
          network: shared, source: SquareSource(), options: options(epochs: 2), firstEpoch: position / parts,
          part: EpochPart(number: position % parts, count: parts), keepsAverage: false)
        #expect(run.batchesPerEpoch == 3)
        if position > 0 { #expect(try state.restore(into: run, position: position)) }
        try run.train(epochs: 1) { images += $0.images }
        try state.save(run, position: position + 1)
      }
      #expect(shared.safetensors().serialise() == whole.network.safetensors().serialise())
      #expect(images == 2 * SquareSource().imageCount)
    }
  }

  @Test func partsOfAnEpochAreAllOfIt() {
    for (batches, count) in [(10, 1), (10, 3), (7, 7), (1000, 16)] {
      let all = (0..<count).flatMap { EpochPart(number: $0, count: count).batches(of: batches) }
      #expect(all == Array(0..<batches))
    }
    // Fewer batches than parts: none is left without one, and none lies outside.
    let few = (0..<5).map { EpochPart(number: $0, count: 5).batches(of: 2) }
    #expect(few.allSatisfy { $0.count == 1 && $0.lowerBound >= 0 && $0.upperBound <= 2 })
    #expect(Set(few.map(\.lowerBound)) == [0, 1])
  }

  @Test func aRoundTrainedAgainStartsFromTheMomentaBeforeIt() throws {
    try withTemporaryFolder { folder in
      let state = OptimizerState(path: "\(folder)/state")
      let first = try TrainingRun(network: network(), source: SquareSource(), options: options(epochs: 4), keepsAverage: false)
      try first.train(epochs: 1) { _ in }
      try state.save(first, position: 1)
      let before = first.optimizer.state().serialise()
      try first.train(epochs: 1) { _ in }
      try state.save(first, position: 2)
      // The round of epoch 1 failed after training: it starts again, twice.
      for _ in 0..<2 {
        let again = try TrainingRun(
          network: network(), source: SquareSource(), options: options(epochs: 4), firstEpoch: 1, keepsAverage: false)
        #expect(try state.restore(into: again, position: 1))
        #expect(again.optimizer.state().serialise() == before)
        try again.train(epochs: 1) { _ in }
        try state.save(again, position: 2)
      }
    }
  }

  @Test func momentaOfAnotherEpochAreNotTaken() throws {
    try withTemporaryFolder { folder in
      let state = OptimizerState(path: "\(folder)/state")
      let run = try TrainingRun(network: network(), source: SquareSource(), options: options(epochs: 4), keepsAverage: false)
      #expect(try !state.restore(into: run, position: 1))
      try state.save(run, position: 1)
      #expect(try !state.restore(into: run, position: 2))
      #expect(try state.restore(into: run, position: 1))
    }
  }

  @Test(arguments: ["not a file of tensors", ""]) func damagedMomentaAreRefusedWithAHint(text: String) throws {
    try withTemporaryFolder { folder in
      let state = OptimizerState(path: "\(folder)/state")
      try text.write(toFile: state.path, atomically: true, encoding: .utf8)
      let run = try TrainingRun(network: network(), source: SquareSource(), options: options(epochs: 4), keepsAverage: false)
      let error = #expect(throws: TrainingError.self) { try state.restore(into: run, position: 1) }
      #expect(error?.code == .unsuitableState)
      #expect(error?.hint.contains("delete") == true)
    }
  }

  @Test func momentaOfAnotherModelAreRefused() throws {
    try withTemporaryFolder { folder in
      let state = OptimizerState(path: "\(folder)/state")
      let other = Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 3), seed: 1, threads: 1)
      let source = SquareSource()
      try state.save(
        TrainingRun(network: other, source: SquareSource(classCount: 3), options: options(epochs: 4), keepsAverage: false), position: 1)
      let run = try TrainingRun(network: network(), source: source, options: options(epochs: 4), keepsAverage: false)
      #expect(throws: TrainingError.self) { try state.restore(into: run, position: 1) }
    }
  }

  @Test func aSourceThatFailsEndsTheRun() throws {
    var source = SquareSource()
    source.brokenEpoch = 1
    let run = try TrainingRun(network: network(), source: source, options: options(epochs: 4), keepsAverage: false)
    var epochs = 0
    #expect(throws: SquareSource.Broken.self) { try run.train(epochs: 4) { _ in epochs += 1 } }
    #expect(epochs == 1)
    #expect(run.nextEpoch == 1)
  }

  @Test func aStoppedRunEndsAfterItsEpochAndMayGoOn() throws {
    let run = try TrainingRun(network: network(), source: SquareSource(), options: options(epochs: 4), keepsAverage: false)
    var epochs: [Int] = []
    for _ in 0..<2 {
      try run.train(epochs: 4 - run.nextEpoch) { report in
        epochs.append(report.epoch)
        if report.epoch == 1 { run.stop() }
      }
    }
    #expect(epochs == [0, 1, 2, 3])
  }

  @Test(arguments: [2, 5]) func moreLoadersChangeNothing(workers: Int) throws {
    func weights(_ workers: Int) throws -> [UInt8] {
      var options = options(epochs: 2)
      (options.workers, options.isMultiScale) = (workers, true)
      let run = try TrainingRun(network: network(), source: SquareSource(), options: options, keepsAverage: false)
      try run.train(epochs: 2) { #expect($0.waitingSeconds <= $0.seconds) }
      return run.network.safetensors().serialise()
    }
    #expect(try weights(1) == weights(workers))
  }

  @Test func batchesReportWhereTheRunIs() throws {
    let run = try TrainingRun(network: network(), source: SquareSource(), options: options(epochs: 2), keepsAverage: false)
    var seen: [BatchReport] = []
    var ends: [EpochReport] = []
    try run.train(epochs: 2, onBatch: { seen.append($0) }, onEpoch: { ends.append($0) })
    #expect(seen.map(\.done) == Array(1...6) && seen.allSatisfy { $0.total == 6 })
    #expect(seen.map(\.epoch.images) == [4, 8, 12, 4, 8, 12])
    #expect(seen[2].epoch.boxLoss == ends[0].boxLoss && seen[5].epoch.classLoss == ends[1].classLoss)
  }

  @Test func aLossThatIsNoNumberEndsTheRun() throws {
    var source = SquareSource()
    source.brightness = .nan
    let run = try TrainingRun(network: network(), source: source, options: options(epochs: 4), keepsAverage: false)
    let error = #expect(throws: TrainingError.self) { try run.train(epochs: 4) { _ in } }
    #expect(error?.code == .diverged)
  }

  @Test func noImagesAndWrongClassCountsAreRefused() {
    var empty = SquareSource()
    empty.imageCount = 0
    var other = SquareSource()
    other.classCount = 7
    for source in [empty, other] {
      let error = #expect(throws: TrainingError.self) {
        try TrainingRun(network: network(), source: source, options: options(epochs: 1), keepsAverage: false)
      }
      #expect(error?.code == .unsuitableData)
    }
  }

  @Test func impossibleOptionsAreRefused() {
    let changes: [(inout TrainingOptions) -> Void] = [
      { $0.imageSize = 0 }, { $0.imageSize = 100 }, { $0.batchSize = 0 }, { $0.epochs = 0 }, { $0.threads = 0 },
      { $0.hyper.learningRate = .nan }, { $0.hyper.learningRate = 0 }, { $0.hyper.momentum = 1 }, { $0.hyper.weightDecay = -1 },
      { $0.hyper.finalRateFraction = 2 }, { $0.hyper.warmupEpochs = -1 }, { $0.nominalBatchSize = 0 },
    ]
    #expect(throws: Never.self) { try TrainingOptions().validate() }
    for change in changes {
      var options = TrainingOptions()
      change(&options)
      #expect(throws: TrainingError.self) { try options.validate() }
    }
  }
}
