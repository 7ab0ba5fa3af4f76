// Where training batches come from, apart from how they are trained on.

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

/// Where training batches come from. Called on the loaders' threads, several at once.
public protocol TrainingSource: Sendable {
  var imageCount: Int { get }
  /// Number of classes that labels may name.
  var classCount: Int { get }
  /// A batch of the named images; what is random in it follows from the epoch and the source's own seed.
  func batch(images: [Int], epoch: Int) throws -> TrainingBatch
  /// The same where mosaics may be filled up from `partners` only, because an epoch prefers some images.
  func batch(images: [Int], epoch: Int, partners: [Int]) throws -> TrainingBatch
  /// One image by itself; what is random in it follows from `seed`, neither from the image's number nor from the source's own seed.
  func example(image: Int, seed: UInt64) throws -> TrainingBatch
  /// The order that every epoch keeps, where images of one shape share a batch; nil: each epoch is shuffled.
  var fixedOrder: [Int]? { get }
  /// The same images where the sides of a batch of one shape are multiples of `multiple`: what the network's coarsest map asks for.
  func padded(to multiple: Int) -> Self
  /// Classes of an image's objects, each as often as it is there.
  func classes(of image: Int) -> [Int]
}

extension TrainingSource {
  public func batch(images: [Int], epoch: Int, partners: [Int]) throws -> TrainingBatch { try batch(images: images, epoch: epoch) }
  public var fixedOrder: [Int]? { nil }
  public func padded(to multiple: Int) -> Self { self }
  public func classes(of image: Int) -> [Int] { [] }
}
