// The training loop: batches in an order that the seed fixes, gradients accumulated up to the nominal batch, one optimiser
// step, one update of the average. Invariant: schedules run over the epochs of the whole job, so a job cut into rounds
// trains with the same rates as one run.

import Foundation

/// Images and labels that the network is trained on at once.
public struct TrainingBatch: Sendable {
  public var images: ImageBatch
  /// `image` counts within the batch.
  public var targets: [Target]

  public init(images: ImageBatch, targets: [Target]) {
    self.images = images
    self.targets = targets
  }
}

/// Where training batches come from. Called on the loader's thread.
public protocol TrainingSource: Sendable {
  var imageCount: Int { get }
  /// Number of classes that labels may name.
  var classCount: Int { get }
  /// A batch of the named images; what is random in it follows from the epoch and the source's own seed.
  func batch(images: [Int], epoch: Int) throws -> TrainingBatch
}

/// What one epoch of training gave.
public struct EpochReport: Equatable, Sendable {
  /// Epoch of the whole job, from 0.
  public var epoch: Int
  /// Mean loss parts per image.
  public var boxLoss: Double
  public var objectnessLoss: Double
  public var classLoss: Double
  /// Learning rate of weights at the end of the epoch.
  public var learningRate: Double
  public var images: Int
  public var seconds: Double

  public var imagesPerSecond: Double { seconds > 0 ? Double(images) / seconds : 0 }
}

/// Trains one network; belongs to one thread.
public final class TrainingRun {
  public let network: Network
  public let optimizer: Optimizer
  public let options: TrainingOptions
  /// The weights' running average, nil if the run keeps none.
  public let average: WeightAverage?
  /// The epoch of the whole job that comes next.
  public private(set) var nextEpoch: Int

  private let source: any TrainingSource
  private let loss: DetectionLoss
  private let schedule: LearningSchedule
  private let batchSize: Int
  private let part: EpochPart

  /// - Parameters:
  ///   - firstEpoch: where in the job this run starts.
  ///   - part: of each epoch, what this run trains.
  ///   - keepsAverage: keep the average of the weights; a federated round does not, its server averages.
  /// - Throws: `TrainingError` where options are wrong or the data does not fit the network.
  public init(
    network: Network, source: any TrainingSource, options: TrainingOptions, firstEpoch: Int = 0, part: EpochPart = .whole,
    keepsAverage: Bool
  ) throws(TrainingError) {
    try options.validate()
    try WeightsFile.requireRightProducts()
    guard source.imageCount > 0 else {
      throw TrainingError(.unsuitableData, "the data set has no training images", hint: "check `train` in data.yaml")
    }
    guard source.classCount == network.spec.classes else {
      throw TrainingError(
        .unsuitableData, "the data set has \(source.classCount) classes, the weights have \(network.spec.classes)",
        hint: "use the data set that the weights are for, or make weights with as many classes")
    }
    network.norm = options.norm
    self.network = network
    self.source = source
    self.options = options
    batchSize = min(options.batchSize, source.imageCount)
    var effective = options
    effective.batchSize = batchSize
    schedule = effective.schedule(images: source.imageCount)
    optimizer = Optimizer(network: network, kind: options.optimizer, weightDecay: schedule.scaledWeightDecay(options.hyper.weightDecay))
    loss = DetectionLoss(
      classes: network.spec.classes, anchors: network.anchors, hyper: options.hyper, imageSize: options.imageSize)
    average = keepsAverage ? WeightAverage(network) : nil
    nextEpoch = firstEpoch
    self.part = part
  }

  /// Batches of one epoch.
  public var batchesPerEpoch: Int { schedule.batchesPerEpoch }

