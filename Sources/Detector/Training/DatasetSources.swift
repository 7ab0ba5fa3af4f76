// The data set as training and validation see it: batches of augmented samples, and letterboxed images with their labels.

/// Augmented (or plain letterboxed) training batches of one data set.
public struct DatasetTrainingSource: TrainingSource {
  public let dataset: Dataset
  private let augmentation: Augmentation

  /// - Parameter data: path of `data.yaml`.
  /// - Throws: `DataError` with the place of the first fault.
  public init(data: String, options: TrainingOptions) throws {
    dataset = try Dataset(yaml: data, split: .train)
    let store = ImageStore(
      dataset: dataset, imageSize: options.imageSize, shrinkFilter: options.isAugmented ? .bilinear : .area)
    augmentation = Augmentation(
      store: store, settings: options.isAugmented ? AugmentationSettings(options.hyper) : .none, seed: options.seed)
  }

  public var imageCount: Int { dataset.count }
  public var classCount: Int { dataset.names.count }

  public func batch(images: [Int], epoch: Int) throws -> TrainingBatch {
    let (pixels, targets) = try augmentation.batch(images, epoch: epoch)
    return TrainingBatch(images: pixels, targets: targets)
  }
}

/// Validation images of one data set.
public struct DatasetValidationSource: ValidationSource {
  public let dataset: Dataset
  private let store: ImageStore
  private let sizes: [(width: Int, height: Int)]

  /// - Parameters:
  ///   - data: path of `data.yaml`.
  ///   - imageSize: long side of the network's input in pixels.
  /// - Throws: `DataError` with the place of the first fault.
  public init(data: String, imageSize: Int) throws {
    dataset = try Dataset(yaml: data, split: .val)
    store = ImageStore(dataset: dataset, imageSize: imageSize, shrinkFilter: .area)
    sizes = try dataset.imagePaths.map { try ImageDecoder.size(path: $0) }
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
