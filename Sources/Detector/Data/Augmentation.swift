// YOLOv5's augmentation from scratch ("low"): a mosaic of four images, a random affine crop of it, shifted colours, a mirror. A sample
// depends on (seed, epoch, index) alone. Boxes travel with their pixels; what is left of a box after cropping decides whether it stays.

/// How much of each change; YOLOv5's scratch-low values.
public struct AugmentationSettings: Equatable, Sendable {
  /// Probability of a mosaic.
  public var mosaic = 1.0
  /// Scale is uniform in 1 ± this.
  public var scale = 0.5
  /// The crop is shifted by up to this fraction of the image.
  public var translate = 0.1
  /// Largest relative change of hue, saturation and value.
  public var hue = 0.015
  public var saturation = 0.7
  public var value = 0.4
  /// Probability of a mirror image.
  public var flip = 0.5

  public init() {}
  /// Nothing random: letterboxed images as they are.
  public static let none: AugmentationSettings = {
    var settings = AugmentationSettings()
    (settings.mosaic, settings.scale, settings.translate) = (0, 0, 0)
    (settings.hue, settings.saturation, settings.value, settings.flip) = (0, 0, 0, 0)
    return settings
  }()
}

/// A training image, `imageSize` square, and its objects.
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

  private var side: Int { store.imageSize }

  /// The sample that stands for image `index` in `epoch`.
  public func sample(_ index: Int, epoch: Int) throws(DataError) -> TrainingSample {
    var random = SampleRandom(seed: seed, stream: 1, UInt64(epoch), UInt64(index))
    var placed: Placed
    if random.uniform(0, 1) < settings.mosaic {
      placed = crop(try mosaic(index, &random), &random)
    } else {
      placed = letterboxed(try store.image(index), store.dataset.labels[index])
      if settings.scale > 0 || settings.translate > 0 { placed = crop(placed, &random) }
    }
    if settings.hue > 0 || settings.saturation > 0 || settings.value > 0 {
      ColourShift(settings, &random).apply(to: &placed.image.pixels)
    }
    if random.uniform(0, 1) < settings.flip { placed.mirror() }
    return TrainingSample(image: placed.image, labels: placed.labels)
  }

  /// A batch for the network: samples `indices`, and their objects with positions in the batch.
  public func batch(_ indices: [Int], epoch: Int) throws(DataError) -> (images: ImageBatch, targets: [Target]) {
    var pixels = [Float](repeating: 0, count: indices.count * side * side * 3)
    var targets: [Target] = []
    for (position, index) in indices.enumerated() {
      let sample = try sample(index, epoch: epoch)
      sample.image.scale(into: &pixels, at: position * side * side * 3)
      targets += sample.labels.map { Target(image: position, classIndex: $0.classIndex, x: $0.x, y: $0.y, w: $0.w, h: $0.h) }
    }
    return (ImageBatch(count: indices.count, height: side, width: side, pixels: pixels), targets)
  }
}

/// An image with boxes in its pixels.
struct Placed {
  struct Box {
    var classIndex: Int
    var left: Float
    var top: Float
    var right: Float
    var bottom: Float
  }
  var image: RGBImage
  var boxes: [Box] = []

  var labels: [Label] {
    let (w, h) = (Float(image.width), Float(image.height))
    return boxes.compactMap { box in
      let (left, right) = (max(0, min(box.left, w)), max(0, min(box.right, w)))
      let (top, bottom) = (max(0, min(box.top, h)), max(0, min(box.bottom, h)))
      guard right > left, bottom > top else { return nil }
      return Label(
        classIndex: box.classIndex, x: (left + right) / 2 / w, y: (top + bottom) / 2 / h, w: (right - left) / w, h: (bottom - top) / h)
    }
  }

  /// Adds an image's labels, the image standing at (x, y) with this size.
  mutating func add(_ labels: [Label], x: Float, y: Float, width: Float, height: Float) {
    boxes += labels.map { label in
      Box(
        classIndex: label.classIndex, left: (label.x - label.w / 2) * width + x, top: (label.y - label.h / 2) * height + y,
        right: (label.x + label.w / 2) * width + x, bottom: (label.y + label.h / 2) * height + y)
    }
  }

