// What goes into the network and what comes out of it, as plain values. Channels last everywhere.

/// A batch of images of one size.
public struct ImageBatch: Sendable {
  public let count: Int
  public let height: Int
  public let width: Int
  /// `[image][y][x][channel]`, RGB, 0…1; `count * height * width * 3` values.
  public var pixels: [Float]

  /// - Precondition: `pixels` has `count * height * width * 3` values.
  public init(count: Int, height: Int, width: Int, pixels: [Float]) {
    precondition(count >= 0 && height >= 0 && width >= 0 && pixels.count == count * height * width * 3)
    self.count = count
    self.height = height
    self.width = width
    self.pixels = pixels
  }

  /// Height and width must be positive multiples of this (the coarsest stride).
  public static let sizeMultiple = 32
}

/// A raw output of a network (or its gradient). A detection level has, per cell and anchor, 4 box numbers, objectness and classes, all
/// before the sigmoid, and for segmentation mask coefficients; prototypes and class scores have one anchor.
public struct FeatureMap: Sendable {
  public let batch: Int
  public let height: Int
  public let width: Int
  public let anchors: Int
  /// Numbers per cell and anchor.
  public let outputs: Int
  /// `[image][y][x][anchor][output]`.
  public var values: [Float]

  public init(batch: Int, height: Int, width: Int, anchors: Int = 3, outputs: Int, values: [Float]) {
    precondition(values.count == batch * height * width * anchors * outputs)
    self.batch = batch
    self.height = height
    self.width = width
    self.anchors = anchors
    self.outputs = outputs
    self.values = values
  }

  /// A map of zeros.
  public init(batch: Int, height: Int, width: Int, anchors: Int = 3, outputs: Int) {
    let values = [Float](repeating: 0, count: batch * height * width * anchors * outputs)
    self.init(batch: batch, height: height, width: width, anchors: anchors, outputs: outputs, values: values)
  }

  /// Position of output `output` of `anchor` in cell (`y`, `x`) of `image`.
  @inlinable
  public func index(image: Int, y: Int, x: Int, anchor: Int, output: Int = 0) -> Int {
    (((image * height + y) * width + x) * anchors + anchor) * outputs + output
  }
}
