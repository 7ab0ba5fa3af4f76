// Learning rates, momentum and gradient accumulation by iteration: pure functions, as YOLOv5 v7.0's training has them.
// Warm-up lasts max(3 epochs, 100 iterations): the biases' rate falls from 0.1, the others rise from 0, momentum rises
// from 0.8, and accumulation grows from 1 to nominal / batch.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The schedule of one training run.
public struct LearningSchedule: Equatable, Sendable {
  public var learningRate = 0.01
  /// Rate at the end, as a fraction of `learningRate`.
  public var finalFraction = 0.01
  /// Cosine instead of linear decay.
  public var isCosine = false
  public var momentum = 0.937
  public var warmupMomentum = 0.8
  public var warmupBiasRate = 0.1
  public var warmupEpochs = 3.0
  public var warmupIterationsMin = 100
  /// Epochs of the whole run, at least 1.
  public var epochs: Int
  /// Iterations per epoch, at least 1.
  public var batchesPerEpoch: Int
  public var batchSize: Int
  /// Images per optimiser step that the hyper-parameters were made for.
  public var nominalBatchSize = 64

  public init(epochs: Int, batchesPerEpoch: Int, batchSize: Int) {
    precondition(epochs >= 1 && batchesPerEpoch >= 1 && batchSize >= 1)
    self.epochs = epochs
    self.batchesPerEpoch = batchesPerEpoch
    self.batchSize = batchSize
  }

  /// What one iteration trains with.
  public struct Settings: Equatable, Sendable {
    public var biasRate: Double
    /// Rate of convolution weights and norm scales.
    public var rate: Double
    public var momentum: Double
    /// Batches whose gradients are summed before a step.
    public var accumulate: Int

    public init(biasRate: Double, rate: Double, momentum: Double, accumulate: Int = 1) {
      self.biasRate = biasRate
      self.rate = rate
      self.momentum = momentum
      self.accumulate = accumulate
    }
  }

  public var warmupIterations: Int {
    warmupEpochs > 0 ? max(Int((warmupEpochs * Double(batchesPerEpoch)).rounded()), warmupIterationsMin) : -1
  }

  /// The decay 1 → `finalFraction` over the run, at the start of `epoch`.
  public func factor(epoch: Int) -> Double {
    let progress = Double(epoch) / Double(epochs)
    if isCosine { return (1 - cos(progress * .pi)) / 2 * (finalFraction - 1) + 1 }
    return (1 - progress) * (1 - finalFraction) + finalFraction
  }

  /// Settings of `iteration`, counted from 0 over all epochs.
  public func settings(iteration: Int, epoch: Int) -> Settings {
    let rate = learningRate * factor(epoch: epoch)
    let accumulated = Double(nominalBatchSize) / Double(batchSize)
    let full = max(Int(accumulated.rounded(.toNearestOrEven)), 1)
    let warmup = warmupIterations
    guard iteration <= warmup else {
      return Settings(biasRate: rate, rate: rate, momentum: momentum, accumulate: full)
    }
    let progress = Double(iteration) / Double(max(warmup, 1))
    func between(_ start: Double, _ end: Double) -> Double { start + (end - start) * progress }
    return Settings(
      biasRate: between(warmupBiasRate, rate), rate: between(0, rate), momentum: between(warmupMomentum, momentum),
      accumulate: max(Int(between(1, accumulated).rounded(.toNearestOrEven)), 1))
  }

  /// Weight decay scaled to the images that one step really sees.
  public func scaledWeightDecay(_ decay: Double) -> Double {
    let full = max(Int((Double(nominalBatchSize) / Double(batchSize)).rounded(.toNearestOrEven)), 1)
    return decay * Double(batchSize * full) / Double(nominalBatchSize)
  }
}

/// Decides after which batches the optimiser steps.
public struct Accumulation: Equatable, Sendable, Codable {
  private var lastStep = -1

  public init() {}

  /// True if the gradients of `iteration` complete a step of `accumulate` batches; call once per iteration.
  public mutating func completes(iteration: Int, accumulate: Int) -> Bool {
    guard iteration - lastStep >= accumulate else { return false }
    lastStep = iteration
    return true
  }

  /// True if no batch before `iteration` waits for its step.
  func isComplete(iteration: Int) -> Bool { lastStep == iteration - 1 }
}
