// From raw maps to boxes: s = sigmoid(raw); centre = (2s - 0.5 + cell) · stride, size = (2s)² · anchor; objectness and
// classes are sigmoids, mask coefficients stay as they are.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Decoded predictions of a batch.
public struct DecodedPredictions: Sendable {
  public let batch: Int
  /// Predictions per image.
  public let count: Int
  /// Numbers per prediction: centre x, centre y, width, height in input pixels, objectness, class scores, mask coefficients.
  public let outputs: Int
  /// `[image][prediction][output]`; predictions by level, then anchor, y, x.
  public let values: [Float]
}

public enum MapDecoder {
  /// - Parameters:
  ///   - anchors: sizes in grid units, by level and anchor (`Network.anchors`).
  ///   - strides: input pixels per cell, by level (`Network.strides`).
  ///   - coefficients: mask coefficients at the end of each prediction (`ModelSpec.coefficients`).
  public static func decode(
    _ maps: [FeatureMap], anchors: [[SIMD2<Float>]], strides: [Int], coefficients: Int = 0
  ) -> DecodedPredictions {
    precondition(!maps.isEmpty && maps.count == anchors.count && maps.count == strides.count)
    precondition(maps.allSatisfy { $0.batch == maps[0].batch && $0.outputs == maps[0].outputs && $0.outputs >= 5 + coefficients })
    let outputs = maps[0].outputs
    let count = maps.reduce(0) { $0 + $1.anchors * $1.height * $1.width }
    let total = maps[0].batch * count * outputs
    let values = [Float](unsafeUninitializedCapacity: total) { buffer, initialised in
      var start = 0
      for (level, map) in maps.enumerated() {
        let stride = Float(strides[level])
        map.values.withUnsafeBufferPointer { raw in
          decode(
            map, raw, stride: stride, anchors: anchors[level], sigmoids: 4..<(outputs - coefficients), count: count, start: start,
            into: buffer)
        }
        start += map.anchors * map.height * map.width
      }
      initialised = total
    }
    return DecodedPredictions(batch: maps[0].batch, count: count, outputs: outputs, values: values)
  }

  private static func decode(
    _ map: FeatureMap, _ raw: UnsafeBufferPointer<Float>, stride: Float, anchors: [SIMD2<Float>], sigmoids: Range<Int>, count: Int,
    start: Int, into buffer: UnsafeMutableBufferPointer<Float>
  ) {
    @inline(__always) func sigmoid(_ x: Float) -> Float { 1 / (1 + expf(-x)) }
    for image in 0..<map.batch {
      for anchor in 0..<map.anchors {
        let size = anchors[anchor] * stride
        for y in 0..<map.height {
          for x in 0..<map.width {
            let from = map.index(image: image, y: y, x: x, anchor: anchor)
            let row = start + (anchor * map.height + y) * map.width + x
            let to = (image * count + row) * map.outputs
            buffer[to] = (sigmoid(raw[from]) * 2 - 0.5 + Float(x)) * stride
            buffer[to + 1] = (sigmoid(raw[from + 1]) * 2 - 0.5 + Float(y)) * stride
            let width = sigmoid(raw[from + 2]) * 2
            let height = sigmoid(raw[from + 3]) * 2
            buffer[to + 2] = width * width * size.x
            buffer[to + 3] = height * height * size.y
            for output in sigmoids { buffer[to + output] = sigmoid(raw[from + output]) }
            for output in sigmoids.upperBound..<map.outputs { buffer[to + output] = raw[from + output] }
          }
        }
      }
    }
  }
}
