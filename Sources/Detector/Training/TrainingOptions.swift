// The settings of a training run with YOLOv5's defaults, checked once before anything starts.

/// Settings of one training run.
public struct TrainingOptions: Equatable, Sendable, Codable {
  /// Side of the square input in pixels; a multiple of 32.
  public var imageSize = 640
  /// Images per batch; the network never sees more at once.
  public var batchSize = 16
  /// Images per optimiser step that rates and decay are made for; smaller batches are accumulated up to it.
  public var nominalBatchSize = 64
  /// Epochs of the whole job: learning rate, momentum and warm-up run over these, however they are cut into rounds.
  public var epochs = 100
  public var seed: UInt64 = 0
  /// Threads of the network; those that load come on top.
  public var threads = 2
  /// Threads that load; how many changes no result.
  public var workers = 1
  /// Mosaic, colour, scale, translation and flip.
  public var isAugmented = true
  /// Images of one shape share a batch as small as they allow: no mosaics, the same order in every epoch.
  public var isRectangular = false
  /// Every batch at a size of its own, half to one and a half times `imageSize`.
  public var isMultiScale = false
  /// Draw images by how rare and how badly found their classes are; with `isRectangular` this one counts, as in v7.0.
  public var isImageWeighted = false
  /// Take all classes for one.
  public var isSingleClass = false
  /// Layers whose parameters stay as they are. Their norms go on following the images with their running statistics, as in v7.0.
  public var frozenLayers: [Int] = []
  public var norm = NormMode.batch
  /// nil: nothing is clipped or noised, and nothing is promised.
  public var privacy: RecordPrivacy?
  /// Instead of `privacy`: the noise is added by others, to a sum of gradients.
  public var sharedGradients: SharedGradients?
  public var optimizer = OptimizerKind.sgd
  public var isCosine = false
  /// Rates, gains of the loss, strength of the augmentation.
  public var hyper = HyperParameters()

  /// Ranges that a job may ask for, so that a wrong file cannot ask for terabytes or for no progress.
  public static let imageSizeRange = 32...4096
  public static let batchSizeRange = 1...4096
  public static let epochsRange = 1...100_000
  public static let threadsRange = 1...256
  public static let workersRange = 1...64

  public init() {}

  /// - Throws: `TrainingError.badJob` naming the first setting that is out of range.
  public func validate() throws(TrainingError) {
    func check(_ isGood: Bool, _ name: String, _ rule: String) throws(TrainingError) {
      guard isGood else { throw TrainingError(.badJob, "\(name) must be \(rule)", hint: "choose another value") }
    }
    try check(
      Self.imageSizeRange.contains(imageSize) && imageSize.isMultiple(of: ImageBatch.sizeMultiple), "image size",
      "a multiple of \(ImageBatch.sizeMultiple) from 32 to 4096")
    try check(Self.batchSizeRange.contains(batchSize), "batch size", "from 1 to 4096")
    try check((1...65_536).contains(nominalBatchSize), "nominal batch size", "from 1 to 65536")
    try check(Self.epochsRange.contains(epochs), "number of epochs", "from 1 to 100000")
    try check(Self.threadsRange.contains(threads), "number of threads", "from 1 to 256")
    try check(Self.workersRange.contains(workers), "number of workers", "from 1 to 64")
    try check(frozenLayers.allSatisfy { (0...1000).contains($0) }, "frozen layers", "numbers from 0 on")
    try hyper.validate()
    try validatePrivacy()
  }

  /// Whether single images are protected, so that none may be seen but in a clipped gradient.
  public var hidesImages: Bool { privacy != nil || sharedGradients != nil }

  /// The schedule over the whole job for a data set of `images` images.
  func schedule(images: Int) -> LearningSchedule {
    // With privacy every step is one optimiser step, and their number follows from the sampling rate, not from the images.
    let batchSize = privacy?.lotSize ?? batchSize
    var schedule = LearningSchedule(
      epochs: epochs, batchesPerEpoch: privacy?.stepsPerEpoch ?? (images + batchSize - 1) / batchSize, batchSize: batchSize)
    schedule.learningRate = hyper.learningRate
    schedule.finalFraction = hyper.finalRateFraction
    schedule.isCosine = isCosine
    schedule.momentum = hyper.momentum
    schedule.warmupEpochs = hyper.warmupEpochs
    schedule.warmupMomentum = hyper.warmupMomentum
    // A step of Adam or AdamW is as large as its rate, whatever the gradient: biases begin at 0 like the others.
    schedule.warmupBiasRate = optimizer == .sgd ? hyper.warmupBiasRate : 0
    schedule.nominalBatchSize = privacy == nil ? nominalBatchSize : batchSize
    return schedule
  }
}

extension NormMode: Codable {}
extension OptimizerKind: Codable {}
