// The training loop: batches in an order that the seed fixes, gradients accumulated up to the nominal batch, one optimiser
// step, one update of the average. Invariant: schedules run over the epochs of the whole job, so a job cut into rounds
// trains with the same rates as one run.

import DPAccountant
import Foundation

/// Trains one network; belongs to one thread.
public final class TrainingRun {
  public let network: Network
  public let optimizer: Optimizer
  public let options: TrainingOptions
  /// The weights' running average, nil if the run keeps none.
  public let average: WeightAverage?
  /// The epoch of the whole job that comes next.
  public internal(set) var nextEpoch: Int
  /// Mean average precision by class of the last validation; where images are weighted, the next epoch prefers what scores badly.
  public var classScores: [Double]

  let source: any TrainingSource
  let loss: DetectionLoss
  let schedule: LearningSchedule
  private let batchSize: Int
  let part: EpochPart
  /// Which batches an optimiser step has come after, counted from iteration `origin` on; gradients of later ones are in the network.
  private var accumulation = Accumulation()
  private var origin = 0
  /// The next call of `train` goes on in the middle of an accumulation instead of beginning one.
  private var isContinued = false
  var isStopping = false
  /// What privacy by record has beyond that: the sum of clipped gradients, and what they are clipped to now.
  let gradientSum: GradientSum?
  public internal(set) var clip: Double?
  /// The noise of a step; nil without privacy by record.
  public var mechanism: RecordMechanism? { gradientSum?.mechanism }
  /// Records that an audit adds; without privacy by record nothing takes them.
  public var canaries: GradientCanaries? {
    get { gradientSum?.canaries }
    set { gradientSum?.canaries = newValue }
  }

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
    guard source.imageCount > 0 || options.hidesImages else {
      throw TrainingError(.unsuitableData, "the data set has no training images", hint: "check `train` in data.yaml")
    }
    guard source.classCount == network.spec.classes else {
      throw TrainingError(
        .unsuitableData, "the data set has \(source.classCount) classes, the weights have \(network.spec.classes)",
        hint: "use the data set that the weights are for, or make weights with as many classes")
    }
    try network.requireSize(options.imageSize)
    guard options.norm != .group || network.spec.norm == .group else {
      throw TrainingError(
        .unsuitableWeights, "the weights are of a model with batch norms, training shall use group norms",
        hint: "make weights with group norms: secagg train --norm group, or init-weights --norm group")
    }
    network.norm = network.spec.norm == .group ? .group : options.norm
    self.network = network
    self.source = source.padded(to: network.sizeMultiple)
    self.options = options
    batchSize = max(min(options.batchSize, source.imageCount), 1)
    var effective = options
    effective.batchSize = batchSize
    schedule = effective.schedule(images: source.imageCount)
    let optimizer = Optimizer(
      network: network, kind: options.optimizer, weightDecay: schedule.scaledWeightDecay(options.hyper.weightDecay),
      frozenLayers: Set(options.frozenLayers))
    try optimizer.requireSomethingToTrain()
    self.optimizer = optimizer
    gradientSum = try options.privacy.map { privacy throws(TrainingError) in
      try GradientSum(privacy, network: network, parameters: optimizer.moving)
    }
    clip = options.privacy?.clip
    // Noise makes gradients long: what bounds a step here is the clip.
    if options.privacy != nil { optimizer.gradientNormMax = .infinity }
    loss = DetectionLoss(
      classes: network.spec.classes, anchors: network.anchors, hyper: options.hyper, imageSize: options.imageSize)
    average = keepsAverage ? WeightAverage(network) : nil
    nextEpoch = firstEpoch
    classScores = [Double](repeating: 0, count: source.classCount)
    self.part = part
  }

  /// Batches of one epoch.
  public var batchesPerEpoch: Int { schedule.batchesPerEpoch }

  /// Trains the next `epochs` epochs, or fewer after `stop`.
  /// - Parameters:
  ///   - onBatch: called after each batch.
  ///   - onEpoch: called after each epoch; an error ends the run.
  /// - Throws: what the source or `onEpoch` throws, or `TrainingError.diverged`.
  public func train(
    epochs: Int, onBatch: (BatchReport) -> Void = { _ in }, onEpoch: (EpochReport) throws -> Void
  ) throws {
    precondition(nextEpoch + epochs <= options.epochs, "epochs beyond the job's end")
    let first = nextEpoch
    let batches = part.batches(of: batchesPerEpoch)
    begin(at: first * batchesPerEpoch + batches.lowerBound)
    if let gradientSum, let privacy = options.privacy {
      return try trainPrivately(epochs: first..<first + epochs, batches, privacy, gradientSum, onBatch: onBatch, onEpoch: onEpoch)
    }
    // What an epoch prefers may follow from the one before, so only epochs that prefer nothing are loaded ahead of it.
    let ahead = options.isImageWeighted ? 1 : epochs
    var loader = load(epochs: first..<first + min(ahead, epochs), batches)
    defer { loader.stop() }
    for epoch in first..<first + epochs {
      if ahead == 1, epoch > first {
        loader.stop()
        loader = load(epochs: epoch..<epoch + 1, batches)
      }
      let report = try trainEpoch(epoch, batches: batches, loader: loader) { done, sums in
        onBatch(BatchReport(done: (epoch - first) * batches.count + done, total: epochs * batches.count, epoch: sums.report(epoch: epoch)))
      }
      nextEpoch = epoch + 1
      try onEpoch(report)
      if isStopping { break }
    }
  }

  /// Ends `train` after the epoch whose `onEpoch` calls this.
  public func stop() { isStopping = true }

  private func begin(at iteration: Int) {
    isStopping = false
    defer { isContinued = false }
    guard !isContinued else { return }
    (accumulation, origin) = (Accumulation(), iteration)
    network.zeroGradients()
  }

  private func load(epochs: Range<Int>, _ batches: Range<Int>) -> Prefetcher<TrainingBatch> {
    var plan = BatchPlan(images: source.imageCount, batchSize: batchSize, seed: options.seed, fixedOrder: source.fixedOrder)
    if options.isImageWeighted {
      plan.weights = ImageWeights.of((0..<source.imageCount).map { source.classes(of: $0) }, scores: classScores)
    }
    return Prefetcher(count: epochs.count * batches.count, workers: options.workers) {
      [plan, source, options, multiple = network.sizeMultiple] index in
      let epoch = epochs.lowerBound + index / batches.count
      let batch = batches.lowerBound + index % batches.count
      let order = plan.order(epoch: epoch)
      let images = plan.part(order, batch: batch)
      var loaded =
        options.isImageWeighted
        ? try source.batch(images: images, epoch: epoch, partners: order) : try source.batch(images: images, epoch: epoch)
      if options.isMultiScale {
        let side = MultiScale.side(imageSize: options.imageSize, multiple: multiple, seed: options.seed, epoch: epoch, batch: batch)
        loaded.images = loaded.images.resized(longSide: side, multiple: multiple)
      }
      return loaded
    }
  }

  /// Runs `body` with the average in the network's place where the run keeps one.
  public func withAverage<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard let average else { return try body() }
    return try average.withAverage(in: network, body)
  }

  private func trainEpoch(
    _ epoch: Int, batches: Range<Int>, loader: Prefetcher<TrainingBatch>, onBatch: (Int, EpochSums) -> Void
  ) throws -> EpochReport {
    var sums = EpochSums()
    for index in batches {
      let asked = ContinuousClock.now
      guard let batch = try loader.next() else { break }
      sums.waitingSeconds += (ContinuousClock.now - asked).inSeconds
      let iteration = epoch * batchesPerEpoch + index
      let settings = schedule.settings(iteration: iteration, epoch: epoch)
      let parts = try learn(batch, epoch: epoch)
      if accumulation.completes(iteration: iteration - origin, accumulate: settings.accumulate) {
        optimizer.step(settings)
        network.zeroGradients()
        average?.update(network, still: optimizer.frozen)
      }
      sums.add(parts, images: batch.images.count, settings: settings)
      onBatch(index - batches.lowerBound + 1, sums)
    }
    return sums.report(epoch: epoch)
  }

  private func learn(_ batch: TrainingBatch, epoch: Int) throws(TrainingError) -> LossParts {
    let parts = evaluate(batch)
    guard parts.total.isFinite else {
      throw TrainingError(
        .diverged, "the loss is no finite number in epoch \(epoch)", hint: "lower the learning rate, or look for bad labels")
    }
    return parts
  }

  /// Adds the batch's gradient to the network's.
  func evaluate(_ batch: TrainingBatch) -> LossParts {
    let maps = network.forward(batch.images, training: true)
    let (parts, gradients) = loss.evaluate(maps: maps, targets: batch.targets)
    if parts.total.isFinite { network.backward(gradients) }
    return parts
  }
}

