// Finds objects in single images of any size, as YOLOv5's detection does: letterbox with the least padding, forward pass, suppression,
// boxes back in the image's own whole pixels.

/// Detects with one network; belongs to one thread.
public struct ImageDetector {
  public let network: Network
  /// Long side of the network's input in pixels.
  public let imageSize: Int
  public var suppression: NonMaximumSuppression

  /// What was found in an image, and how long each part took.
  public struct Outcome: Sendable {
    /// Most confident first; boxes in the image's pixels, whole numbers inside the image.
    public var detections: [Detection]
    /// Size of the network's input in pixels.
    public var inputWidth: Int
    public var inputHeight: Int
    public var secondsPreparing: Double
    public var secondsInferring: Double
    public var secondsSuppressing: Double
  }

  /// - Throws: `TrainingError` where the size does not suit the network.
  public init(network: Network, imageSize: Int, suppression: NonMaximumSuppression = .display) throws(TrainingError) {
    try network.requireSize(imageSize)
    try WeightsFile.requireRightProducts()
    (self.network, self.imageSize, self.suppression) = (network, imageSize, suppression)
  }

  public func detect(_ image: RGBImage) -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    let box = Letterbox(
      imageHeight: image.height, imageWidth: image.width, target: (imageSize, imageSize), minimal: true, multiple: network.sizeMultiple)
    let input = box.apply(to: image)
    var pixels = [Float](repeating: 0, count: input.pixels.count)
    input.scale(into: &pixels, at: 0)
    let prepared = clock.now
    let maps = network.forward(ImageBatch(count: 1, height: box.height, width: box.width, pixels: pixels), training: false)
    let decoded = MapDecoder.decode(maps, anchors: network.anchors, strides: network.strides)
    let inferred = clock.now
    let predictions = Predictions(decoded, image: 0, objectnessMin: suppression.confidenceMin)
    let frame = InputFrame(box, width: image.width, height: image.height)
    let detections = suppression.apply(to: predictions).map { found in
      Detection(box: frame.native(found.box, isRounded: true), confidence: found.confidence, classIndex: found.classIndex)
    }
    let end = clock.now
    return Outcome(
      detections: detections, inputWidth: box.width, inputHeight: box.height, secondsPreparing: (prepared - start).inSeconds,
      secondsInferring: (inferred - prepared).inSeconds, secondsSuppressing: (end - inferred).inSeconds)
  }
}

/// From the network's input back to an image: one scale for both axes, half of the padding.
struct InputFrame: Sendable {
  let gain: Float
  let padding: SIMD2<Float>
  let size: SIMD2<Float>

  init(gain: Float, padding: SIMD2<Float>, size: SIMD2<Float>) { (self.gain, self.padding, self.size) = (gain, padding, size) }

  /// The frame of a letterboxed image, as YOLOv5 works it out from the two sizes alone.
  init(_ box: Letterbox, width: Int, height: Int) {
    let gain = min(Double(box.height) / Double(height), Double(box.width) / Double(width))
    self.gain = Float(gain)
    padding = SIMD2(Float((Double(box.width) - Double(width) * gain) / 2), Float((Double(box.height) - Double(height) * gain) / 2))
    size = SIMD2(Float(width), Float(height))
  }

  /// A box of the input in the image's pixels, cut at its border; whole pixels if wanted (ties to even).
  func native(_ box: SIMD4<Float>, isRounded: Bool = false) -> SIMD4<Float> {
    let moved = (box - SIMD4(lowHalf: padding, highHalf: padding)) / gain
    let cut = moved.clamped(lowerBound: SIMD4(), upperBound: SIMD4(lowHalf: size, highHalf: size))
    return isRounded ? cut.rounded(.toNearestOrEven) : cut
  }
}
