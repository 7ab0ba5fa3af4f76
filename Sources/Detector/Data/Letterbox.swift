// Letterbox: scale to fit, then pad with grey to the wanted shape, as YOLOv5 does before its network. The geometry is exact; it is
// also what carries boxes from the network's input back to the image.

public struct Letterbox: Equatable, Sendable {
  /// Scale from the image to its place in the output.
  public let ratio: Double
  /// Size of the scaled image inside the output.
  public let innerWidth: Int
  public let innerHeight: Int
  /// Half of the padding; left = round(dw − 0.1), right = round(dw + 0.1).
  public let dw: Double
  public let dh: Double
  public let left: Int
  public let top: Int
  public let width: Int
  public let height: Int

  /// - Parameters:
  ///   - target: wanted output (height, width).
  ///   - minimal: pad only to the next multiple of `multiple` instead of the whole target.
  ///   - scaleUp: whether small images are enlarged.
  public init(
    imageHeight: Int, imageWidth: Int, target: (height: Int, width: Int), minimal: Bool = false,
    multiple: Int = ImageBatch.sizeMultiple, scaleUp: Bool = true
  ) {
    var ratio = min(Double(target.height) / Double(imageHeight), Double(target.width) / Double(imageWidth))
    if !scaleUp { ratio = min(ratio, 1) }
    self.ratio = ratio
    innerWidth = max(1, Int((Double(imageWidth) * ratio).rounded(.toNearestOrEven)))
    innerHeight = max(1, Int((Double(imageHeight) * ratio).rounded(.toNearestOrEven)))
    var (padX, padY) = (target.width - innerWidth, target.height - innerHeight)
    if minimal { (padX, padY) = (padX % multiple, padY % multiple) }
    (dw, dh) = (Double(padX) / 2, Double(padY) / 2)
    left = Int((dw - 0.1).rounded(.toNearestOrEven))
    top = Int((dh - 0.1).rounded(.toNearestOrEven))
    width = innerWidth + left + Int((dw + 0.1).rounded(.toNearestOrEven))
    height = innerHeight + top + Int((dh + 0.1).rounded(.toNearestOrEven))
  }

  /// The padded image.
  public func apply(to image: RGBImage, filter: RGBImage.Filter = .bilinear) -> RGBImage {
    let inner = image.resized(width: innerWidth, height: innerHeight, filter: filter)
    var out = RGBImage(width: width, height: height, grey: RGBImage.padding)
    out.paste(inner, x: left, y: top)
    return out
  }
}
