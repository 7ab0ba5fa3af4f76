// The shape of a model: YOLOv5 v7.0's graphs are fixed, only task, depth, width, class count and anchors vary. Facts from the
// published architecture: channels = ceil(c * width / 8) * 8, repeats = max(round(n * depth), 1).

/// What a model says about an image.
public enum ModelTask: String, Sendable, CaseIterable {
  /// Boxes with classes.
  case detect
  /// Boxes with classes and a mask each.
  case segment
  /// One class for the image.
  case classify
}

/// Size and task of a YOLOv5 model.
public struct ModelSpec: Equatable, Sendable {
  public var task: ModelTask
  /// Multiplies the repeats of every C3 block.
  public var depth: Double
  /// Multiplies the channels of every layer.
  public var width: Double
  /// Number of classes, at least 1.
  public var classes: Int
  /// Anchor sizes in pixels: level, anchor, (width, height). A classifier has none and ignores them.
  public var anchors: [[SIMD2<Float>]]

  public static let strides = [8, 16, 32]
  /// The anchors that v7.0 ships for all five sizes.
  public static let defaultAnchors: [[SIMD2<Float>]] = [
    [[10, 13], [16, 30], [33, 23]], [[30, 61], [62, 45], [59, 119]], [[116, 90], [156, 198], [373, 326]],
  ]

  /// Prototypes of masks, and so coefficients per box, of a segmentation model.
  public static let prototypes = 32

  public init(task: ModelTask = .detect, depth: Double, width: Double, classes: Int, anchors: [[SIMD2<Float>]] = defaultAnchors) {
    precondition(depth > 0 && width > 0 && classes >= 1)
    precondition(anchors.count == 3 && anchors.allSatisfy { $0.count == 3 })
    self.task = task
    self.depth = depth
    self.width = width
    self.classes = classes
    self.anchors = anchors
  }

  public static func yolov5n(classes: Int) -> ModelSpec { ModelSpec(depth: 1.0 / 3, width: 0.25, classes: classes) }
  public static func yolov5s(classes: Int) -> ModelSpec { ModelSpec(depth: 1.0 / 3, width: 0.5, classes: classes) }
  public static func yolov5m(classes: Int) -> ModelSpec { ModelSpec(depth: 2.0 / 3, width: 0.75, classes: classes) }
  public static func yolov5l(classes: Int) -> ModelSpec { ModelSpec(depth: 1, width: 1, classes: classes) }
  public static func yolov5x(classes: Int) -> ModelSpec { ModelSpec(depth: 4.0 / 3, width: 1.25, classes: classes) }

  /// Spec by its customary name, "yolov5n" … "yolov5x"; nil for any other name.
  public static func named(_ name: String, classes: Int) -> ModelSpec? {
    switch name {
    case "yolov5n": yolov5n(classes: classes)
    case "yolov5s": yolov5s(classes: classes)
    case "yolov5m": yolov5m(classes: classes)
    case "yolov5l": yolov5l(classes: classes)
    case "yolov5x": yolov5x(classes: classes)
    default: nil
    }
  }

  /// Channels of a layer whose nominal width is `nominal`.
  public func channels(_ nominal: Int) -> Int { Int((Double(nominal) * width / 8).rounded(.up)) * 8 }

  /// Repeats of a block whose nominal count is `nominal`; ties round to even, as in the published models.
  public func repeats(_ nominal: Int) -> Int {
    nominal > 1 ? max(Int((Double(nominal) * depth).rounded(.toNearestOrEven)), 1) : nominal
  }

  /// Mask coefficients per anchor and cell.
  public var coefficients: Int { task == .segment ? Self.prototypes : 0 }

  /// Numbers per anchor and cell: box, objectness, classes, mask coefficients.
  public var outputs: Int { 5 + classes + coefficients }

  /// Anchors in grid units (pixels / stride), as the weights file stores them.
  public var gridAnchors: [[SIMD2<Float>]] {
    zip(anchors, Self.strides).map { level, stride in level.map { $0 / Float(stride) } }
  }
}
