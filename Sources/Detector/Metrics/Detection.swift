// A found object, and the reading of raw maps into candidates. Invariant: rows come in the order level, anchor, y, x
// (YOLOv5's), because equal scores are kept in that order.

import Foundation

/// A box found in an image.
public struct Detection: Equatable, Sendable {
  /// Left, top, right, bottom in pixels.
  public var box: SIMD4<Float>
  /// Objectness times class probability.
  public var confidence: Float
  public var classIndex: Int

  public init(box: SIMD4<Float>, confidence: Float, classIndex: Int) {
    self.box = box
    self.confidence = confidence
    self.classIndex = classIndex
  }
}

/// Candidates of one image: rows of centre x, centre y, width, height (pixels), objectness, class probabilities.
public struct Predictions: Sendable {
  public let classes: Int
  public private(set) var values: [Float]

  /// Numbers per row.
  public var outputs: Int { 5 + classes }
  public var count: Int { values.count / outputs }

  public init(classes: Int, values: [Float]) {
    precondition(classes > 0 && values.count.isMultiple(of: 5 + classes))
    self.classes = classes
    self.values = values
  }

  /// Decodes one image of raw maps: with s the sigmoid, centre (2s − 0.5 + cell)·stride, size (2s)²·anchor.
  ///
  /// Cells whose objectness does not exceed `objectnessMin` are left out: no later step can keep them.
  /// - Parameter anchors: per level in grid units.
  public init(
    maps: [FeatureMap], image: Int, anchors: [[SIMD2<Float>]], strides: [Int], objectnessMin: Float
  ) {
    precondition(!maps.isEmpty && maps.count == anchors.count && maps.count == strides.count)
    classes = maps[0].outputs - 5
    values = []
    for (level, map) in maps.enumerated() {
      let stride = Float(strides[level])
      map.values.withUnsafeBufferPointer { raw in
        for anchor in 0..<map.anchors {
          let size = anchors[level][anchor] * stride
          for y in 0..<map.height {
            for x in 0..<map.width {
              let base = map.index(image: image, y: y, x: x, anchor: anchor)
              let objectness = sigmoid(raw[base + 4])
              guard objectness > objectnessMin else { continue }
              let w = 2 * sigmoid(raw[base + 2])
              let h = 2 * sigmoid(raw[base + 3])
              values.append((2 * sigmoid(raw[base]) - 0.5 + Float(x)) * stride)
              values.append((2 * sigmoid(raw[base + 1]) - 0.5 + Float(y)) * stride)
              values.append(w * w * size.x)
              values.append(h * h * size.y)
              values.append(objectness)
              for index in 0..<classes { values.append(sigmoid(raw[base + 5 + index])) }
            }
          }
        }
      }
    }
  }
}

@inline(__always)
func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