  mutating func mirror() {
    let (width, height) = (image.width, image.height)
    image.pixels.withUnsafeMutableBufferPointer { pixels in
      for y in 0..<height {
        for x in 0..<width / 2 {
          let (a, b) = ((y &* width &+ x) &* 3, (y &* width &+ width &- 1 &- x) &* 3)
          for c in 0..<3 { pixels.swapAt(a &+ c, b &+ c) }
        }
      }
    }
    let w = Float(width)
    boxes = boxes.map { Box(classIndex: $0.classIndex, left: w - $0.right, top: $0.top, right: w - $0.left, bottom: $0.bottom) }
  }
}

extension Augmentation {
  private func letterboxed(_ image: RGBImage, _ labels: [Label]) -> Placed {
    let box = Letterbox(imageHeight: image.height, imageWidth: image.width, target: (side, side))
    var placed = Placed(image: box.apply(to: image))
    placed.add(labels, x: Float(box.left), y: Float(box.top), width: Float(box.innerWidth), height: Float(box.innerHeight))
    return placed
  }

  /// Four images around a random centre of a canvas twice as large.
  private func mosaic(_ index: Int, _ random: inout SampleRandom) throws(DataError) -> Placed {
    let canvas = 2 * side
    let centreY = Int(random.uniform(Double(side) / 2, Double(side) * 1.5))
    let centreX = Int(random.uniform(Double(side) / 2, Double(side) * 1.5))
    var others: [Int] = []
    for _ in 0..<3 { others.append(random.integer(below: store.dataset.count)) }
    var four = [index] + others
    four.shuffle(using: &random)
    var placed = Placed(image: RGBImage(width: canvas, height: canvas, grey: RGBImage.padding))
    for (corner, member) in four.enumerated() {
      let image = try store.image(member)
      let x = corner % 2 == 0 ? centreX - image.width : centreX
      let y = corner < 2 ? centreY - image.height : centreY
      Self.paste(image, into: &placed.image, x: x, y: y)
      placed.add(store.dataset.labels[member], x: Float(x), y: Float(y), width: Float(image.width), height: Float(image.height))
    }
    let limit = Float(canvas)
    placed.boxes = placed.boxes.map {
      Placed.Box(
        classIndex: $0.classIndex, left: min(max($0.left, 0), limit), top: min(max($0.top, 0), limit),
        right: min(max($0.right, 0), limit), bottom: min(max($0.bottom, 0), limit))
    }
    return placed
  }

  /// Copies what of `image` at (x, y) falls on the canvas.
  private static func paste(_ image: RGBImage, into canvas: inout RGBImage, x: Int, y: Int) {
    let (x0, x1) = (max(x, 0), min(x + image.width, canvas.width))
    guard x0 < x1 else { return }
    let width = canvas.width
    canvas.pixels.withUnsafeMutableBufferPointer { to in
      image.pixels.withUnsafeBufferPointer { from in
        guard let target = to.baseAddress, let source = from.baseAddress else { return }
        for row in max(y, 0)..<max(max(y, 0), min(y + image.height, width)) {
          (target + (row * width + x0) * 3).update(from: source + ((row - y) * image.width + x0 - x) * 3, count: (x1 - x0) * 3)
        }
      }
    }
  }

  /// A random scaled and shifted crop to `side` square, around the image's centre.
  private func crop(_ placed: Placed, _ random: inout SampleRandom) -> Placed {
    let scale = Float(random.uniform(1 - settings.scale, 1 + settings.scale))
    let shiftX = Float(random.uniform(0.5 - settings.translate, 0.5 + settings.translate)) * Float(side)
    let shiftY = Float(random.uniform(0.5 - settings.translate, 0.5 + settings.translate)) * Float(side)
    let (centreX, centreY) = (Float(placed.image.width) / 2, Float(placed.image.height) / 2)
    var out = Placed(image: placed.image.warped(side: side, scale: scale, from: (centreX, centreY), to: (shiftX, shiftY)))
    let limit = Float(side)
    for box in placed.boxes {
      func x(_ value: Float) -> Float { min(max((value - centreX) * scale + shiftX, 0), limit) }
      func y(_ value: Float) -> Float { min(max((value - centreY) * scale + shiftY, 0), limit) }
      let moved = Placed.Box(classIndex: box.classIndex, left: x(box.left), top: y(box.top), right: x(box.right), bottom: y(box.bottom))
      let (w, h) = (moved.right - moved.left, moved.bottom - moved.top)
      let before = (box.right - box.left) * (box.bottom - box.top) * scale * scale
      let aspect = max(w / (h + 1e-16), h / (w + 1e-16))
      if w > 2, h > 2, w * h / (before + 1e-16) > 0.1, aspect < 100 { out.boxes.append(moved) }
    }
    return out
  }
}
