// Training with privacy for single images (DP-SGD; Abadi et al. 2016; spec/13-record-privacy.md): in every step each image takes part by
// a coin of its own; each one's gradient is computed, clipped and rounded by itself; the sum is noised; the optimiser sees that alone.
// Invariant: which images take part, how they are changed and the noise come from the operating system's generator, never from the seed.

import DPAccountant
import Sodium

extension TrainingRun {
  /// Images of one step that are loaded together, at most a batch of them.
  struct Piece: Sendable {
    var images: [(number: Int, seed: UInt64)] = []
    var endsStep = false
  }

  /// Trains the steps `batches` of each epoch. An image that cannot be read, or whose gradient is not finite, counts as a gradient of
  /// zero: whether that happens would tell of the data.
  func trainPrivately(
    epochs: Range<Int>, _ batches: Range<Int>, _ privacy: RecordPrivacy, _ sum: GradientSum, onBatch: (BatchReport) -> Void,
    onEpoch: (EpochReport) throws -> Void
  ) throws {
    let pieces = drawn(steps: epochs.count * batches.count, rate: privacy.samplingRate)
    let loader = Prefetcher(count: pieces.count, workers: options.workers) { [source] index in
      pieces[index].images.map { image in try? source.example(image: image.number, seed: image.seed) }
    }
    defer { loader.stop() }
    var next = 0
    for epoch in epochs {
      var sums = EpochSums()
      for step in batches {
        let settings = schedule.settings(iteration: epoch * batchesPerEpoch + step, epoch: epoch)
        let clip = clip ?? privacy.clip
        repeat {
          let asked = ContinuousClock.now
          guard let examples = try loader.next() else { return }
          sums.waitingSeconds += (ContinuousClock.now - asked).inSeconds
          for example in examples { learn(example, &sums, settings) { sum.add(clip: clip) } }
          next += 1
        } while !pieces[next - 1].endsStep
        self.clip = sum.release(clip: clip, lotSize: privacy.lotSize)
        optimizer.step(settings)
        network.zeroGradients()
        average?.update(network, still: optimizer.frozen)
        onBatch(
          BatchReport(
            done: (epoch - epochs.lowerBound) * batches.count + step - batches.lowerBound + 1, total: epochs.count * batches.count,
            epoch: sums.report(epoch: epoch)))
      }
      nextEpoch = epoch + 1
      try onEpoch(sums.report(epoch: epoch))
      if isStopping { break }
    }
  }

  /// Which images take part in which step, and the seeds of their changes.
  func drawn(steps: Int, rate: Double) -> [Piece] {
    var random = RandomStream()
    var pieces: [Piece] = []
    for _ in 0..<steps {
      let images = PoissonSample.draw(count: source.imageCount, rate: rate, from: &random).map { number in
        var seed: UInt64 = 0
        withUnsafeMutableBytes(of: &seed) { random.fill($0) }
        return (number: number, seed: seed)
      }
      // A step without images is a step: it releases noise.
      for start in stride(from: 0, to: max(images.count, 1), by: options.batchSize) {
        pieces.append(Piece(images: Array(images[start..<min(start + options.batchSize, images.count)])))
      }
      pieces[pieces.count - 1].endsStep = true
    }
    return pieces
  }

  /// Computes one image's gradient and adds it. An image that could not be read has one of zero.
  func learn(
    _ example: TrainingBatch?, _ sums: inout EpochSums, _ settings: LearningSchedule.Settings, add: () -> Void
  ) {
    network.zeroGradients()
    let parts = example.map(evaluate)
    add()
    if let parts, parts.total.isFinite { sums.add(parts, images: 1, settings: settings) }
  }
}
