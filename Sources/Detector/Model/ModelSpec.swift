// The shape of a model: its layers, how depth and width scale them, class count, anchors, kind of norm. Facts from the published
// architecture: channels = ceil(c * width / 8) * 8, repeats = max(round(n * depth), 1).

/// What a model says about an image.
public enum ModelTask: String, Sendable, CaseIterable {
  /// Boxes with classes.
  case detect
  /// Boxes with classes and a mask each.
  case segment
  /// One class for the image.
  case classify
}

/// What follows a convolution.
public enum NormKind: String, Sendable, CaseIterable {
  /// Mean and variance over a batch, running statistics in evaluation.
  case batch
  /// Mean and variance over groups of channels of one image (Wu and He 2018): no statistics to keep, and no image influences another's
  /// output, as privacy by record needs it.
  case group
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
  /// The layers, the last of which gives the outputs.
  public var layers: [LayerSpec]
  public var norm = NormKind.batch

  /// The anchors that v7.0 ships for all five sizes.
  public static let defaultAnchors: [[SIMD2<Float>]] = [
    [[10, 13], [16, 30], [33, 23]], [[30, 61], [62, 45], [59, 119]], [[116, 90], [156, 198], [373, 326]],
  ]

  /// Prototypes of masks, and so coefficients per box, of a segmentation model.
  public static let prototypes = 32

  /// A model of v7.0's own layers.
  public init(task: ModelTask = .detect, depth: Double, width: Double, classes: Int, anchors: [[SIMD2<Float>]] = defaultAnchors) {
    self.init(task: task, depth: depth, width: width, classes: classes, anchors: anchors, layers: LayerSpec.standard(task))
  }

  /// A model of any layers. What comes from outside needs `validate` before a network is made of it.
  public init(task: ModelTask, depth: Double, width: Double, classes: Int, anchors: [[SIMD2<Float>]], layers: [LayerSpec]) {
    precondition(depth > 0 && width > 0 && classes >= 1)
    self.task = task
    self.depth = depth
    self.width = width
    self.classes = classes
    self.anchors = anchors
    self.layers = layers
  }

  public static func yolov5n(classes: Int) -> ModelSpec { ModelSpec(depth: 1.0 / 3, width: 0.25, classes: classes) }

  /// Depth and width of v7.0's five sizes.
  private static let sizes: [Character: (depth: Double, width: Double)] = [
    "n": (1.0 / 3, 0.25), "s": (1.0 / 3, 0.5), "m": (2.0 / 3, 0.75), "l": (1, 1), "x": (4.0 / 3, 1.25),
  ]

  /// Spec by its customary name, "yolov5n" … "yolov5x"; nil for any other name.
  public static func named(_ name: String, classes: Int) -> ModelSpec? {
    guard name.count == 7, name.hasPrefix("yolov5"), let last = name.last, let size = sizes[last] else { return nil }
    return ModelSpec(depth: size.depth, width: size.width, classes: classes)
  }

  /// The customary name of a detector of v7.0's own layers; nil for any other model.
  public static func name(of spec: ModelSpec) -> String? {
    guard spec.task == .detect, spec.hasStandardLayers else { return nil }
    return sizes.keys.sorted().map { "yolov5\($0)" }.first { name in
      guard let known = named(name, classes: spec.classes) else { return false }
      return Graph(known).convolutions.map(\.outputs) == Graph(spec).convolutions.map(\.outputs)
    }
  }

  /// Number of learnable values.
  public var parameterCount: Int {
    Graph(self).convolutions.reduce(0) { $0 + $1.outputs * ($1.patch + ($1.isNormalised ? 2 : 1)) }
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

  /// True if the layers are those that v7.0 has for the task, with its three levels of three anchors.
  public var hasStandardLayers: Bool {
    layers == LayerSpec.standard(task) && (task == .classify || (anchors.count == 3 && anchors.allSatisfy { $0.count == 3 }))
  }

  /// Anchors in grid units (pixels / stride), as the weights file stores them.
  public var gridAnchors: [[SIMD2<Float>]] {
    zip(anchors, strides).map { level, stride in level.map { $0 / Float(stride) } }
  }
}
