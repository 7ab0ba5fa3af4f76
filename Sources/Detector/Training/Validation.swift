// Scores a network on labelled images the way YOLOv5's validation does: rectangular batches, letterbox, suppression at
// confidence .001 and IoU .6, boxes compared in the images' own pixels. Invariant: the network's weights are not changed.

/// One image, scaled and padded to the input size of its batch.
public struct LetterboxedImage: Sendable {
  /// `[y][x][channel]`, 0…1.
  public var pixels: [Float]
  /// Input pixels per native pixel, and the padding on the left and top in input pixels.
  public var scale: SIMD2<Float>
  public var padding: SIMD2<Float>

  public init(pixels: [Float], scale: SIMD2<Float>, padding: SIMD2<Float>) {
    self.pixels = pixels
    self.scale = scale
    self.padding = padding
  }
}

/// Where validation images come from. Called on the loader's thread.
public protocol ValidationSource: Sendable {
  var imageCount: Int { get }
  var classCount: Int { get }
  /// Native size in pixels.
  func size(of image: Int) throws -> (width: Int, height: Int)
  /// Labels as fractions of the native size; their `image` means nothing.
  func labels(of image: Int) throws -> [Target]
  /// The image, scaled to the input size that the source was made for, in an input of `width` × `height`.
  func letterboxed(_ image: Int, width: Int, height: Int) throws -> LetterboxedImage
}

/// One validation pass.
public struct Validation: Sendable {
  public struct Outcome: Equatable, Sendable {
    public var scores: DetectionScores
    public var curves: CurveSet
    public var confusion: ConfusionMatrix
    /// Loss parts per image, as in training.
    public var boxLoss: Double
    public var objectnessLoss: Double
    public var classLoss: Double
    public var images: Int
    public var seconds: Double
  }

  public var imageSize: Int
  public var batchSize: Int
  public var suppression = NonMaximumSuppression.validation
  /// What the loss is taken with, so that it compares with training's.
  public var hyper = HyperParameters()
  /// Threads that load; how many changes no result.
  public var workers = 1
  private let source: any ValidationSource
  /// Of the images, in their own pixels.
  private let sizes: [(width: Int, height: Int)]

  /// - Throws: `TrainingError` where there is nothing to validate or a size is out of range; what `source` throws.
  public init(source: any ValidationSource, imageSize: Int, batchSize: Int) throws {
    guard source.imageCount > 0 else {
      throw TrainingError(.unsuitableData, "the data set has no validation images", hint: "check `val` in data.yaml")
    }
    guard TrainingOptions.imageSizeRange.contains(imageSize), imageSize.isMultiple(of: ImageBatch.sizeMultiple),
      TrainingOptions.batchSizeRange.contains(batchSize)
    else {
      throw TrainingError(
        .badJob, "image size \(imageSize) with batch size \(batchSize) is impossible",
        hint: "use a multiple of 32 from 32 to 4096, and a batch of 1 to 4096")
    }
    self.source = source
    self.imageSize = imageSize
    self.batchSize = batchSize
    sizes = try (0..<source.imageCount).map { try source.size(of: $0) }
  }

  public var batchCount: Int { (sizes.count + batchSize - 1) / batchSize }

  private struct Loaded: Sendable {
    var batch: ValidationPlan.Batch
    var images: ImageBatch
    var frames: [(scale: SIMD2<Float>, padding: SIMD2<Float>, size: SIMD2<Float>)]
    /// By image, as fractions of the padded input.
    var labels: [[Label]]
  }

  /// What was found in one image, and what its labels say; boxes in the image's own pixels.
  public struct Finding: Sendable {
    /// Number of the image in the source.
    public var image: Int
    public var width: Int
    public var height: Int
    /// Most confident first.
    public var detections: [Detection]
    public var labels: [LabelledBox]
  }

