// YOLOv5's augmentation: a mosaic of four images, a random crop of it (scaled, shifted, turned, sheared, tilted), a second mosaic mixed
// in, shifted colours, mirrors. A sample depends on (seed, epoch, index) alone. Boxes travel with their pixels; what is left of a box
// after cropping decides whether it stays. What is off draws no random number, so switching one change on leaves the others' alone.

/// A training image and its objects.
public struct TrainingSample: Sendable {
  public var image: RGBImage
  public var labels: [Label]
}

public struct Augmentation: Sendable {
  public let store: ImageStore
  public let settings: AugmentationSettings
  public let seed: UInt64

  public init(store: ImageStore, settings: AugmentationSettings, seed: UInt64) {
    (self.store, self.settings, self.seed) = (store, settings, seed)
  }

  var side: Int { store.imageSize }
  private var square: SampleShape { SampleShape(width: side, height: side) }

  /// The sample that stands for image `index` in `epoch`.
  /// - Parameters:
  ///   - shape: nil gives a square of the store's size, with a mosaic where one is due; a rectangle never is a mosaic.
  ///   - partners: images that mosaics are filled up from; nil stands for all.
  public func sample(
    _ index: Int, epoch: Int, shape: SampleShape? = nil, partners: [Int]? = nil
  ) throws(DataError) -> TrainingSample {
    try sample(index, SampleRandom(seed: seed, stream: 1, UInt64(epoch), UInt64(index)), shape, partners)
  }

  private func sample(
    _ index: Int, _ given: SampleRandom, _ shape: SampleShape?, _ partners: [Int]?
  ) throws(DataError) -> TrainingSample {
    var random = given
    var placed: Placed
    if shape == nil, random.uniform(0, 1) < settings.mosaic {
      placed = crop(try mosaic(index, partners, &random), to: square, &random)
      if settings.mixup > 0, random.uniform(0, 1) < settings.mixup {
        let other = partners.map { $0[random.integer(below: $0.count)] } ?? random.integer(below: store.dataset.count)
        placed.mix(crop(try mosaic(other, partners, &random), to: square, &random), share: Float(random.mixingShare()))
      }
    } else {
      let shape = shape ?? square
      placed = letterboxed(try store.image(index), store.dataset.labels[index], shape)
      if settings.crops { placed = crop(placed, to: shape, &random) }
    }
    if settings.shiftsColours { ColourShift(settings, &random).apply(to: &placed.image.pixels) }
    if settings.flipUpDown > 0, random.uniform(0, 1) < settings.flipUpDown { placed.turnUpsideDown() }
    if random.uniform(0, 1) < settings.flip { placed.mirror() }
    return TrainingSample(image: placed.image, labels: placed.labels)
  }

  /// A batch for the network: samples `indices`, and their objects with positions in the batch.
  public func batch(
    _ indices: [Int], epoch: Int, shape: SampleShape? = nil, partners: [Int]? = nil
  ) throws(DataError) -> (images: ImageBatch, targets: [Target]) {
    try assembled(indices.count, shape ?? square) { position throws(DataError) in
      try sample(indices[position], epoch: epoch, shape: shape, partners: partners)
    }
  }

  /// One image by itself, whose random changes follow from `seed` alone: not from its number, nor from the augmentation's seed.
  public func example(_ index: Int, seed: UInt64) throws(DataError) -> (images: ImageBatch, targets: [Target]) {
    try assembled(1, square) { _ throws(DataError) in try sample(index, SampleRandom(seed: seed, stream: 2), nil, nil) }
  }

  private func assembled(
    _ count: Int, _ size: SampleShape, _ sample: (Int) throws(DataError) -> TrainingSample
  ) throws(DataError) -> (images: ImageBatch, targets: [Target]) {
    let values = size.width * size.height * 3
    var pixels = [Float](repeating: 0, count: count * values)
    var targets: [Target] = []
    for position in 0..<count {
      let sample = try sample(position)
      sample.image.scale(into: &pixels, at: position * values)
      targets += sample.labels.map { Target(image: position, classIndex: $0.classIndex, x: $0.x, y: $0.y, w: $0.w, h: $0.h) }
    }
    return (ImageBatch(count: count, height: size.height, width: size.width, pixels: pixels), targets)
  }

  private func letterboxed(_ image: RGBImage, _ labels: [Label], _ shape: SampleShape) -> Placed {
    let box = Letterbox(imageHeight: image.height, imageWidth: image.width, target: (shape.height, shape.width))
    var placed = Placed(image: box.apply(to: image))
    placed.add(labels, x: Float(box.left), y: Float(box.top), width: Float(box.innerWidth), height: Float(box.innerHeight))
    return placed
  }
}

extension SampleRandom {
  /// Beta(32, 32): the middle one of 63 uniform numbers (order statistics), sharply around a half.
  mutating func mixingShare() -> Double {
    var numbers: [Double] = []
    for _ in 0..<63 { numbers.append(uniform(0, 1)) }
    return numbers.sorted()[31]
  }
}