extension TrainingRun {
  /// Where a run stands between two epochs, besides its tensors.
  struct Progress: Equatable, Sendable, Codable {
    var nextEpoch: Int
    var origin: Int
    var accumulation: Accumulation
    var averageUpdates: Int?
    var classScores: [Double]
    var clip: Double?
  }

  var progress: Progress {
    Progress(
      nextEpoch: nextEpoch, origin: origin, accumulation: accumulation, averageUpdates: average?.updates, classScores: classScores,
      clip: clip)
  }

  /// True if batches were trained on whose step is still to come, so that their gradients belong to the run's state.
  var hasGradients: Bool { gradientSum == nil && !accumulation.isComplete(iteration: nextEpoch * batchesPerEpoch - origin) }

  /// Goes on from `progress`, the network's and optimiser's tensors being those of then.
  /// - Returns: false if that is no progress of a run like this one.
  func resume(_ progress: Progress) -> Bool {
    guard (0...options.epochs).contains(progress.nextEpoch), progress.origin >= 0, progress.classScores.count == classScores.count,
      progress.classScores.allSatisfy({ (0...1).contains($0) }), (progress.averageUpdates ?? 0) >= 0,
      (progress.averageUpdates == nil) == (average == nil), (progress.clip == nil) == (clip == nil),
      progress.clip.map(RecordPrivacy.clipRange.contains) ?? true
    else { return false }
    (nextEpoch, origin, accumulation) = (progress.nextEpoch, progress.origin, progress.accumulation)
    (classScores, clip) = (progress.classScores, progress.clip)
    average?.updates = progress.averageUpdates ?? 0
    isContinued = true
    return true
  }
}