  /// Scores `network` as it is.
  /// - Parameters:
  ///   - onImage: called with each image's findings, in the order of the batches; an error ends the run.
  ///   - onBatch: called with the number of batches done and in all.
  public func run(
    _ network: Network, onImage: (Finding) throws -> Void = { _ in }, onBatch: (Int, Int) -> Void = { _, _ in }
  ) throws -> Outcome {
    guard source.classCount == network.spec.classes else {
      throw TrainingError(
        .unsuitableData, "the data set has \(source.classCount) classes, the weights have \(network.spec.classes)",
        hint: "validate on the data set that the weights are for")
    }
    try network.requireSize(imageSize)
    try WeightsFile.requireRightProducts()
    let clock = ContinuousClock.now
    let plan = ValidationPlan(sizes: sizes, imageSize: imageSize, batchSize: batchSize, multiple: network.sizeMultiple)
    let loss = DetectionLoss(classes: network.spec.classes, anchors: network.anchors, hyper: hyper, imageSize: imageSize)
    let loader = Prefetcher(count: plan.batches.count, depth: 1, workers: workers) { [self] index in try load(plan.batches[index]) }
    defer { loader.stop() }
    var collector = AveragePrecision()
    var confusion = ConfusionMatrix(classes: network.spec.classes)
    var sums = SIMD3<Double>()
    var done = 0
    while let loaded = try loader.next() {
      let maps = network.forward(loaded.images, training: false)
      let parts = loss.evaluate(maps: maps, targets: inputTargets(loaded)).parts
      sums += SIMD3(parts.box, parts.objectness, parts.classification) * Double(loaded.images.count)
      for finding in findings(loaded, MapDecoder.decode(maps, anchors: network.anchors, strides: network.strides)) {
        collector.add(detections: finding.detections, labels: finding.labels)
        confusion.add(detections: finding.detections, labels: finding.labels)
        try onImage(finding)
      }
      done += 1
      onBatch(done, plan.batches.count)
    }
    let mean = sums / Double(source.imageCount)
    let (scores, curves) = collector.evaluated()
    return Outcome(
      scores: scores, curves: curves, confusion: confusion, boxLoss: mean.x, objectnessLoss: mean.y, classLoss: mean.z,
      images: source.imageCount, seconds: (ContinuousClock.now - clock).inSeconds)
  }

  private func load(_ batch: ValidationPlan.Batch) throws -> Loaded {
    var pixels: [Float] = []
    pixels.reserveCapacity(batch.images.count * batch.width * batch.height * 3)
    var loaded = Loaded(
      batch: batch, images: ImageBatch(count: 0, height: batch.height, width: batch.width, pixels: []), frames: [],
      labels: [])
    for image in batch.images {
      let boxed = try source.letterboxed(image, width: batch.width, height: batch.height)
      let size = try source.size(of: image)
      pixels += boxed.pixels
      loaded.frames.append((boxed.scale, boxed.padding, SIMD2(Float(size.width), Float(size.height))))
      let (input, extent) = (SIMD2(Float(batch.width), Float(batch.height)), SIMD2(Float(size.width), Float(size.height)) * boxed.scale)
      loaded.labels.append(
        try source.labels(of: image).map { label in
          let (centre, half) = (SIMD2(label.x, label.y), SIMD2(label.w, label.h) / 2)
          let corners = SIMD4(lowHalf: (centre - half) * extent + boxed.padding, highHalf: (centre + half) * extent + boxed.padding)
          return Label(classIndex: label.classIndex, corners: corners, in: input)
        })
    }
    loaded.images = ImageBatch(
      count: batch.images.count, height: batch.height, width: batch.width, pixels: pixels)
    return loaded
  }

  private func inputTargets(_ loaded: Loaded) -> [Target] {
    loaded.labels.enumerated().flatMap { index, labels in
      labels.map { Target(image: index, classIndex: $0.classIndex, x: $0.x, y: $0.y, w: $0.w, h: $0.h) }
    }
  }

  private func findings(_ loaded: Loaded, _ decoded: DecodedPredictions) -> [Finding] {
    let input = SIMD2(Float(loaded.batch.width), Float(loaded.batch.height))
    return loaded.frames.enumerated().map { index, frame in
      // One scale for both axes, as YOLOv5's validation does it: labels go the same way as predictions.
      let back = InputFrame(gain: frame.scale.y, padding: frame.padding, size: frame.size)
      let predictions = Predictions(decoded, image: index, objectnessMin: suppression.confidenceMin)
      let detections = suppression.apply(to: predictions).map { found in
        Detection(box: back.native(found.box), confidence: found.confidence, classIndex: found.classIndex)
      }
      let labels = loaded.labels[index].map { label in
        let (centre, half) = (SIMD2(label.x, label.y) * input, SIMD2(label.w, label.h) * input / 2)
        return LabelledBox(box: back.native(SIMD4(lowHalf: centre - half, highHalf: centre + half)), classIndex: label.classIndex)
      }
      return Finding(
        image: loaded.batch.images[index], width: Int(frame.size.x), height: Int(frame.size.y), detections: detections, labels: labels)
    }
  }
}