  /// Trains the next `epochs` epochs.
  /// - Parameters:
  ///   - onBatch: called after each batch with the number of batches done and in all.
  ///   - onEpoch: called after each epoch; an error ends the run.
  /// - Throws: what the source or `onEpoch` throws, or `TrainingError.diverged`.
  public func train(
    epochs: Int, onBatch: (Int, Int) -> Void = { _, _ in }, onEpoch: (EpochReport) throws -> Void
  ) throws {
    precondition(nextEpoch + epochs <= options.epochs, "epochs beyond the job's end")
    let first = nextEpoch
    let batches = part.batches(of: batchesPerEpoch)
    let perEpoch = batches.count
    let plan = BatchPlan(images: source.imageCount, batchSize: batchSize, seed: options.seed)
    // The loader runs over epoch borders, so that no epoch starts by waiting. One batch waits while one is made: at 640
    // pixels a batch of 16 has 79 MB.
    let loader = Prefetcher(count: epochs * perEpoch, depth: 1) { [source] index in
      let epoch = first + index / perEpoch
      return try source.batch(images: plan.images(epoch: epoch, batch: batches.lowerBound + index % perEpoch), epoch: epoch)
    }
    defer { loader.stop() }
    var accumulation = Accumulation()
    network.zeroGradients()
    for epoch in first..<(first + epochs) {
      let report = try trainEpoch(
        epoch, batches: batches, loader: loader, accumulation: &accumulation, since: first * batchesPerEpoch + batches.lowerBound,
        onBatch: { onBatch((epoch - first) * perEpoch + $0, epochs * perEpoch) })
      nextEpoch = epoch + 1
      try onEpoch(report)
    }
  }

  /// Runs `body` with the average in the network's place where the run keeps one.
  public func withAverage<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard let average else { return try body() }
    return try average.withAverage(in: network, body)
  }

  private func trainEpoch(
    _ epoch: Int, batches: Range<Int>, loader: Prefetcher<TrainingBatch>, accumulation: inout Accumulation, since start: Int,
    onBatch: (Int) -> Void
  ) throws -> EpochReport {
    let clock = ContinuousClock.now
    var sums = SIMD3<Double>()
    var images = 0
    var rate = 0.0
    for index in batches {
      guard let batch = try loader.next() else { break }
      let iteration = epoch * batchesPerEpoch + index
      let settings = schedule.settings(iteration: iteration, epoch: epoch)
      let parts = try learn(batch, epoch: epoch)
      if accumulation.completes(iteration: iteration - start, accumulate: settings.accumulate) {
        optimizer.step(settings)
        network.zeroGradients()
        average?.update(network)
      }
      let count = batch.images.count
      sums += SIMD3(parts.box, parts.objectness, parts.classification) * Double(count)
      images += count
      rate = settings.rate
      onBatch(index - batches.lowerBound + 1)
    }
    let mean = sums / Double(max(images, 1))
    return EpochReport(
      epoch: epoch, boxLoss: mean.x, objectnessLoss: mean.y, classLoss: mean.z, learningRate: rate, images: images,
      seconds: (ContinuousClock.now - clock).inSeconds)
  }

  private func learn(_ batch: TrainingBatch, epoch: Int) throws(TrainingError) -> LossParts {
    let maps = network.forward(batch.images, training: true)
    let (parts, gradients) = loss.evaluate(maps: maps, targets: batch.targets)
    guard parts.total.isFinite else {
      throw TrainingError(
        .diverged, "the loss is no finite number in epoch \(epoch)", hint: "lower the learning rate, or look for bad labels")
    }
    network.backward(gradients)
    return parts
  }
}

/// Which images come in which batch: a permutation per epoch, fixed by the seed.
struct BatchPlan: Sendable {
  let images: Int
  let batchSize: Int
  let seed: UInt64

  /// Image numbers of a batch.
  func images(epoch: Int, batch: Int) -> [Int] {
    var generator = SampleRandom(seed: seed, stream: 0x6F72_6465_72, UInt64(epoch))
    let order = Array(0..<images).shuffled(using: &generator)
    let start = batch * batchSize
    return Array(order[start..<min(start + batchSize, images)])
  }
}

extension Duration {
  /// This duration in seconds.
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
