// Size of a training image: a square, or the smallest rectangle for the images of a batch.

/// Size of what comes out of the augmentation, in pixels.
public struct SampleShape: Equatable, Sendable {
  public var width: Int
  public var height: Int

  public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

  /// The smallest input for images whose ratios of height to width lie between two, as YOLOv5's rectangular training has it.
  /// - Parameters:
  ///   - imageSize: the longest side in pixels before padding.
  ///   - multiple: what the network's input sizes are multiples of.
  init(flattest: Double, tallest: Double, imageSize: Int, multiple: Int = ImageBatch.sizeMultiple) {
    func padded(_ fraction: Double) -> Int { Int((fraction * Double(imageSize) / Double(multiple)).rounded(.up)) * multiple }
    self.init(width: padded(flattest > 1 ? 1 / flattest : 1), height: padded(tallest < 1 ? tallest : 1))
  }
}
