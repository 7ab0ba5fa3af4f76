// Decoded images at training size, kept in memory while they fit: small data sets are decoded once, large ones as they are needed.
import Synchronization

public final class ImageStore: Sendable {
  public let dataset: Dataset
  /// What is kept unless somebody asks for more.
  public static let cacheBytesStandard = 1 << 30
  /// Long side of the images that come out, in pixels.
  public let imageSize: Int
  private let cacheBytesMax: Int
  private let filter: RGBImage.Filter
  private struct Cache {
    var images: [Int: RGBImage] = [:]
    var bytes = 0
  }
  private let cache = Mutex(Cache())

  /// - Parameters:
  ///   - shrinkFilter: YOLOv5 shrinks bilinearly when it augments, and by area otherwise.
  ///   - cacheBytesMax: pixels kept in memory.
  public init(dataset: Dataset, imageSize: Int, shrinkFilter: RGBImage.Filter, cacheBytesMax: Int = cacheBytesStandard) {
    precondition(imageSize > 0)
    (self.dataset, self.imageSize, filter, self.cacheBytesMax) = (dataset, imageSize, shrinkFilter, cacheBytesMax)
  }

  /// Image `index` of the data set, its long side scaled to `imageSize`.
  public func image(_ index: Int) throws(DataError) -> RGBImage {
    if let known = cache.withLock({ $0.images[index] }) { return known }
    let image = Self.scaled(try ImageDecoder.decode(path: dataset.imagePaths[index]), longSide: imageSize, filter: filter)
    cache.withLock { cache in
      guard cache.bytes + image.pixels.count <= cacheBytesMax, cache.images.updateValue(image, forKey: index) == nil else { return }
      cache.bytes += image.pixels.count
    }
    return image
  }

  /// Decodes images ahead on `workers` threads until all are in memory or no more fit.
  /// - Parameter onImage: called with the number of images done.
  /// - Returns: how many are kept; the others are decoded whenever they are needed.
  public func preload(workers: Int, onImage: (Int) -> Void = { _ in }) throws -> Int {
    let loader = Prefetcher(count: dataset.count, depth: 16, workers: workers) { [self] index in
      _ = try image(index)
      return keeps(index)
    }
    defer { loader.stop() }
    var kept = 0
    while let isKept = try loader.next(), isKept {
      kept += 1
      onImage(kept)
    }
    return kept
  }

  private func keeps(_ index: Int) -> Bool { cache.withLock { $0.images[index] != nil } }

  /// Pixels kept now, in bytes.
  public var cachedBytes: Int { cache.withLock { $0.bytes } }

  /// Long side to `longSide`; sizes are rounded up, as YOLOv5 v7.0 does.
  static func scaled(_ image: RGBImage, longSide: Int, filter: RGBImage.Filter) -> RGBImage {
    let ratio = Double(longSide) / Double(max(image.width, image.height))
    guard ratio != 1 else { return image }
    let width = min(longSide, Int((Double(image.width) * ratio).rounded(.up)))
    let height = min(longSide, Int((Double(image.height) * ratio).rounded(.up)))
    return image.resized(width: width, height: height, filter: ratio > 1 ? .bilinear : filter)
  }
}
