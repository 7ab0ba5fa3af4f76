// Resizing as YOLOv5's loaders do it: bilinear with pixel centres at half positions, and area averaging when shrinking for validation.
// Both are separable: a table of source positions and weights for each axis. Results are within 1 of OpenCV's fixed-point arithmetic.

/// Which source samples make one destination sample, and how much of each.
private struct Taps {
  var first: [Int] = []
  var weights: [[Float]] = []

  static func bilinear(from source: Int, to target: Int) -> Taps {
    var taps = Taps()
    let scale = Double(source) / Double(target)
    for index in 0..<target {
      let position = (Double(index) + 0.5) * scale - 0.5
      let base = Int(position.rounded(.down))
      let part = Float(position - Double(base))
      if base < 0 || part == 0 {
        taps.append(max(base, 0), [1])
      } else if base >= source - 1 {
        taps.append(source - 1, [1])
      } else {
        taps.append(base, [1 - part, part])
      }
    }
    return taps
  }

  /// Each destination sample is the mean of the source interval that it covers.
  static func area(from source: Int, to target: Int) -> Taps {
    var taps = Taps()
    let scale = Double(source) / Double(target)
    for index in 0..<target {
      let (low, high) = (Double(index) * scale, min(Double(index + 1) * scale, Double(source)))
      let first = Int(low)
      let last = min(source - 1, Int((high - 1e-9).rounded(.down)))
      let weights = (first...max(first, last)).map { Float((min(high, Double($0 + 1)) - max(low, Double($0))) / (high - low)) }
      taps.append(first, weights)
    }
    return taps
  }

  private mutating func append(_ start: Int, _ row: [Float]) {
    first.append(start)
    weights.append(row)
  }
}

extension RGBImage {
  public enum Filter: Sendable { case bilinear, area }

  /// The image at another size.
  ///
  /// - Precondition: sizes are positive. `.area` shrinks; where either side grows it is bilinear.
  public func resized(width newWidth: Int, height newHeight: Int, filter: Filter = .bilinear) -> RGBImage {
    guard newWidth != width || newHeight != height else { return self }
    let shrinks = newWidth <= width && newHeight <= height
    let make = filter == .area && shrinks ? Taps.area : Taps.bilinear
    let (columns, rows) = (make(width, newWidth), make(height, newHeight))
    var across = [Float](repeating: 0, count: newWidth * 3)
    var sum = across
    var out = [UInt8](repeating: 0, count: newWidth * newHeight * 3)
    for y in 0..<newHeight {
      for index in sum.indices { sum[index] = 0 }
      for (offset, weight) in rows.weights[y].enumerated() {
        filterRow(rows.first[y] + offset, columns, into: &across)
        for index in sum.indices { sum[index] += weight * across[index] }
      }
      for index in sum.indices { out[y * newWidth * 3 + index] = UInt8(min(255, max(0, sum[index] + 0.5))) }
    }
    return RGBImage(width: newWidth, height: newHeight, pixels: out)
  }

  private func filterRow(_ row: Int, _ taps: Taps, into out: inout [Float]) {
    pixels.withUnsafeBufferPointer { source in
      for x in taps.first.indices {
        let base = (row * width + taps.first[x]) * 3
        var (red, green, blue): (Float, Float, Float) = (0, 0, 0)
        for (offset, weight) in taps.weights[x].enumerated() {
          let at = base + offset * 3
          red += weight * Float(source[at])
          green += weight * Float(source[at + 1])
          blue += weight * Float(source[at + 2])
        }
        (out[x * 3], out[x * 3 + 1], out[x * 3 + 2]) = (red, green, blue)
      }
    }
  }
}
