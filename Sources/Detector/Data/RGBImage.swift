// An 8-bit RGB image in memory.

public struct RGBImage: Equatable, Sendable {
  public let width: Int
  public let height: Int
  /// `[y][x][red, green, blue]`, `width * height * 3` values.
  public var pixels: [UInt8]

  /// - Precondition: sizes are positive and `pixels` has `width * height * 3` values.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0 && pixels.count == width * height * 3)
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// A uniform grey image.
  public init(width: Int, height: Int, grey: UInt8) {
    self.init(width: width, height: height, pixels: [UInt8](repeating: grey, count: width * height * 3))
  }

  /// Writes the pixels as numbers from 0 to 1, `width * height * 3` of them from index `start` of `target` on.
  func scale(into target: inout [Float], at start: Int) {
    precondition(start >= 0 && start + pixels.count <= target.count)
    target.withUnsafeMutableBufferPointer { target in
      pixels.withUnsafeBufferPointer { source in
        for index in source.indices { target[start &+ index] = Float(source[index]) * (1 / 255) }
      }
    }
  }

  /// Puts an image's top left corner at (x, y); what falls beside this image is left out.
  mutating func paste(_ image: RGBImage, x: Int, y: Int) {
    let (x0, x1) = (max(x, 0), min(x + image.width, width))
    let (y0, y1) = (max(y, 0), min(y + image.height, height))
    guard x0 < x1, y0 < y1 else { return }
    let own = width
    pixels.withUnsafeMutableBufferPointer { to in
      image.pixels.withUnsafeBufferPointer { from in
        guard let target = to.baseAddress, let source = from.baseAddress else { return }
        for row in y0..<y1 {
          (target + (row * own + x0) * 3).update(from: source + ((row - y) * image.width + x0 - x) * 3, count: (x1 - x0) * 3)
        }
      }
    }
  }

  /// YOLOv5's padding grey.
  public static let padding: UInt8 = 114
}
