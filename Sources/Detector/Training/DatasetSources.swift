// The data set as training and validation see it: batches of augmented samples, and letterboxed images with their labels.

/// Augmented (or plain letterboxed) training batches of one data set.
public struct DatasetTrainingSource: TrainingSource {
  public let dataset: Dataset
  public let store: ImageStore
  /// Images from flat to tall where a batch is as small as its shapes allow; nil for square batches.
  public let fixedOrder: [Int]?
  private let augmentation: Augmentation
  /// Height over width by image; empty for square batches.
  private let ratios: [Double]
  private var sizeMultiple = ImageBatch.sizeMultiple

  /// - Parameters:
  ///   - data: path of `data.yaml`.
  ///   - cacheBytesMax: decoded pixels kept in memory.
  /// - Throws: `DataError` with the place of the first fault.
  public init(data: String, options: TrainingOptions, cacheBytesMax: Int = ImageStore.cacheBytesStandard) throws {
    let dataset = try Dataset(
      yaml: data, split: .train, isSingleClass: options.isSingleClass, leavesOutFaulty: options.hidesImages)
    self.dataset = dataset
    store = ImageStore(
      dataset: dataset, imageSize: options.imageSize, shrinkFilter: options.isAugmented ? .bilinear : .area, cacheBytesMax: cacheBytesMax)
    augmentation = Augmentation(
      store: store, settings: options.isAugmented ? AugmentationSettings(options.hyper) : .none, seed: options.seed)
    // Draws by weight give batches of mixed shapes, so they come first, as in v7.0.
    let isRectangular = options.isRectangular && !options.isImageWeighted
    let ratios = isRectangular ? try dataset.sizes().map { Double($0.height) / Double($0.width) } : []
    self.ratios = ratios
    fixedOrder = isRectangular ? ratios.indices.sorted { ratios[$0] != ratios[$1] ? ratios[$0] < ratios[$1] : $0 < $1 } : nil
  }

  public var imageCount: Int { dataset.count }
  public var classCount: Int { dataset.names.count }

  public func padded(to multiple: Int) -> Self {
    var other = self
    other.sizeMultiple = multiple
    return other
  }

  public func classes(of image: Int) -> [Int] { dataset.labels[image].map(\.classIndex) }

  public func batch(images: [Int], epoch: Int) throws -> TrainingBatch { try batch(images, epoch, partners: nil) }

  public func batch(images: [Int], epoch: Int, partners: [Int]) throws -> TrainingBatch {
    try batch(images, epoch, partners: partners)
  }

  public func example(image: Int, seed: UInt64) throws -> TrainingBatch {
    let (pixels, targets) = try augmentation.example(image, seed: seed)
    return TrainingBatch(images: pixels, targets: targets)
  }

  private func batch(_ images: [Int], _ epoch: Int, partners: [Int]?) throws -> TrainingBatch {
    var shape: SampleShape?
    if fixedOrder != nil {
      let found = images.map { ratios[$0] }
      shape = SampleShape(
        flattest: found.min() ?? 1, tallest: found.max() ?? 1, imageSize: store.imageSize, multiple: sizeMultiple)
    }
    let (pixels, targets) = try augmentation.batch(images, epoch: epoch, shape: shape, partners: partners)
    return TrainingBatch(images: pixels, targets: targets)
  }
}

/// Validation images of one data set.
public struct DatasetValidationSource: ValidationSource {
  public let dataset: Dataset
  public let store: ImageStore
  private let sizes: [(width: Int, height: Int)]

  /// - Parameters:
  ///   - data: path of `data.yaml`.
  ///   - imageSize: long side of the network's input in pixels.
  ///   - split: which images.
  ///   - isSingleClass: take all classes for one.
  ///   - cacheBytesMax: decoded pixels kept in memory.
  /// - Throws: `DataError` with the place of the first fault.
  public init(
    data: String, imageSize: Int, split: Dataset.Split = .val, isSingleClass: Bool = false,
    cacheBytesMax: Int = ImageStore.cacheBytesStandard
  ) throws {
    dataset = try Dataset(yaml: data, split: split, isSingleClass: isSingleClass)
    store = ImageStore(dataset: dataset, imageSize: imageSize, shrinkFilter: .area, cacheBytesMax: cacheBytesMax)
    sizes = try dataset.sizes()
  }

  public var imageCount: Int { dataset.count }
  public var classCount: Int { dataset.names.count }

  public func size(of image: Int) -> (width: Int, height: Int) { sizes[image] }

  public func labels(of image: Int) -> [Target] {
    dataset.labels[image].map { Target(image: 0, classIndex: $0.classIndex, x: $0.x, y: $0.y, w: $0.w, h: $0.h) }
  }

  public func letterboxed(_ image: Int, width: Int, height: Int) throws -> LetterboxedImage {
    let scaled = try store.image(image)
    let box = Letterbox(
      imageHeight: scaled.height, imageWidth: scaled.width, target: (height, width), scaleUp: false)
    let native = sizes[image]
    let image = box.apply(to: scaled)
    var pixels = [Float](repeating: 0, count: image.pixels.count)
    image.scale(into: &pixels, at: 0)
    return LetterboxedImage(
      pixels: pixels,
      scale: SIMD2(
        Float(box.innerWidth) / Float(native.width), Float(box.innerHeight) / Float(native.height)),
      padding: SIMD2(Float(box.dw), Float(box.dh)))
  }
}
