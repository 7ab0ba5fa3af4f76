// What a run tells while it trains.

/// What one epoch of training gave.
public struct EpochReport: Equatable, Sendable {
  /// Epoch of the whole job, from 0.
  public var epoch: Int
  /// Mean loss parts per image.
  public var boxLoss: Double
  public var objectnessLoss: Double
  public var classLoss: Double
  /// Learning rate of weights and norm scales at the end of the epoch.
  public var learningRate: Double
  /// That of biases: another one while training warms up.
  public var biasRate: Double
  public var images: Int
  public var seconds: Double
  /// Of these, how long the network waited for images.
  public var waitingSeconds = 0.0

  public var imagesPerSecond: Double { seconds > 0 ? Double(images) / seconds : 0 }
}

/// Where a run is after a batch.
public struct BatchReport: Equatable, Sendable {
  /// Batches done and in all of this call of `train`.
  public var done: Int
  public var total: Int
  /// Means of the epoch so far; its `images` and `seconds` too.
  public var epoch: EpochReport
}

/// Sums of an epoch's losses.
struct EpochSums {
  private let start = ContinuousClock.now
  private var losses = SIMD3<Double>()
  private var images = 0
  private var rates = (weights: 0.0, biases: 0.0)
  var waitingSeconds = 0.0

  mutating func add(_ parts: LossParts, images count: Int, settings: LearningSchedule.Settings) {
    losses += SIMD3(parts.box, parts.objectness, parts.classification) * Double(count)
    images += count
    rates = (settings.rate, settings.biasRate)
  }

  func report(epoch: Int) -> EpochReport {
    let mean = losses / Double(max(images, 1))
    return EpochReport(
      epoch: epoch, boxLoss: mean.x, objectnessLoss: mean.y, classLoss: mean.z, learningRate: rates.weights,
      biasRate: rates.biases, images: images, seconds: (ContinuousClock.now - start).inSeconds, waitingSeconds: waitingSeconds)
  }
}

extension Duration {
  /// This duration in seconds.
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
