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

  /// YOLOv5's padding grey.
  public static let padding: UInt8 = 114
}
