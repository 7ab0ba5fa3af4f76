// Which images are validated together and at what input size (YOLOv5's rectangular batches): images of similar shape
// share a batch that is as small as they allow. Invariant: every image is in exactly one batch.

/// The batches of one validation pass.
public struct ValidationPlan: Equatable, Sendable {
  public struct Batch: Equatable, Sendable {
    public var images: [Int]
    /// Input size in pixels.
    public var width: Int
    public var height: Int
  }

  public let batches: [Batch]

  /// - Parameters:
  ///   - sizes: native width and height per image, positive.
  ///   - imageSize: the longest side in pixels before padding.
  ///   - multiple: of what input sizes are multiples.
  public init(sizes: [(width: Int, height: Int)], imageSize: Int, batchSize: Int, multiple: Int = ImageBatch.sizeMultiple) {
    precondition(imageSize > 0 && batchSize > 0 && multiple > 0)
    let ratios = sizes.map { Double($0.height) / Double($0.width) }
    let order = sizes.indices.sorted { ratios[$0] != ratios[$1] ? ratios[$0] < ratios[$1] : $0 < $1 }
    batches = stride(from: 0, to: order.count, by: batchSize).map { start in
      let images = Array(order[start..<min(start + batchSize, order.count)])
      // Sorted, so the first and the last image bound the batch's shapes.
      let flattest = ratios[images[0]]
      let tallest = ratios[images[images.count - 1]]
      let height = tallest < 1 ? tallest : 1
      let width = flattest > 1 ? 1 / flattest : 1
      return Batch(
        images: images, width: Self.padded(width, imageSize, multiple), height: Self.padded(height, imageSize, multiple))
    }
  }

  /// Half a stride of margin, then up to the next multiple.
  private static func padded(_ fraction: Double, _ imageSize: Int, _ multiple: Int) -> Int {
    Int((fraction * Double(imageSize) / Double(multiple) + 0.5).rounded(.up)) * multiple
  }
}
