// How a convolution's work is cut: into blocks of output pixels whose patches stay in cache between the copy and the
// matrix product. On small maps a block spans several images, because tiny products waste the packing of the weights.

struct Blocking {
  let outputHeight: Int
  let outputWidth: Int
  /// Lines of output pixels per block; all lines if the block spans several images.
  let lines: Int
  let images: Int

  /// Floats of patches per block: measured best between the second-level cache and the cost of packing weights per block.
  static let patchFloats = 96 << 10
  /// The same for 1 x 1 convolutions, input and output counted.
  static let pointFloats = 128 << 10
  /// Output pixels per block of the direct kernels, which need no patches.
  static let directPixels = 256

  init(_ convolution: Convolution, outputHeight: Int, outputWidth: Int, isDirect: Bool) {
    self.outputHeight = outputHeight
    self.outputWidth = outputWidth
    let wanted =
      isDirect
      ? Self.directPixels
      : convolution.kernel == 1
        ? Self.pointFloats / (convolution.inputs + convolution.outputs) : Self.patchFloats / convolution.patch
    let pixels = min(max(wanted, 64), 4096)
    let map = outputHeight * outputWidth
    images = max(pixels / map, 1)
    lines = pixels >= map ? outputHeight : max(pixels / outputWidth, 1)
  }

  /// Most output pixels in one block.
  var pixels: Int { images * lines * outputWidth }

  /// Calls `body` for each block of a part of the batch. Blocks of several images appear only if `part` has all lines.
  @inline(__always)
  func forEach(images part: Range<Int>, lines span: Range<Int>, _ body: (_ images: Range<Int>, _ lines: Range<Int>) -> Void) {
    let together = span.count == outputHeight ? images : 1
    var image = part.lowerBound
    while image < part.upperBound {
      let last = min(image + together, part.upperBound)
      var line = span.lowerBound
      while line < span.upperBound {
        let end = min(line + lines, span.upperBound)
        body(image..<last, line..<end)
        line = end
      }
      image = last
    }
  }
}

/// Splits `0..<count` into `parts` nearly equal ranges and returns number `part`.
@inline(__always)
func share(_ part: Int, of parts: Int, _ count: Int) -> Range<Int> { (count * part / parts)..<(count * (part + 1) / parts) }
