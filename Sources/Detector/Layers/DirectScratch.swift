// Memory that one thread needs for direct convolutions, kept from block to block.

import CKernels

/// One thread's room for direct convolutions: a padded copy, and lists of pointers.
final class DirectScratch {
  typealias Sources = UnsafeMutablePointer<UnsafePointer<Float>?>
  typealias Targets = UnsafeMutablePointer<UnsafeMutablePointer<Float>?>

  private let pixels = Arena()
  private let gradients = Arena()
  private var capacity = 0
  private(set) var sources = Sources.allocate(capacity: 1)
  private(set) var others = Sources.allocate(capacity: 1)
  private(set) var targets = Targets.allocate(capacity: 1)

  deinit { release() }

  private func release() {
    sources.deallocate()
    others.deallocate()
    targets.deallocate()
  }

  /// Makes room for that many pointers; what they were is lost.
  func reserve(pixels: Int) {
    guard pixels > capacity else { return }
    release()
    capacity = pixels
    sources = .allocate(capacity: pixels)
    others = .allocate(capacity: pixels)
    targets = .allocate(capacity: pixels)
  }

  /// Room for a padded copy of the input, or of the outputs' gradient.
  func padded(_ count: Int) -> UnsafeMutablePointer<Float> {
    pixels.reserve(count)
    return pixels.base
  }

  /// Room for a block of the outputs' gradient in panels.
  func panels(_ count: Int) -> UnsafeMutablePointer<Float> {
    gradients.reserve(count)
    return gradients.base
  }

  /// Copies the framed rows of images, one after the other.
  func pad(_ frame: tk_frame, _ source: PixelPointer, images: Range<Int>) -> UnsafePointer<Float> {
    let size = frame.rows * frame.columns * frame.channels
    let to = padded(images.count * size)
    var frame = frame
    for (number, image) in images.enumerated() { tk_pad(&frame, source.image(image), to + number * size) }
    return UnsafePointer(to)
  }
}
