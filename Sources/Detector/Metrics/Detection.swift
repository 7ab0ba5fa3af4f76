// A found object, and the candidates of one image that it is chosen from. Invariant: candidates come in the order level,
// anchor, y, x (YOLOv5's), because equal scores are kept in that order.

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

  /// The candidates of one image of a batch. Those whose objectness does not exceed `objectnessMin` are left out, as no
  /// later step can keep them; the order stays level, anchor, y, x.
  public init(_ decoded: DecodedPredictions, image: Int, objectnessMin: Float) {
    precondition((0..<decoded.batch).contains(image) && decoded.outputs > 5)
    classes = decoded.outputs - 5
    var kept: [Float] = []
    let outputs = decoded.outputs
    decoded.values.withUnsafeBufferPointer { all in
      for row in (image * decoded.count)..<((image + 1) * decoded.count) where all[row * outputs + 4] > objectnessMin {
        kept.append(contentsOf: UnsafeBufferPointer(rebasing: all[(row * outputs)..<((row + 1) * outputs)]))
      }
    }
    values = kept
  }
}
