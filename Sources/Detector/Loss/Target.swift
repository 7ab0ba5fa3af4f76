// One labelled object of a batch: what the loss is taught with and what validation scores against.
// Invariant: coordinates are fractions of the image (or of the network's input) in [0, 1]; `Dataset` refuses others.

/// A labelled box: centre and size as fractions of the width and height of the image it belongs to.
public struct Target: Equatable, Sendable {
  /// Position of the image in its batch, from 0.
  public var image: Int
  public var classIndex: Int
  /// Centre, as fractions of width and height.
  public var x: Float
  public var y: Float
  /// Size, as fractions of width and height.
  public var w: Float
  public var h: Float

  public init(image: Int, classIndex: Int, x: Float, y: Float, w: Float, h: Float) {
    self.image = image
    self.classIndex = classIndex
    self.x = x
    self.y = y
    self.w = w
    self.h = h
  }
}
