// Multi-scale training: each batch comes at a size of its own, half to one and a half times the run's, so that the network learns
// objects of more sizes. The size follows from the seed, the epoch and the batch.

enum MultiScale {
  /// The long side of a batch, a multiple of `multiple` from half of `imageSize` to one and a half of it.
  static func side(imageSize: Int, multiple: Int = ImageBatch.sizeMultiple, seed: UInt64, epoch: Int, batch: Int) -> Int {
    var random = SampleRandom(seed: seed, stream: 0x7369_7A65, UInt64(epoch), UInt64(batch))
    let (low, high) = (imageSize / 2, imageSize * 3 / 2 + multiple)
    return max((low + random.integer(below: high - low)) / multiple, 1) * multiple
  }
}

extension ImageBatch {
  /// The batch with its long side at about `side`, both sides rounded up to multiples of `multiple`. Labels are fractions and stay.
  func resized(longSide side: Int, multiple: Int = sizeMultiple) -> ImageBatch {
    let factor = Double(side) / Double(max(width, height))
    func scaled(_ length: Int) -> Int {
      max(Int((Double(length) * factor / Double(multiple)).rounded(.up)), 1) * multiple
    }
    return factor == 1 ? self : resized(width: scaled(width), height: scaled(height))
  }

  /// Bilinear, pixel centres at half positions, edges repeated.
  func resized(width newWidth: Int, height newHeight: Int) -> ImageBatch {
    let columns = Self.taps(from: width, to: newWidth)
    let rows = Self.taps(from: height, to: newHeight)
    let (line, image) = (width * 3, width * height * 3)
    let total = count * newWidth * newHeight * 3
    let out = [Float](unsafeUninitializedCapacity: total) { out, written in
      pixels.withUnsafeBufferPointer { source in
        var to = 0
        for number in 0..<count {
          for row in rows {
            let (top, bottom) = (number * image + row.first * line, number * image + row.second * line)
            for column in columns {
              let (left, right) = (column.first &* 3, column.second &* 3)
              for c in 0..<3 {
                let above = source[top &+ left &+ c] * (1 - column.part) + source[top &+ right &+ c] * column.part
                let below = source[bottom &+ left &+ c] * (1 - column.part) + source[bottom &+ right &+ c] * column.part
                out[to &+ c] = above * (1 - row.part) + below * row.part
              }
              to &+= 3
            }
          }
        }
      }
      written = total
    }
    return ImageBatch(count: count, height: newHeight, width: newWidth, pixels: out)
  }

  /// For each target index: the two source indices around it, and the part of the second.
  private static func taps(from source: Int, to target: Int) -> [(first: Int, second: Int, part: Float)] {
    (0..<target).map { index in
      let position = max((Double(index) + 0.5) * Double(source) / Double(target) - 0.5, 0)
      let first = min(Int(position), source - 1)
      return (first, min(first + 1, source - 1), Float(position - Double(first)))
    }
  }
}
