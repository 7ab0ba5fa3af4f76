// Channels and stride of every layer's output, and whether a description makes sense at all. A description may come from a file that
// somebody else wrote, so every rule that the graph and the kernels rely on is checked here, before anything is allocated.

/// Of a layer's output.
struct LayerShape: Equatable {
  let channels: Int
  /// Input pixels per cell; nil: one cell per image.
  let stride: Int?
}

extension ModelSpec {
  static let layersMax = 512
  static let parametersMax = 1e9

  /// Output shapes by layer; a head's is that of its first input.
  /// - Precondition: the description is valid, see `validate`.
  var shapes: [LayerShape] {
    var shapes: [LayerShape] = []
    for layer in layers {
      shapes.append(shape(layer, inputs: layer.from.map { $0 < 0 ? LayerShape(channels: 3, stride: 1) : shapes[$0] }))
    }
    return shapes
  }

  private func shape(_ layer: LayerSpec, inputs: [LayerShape]) -> LayerShape {
    let first = inputs[0]
    switch layer.module {
    case .convolution(let nominal, _, let stride, _):
      var total = first.stride ?? 1
      for _ in 0..<repeats(layer.repeats) { total = min(total * stride, 1 << 20) }
      return LayerShape(channels: channels(nominal), stride: total)
    case .c3(let nominal, _), .bottleneck(let nominal, _), .pyramid(let nominal):
      return LayerShape(channels: channels(nominal), stride: first.stride)
    case .upsample: return LayerShape(channels: first.channels, stride: first.stride.map { $0 / 2 })
    case .concatenation: return LayerShape(channels: inputs.reduce(0) { $0 + $1.channels }, stride: first.stride)
    case .detection, .segmentation, .classification: return first
    }
  }

  /// Input pixels per cell of each detection level; empty for a classifier.
  public var strides: [Int] {
    guard task != .classify, let head = layers.last else { return [] }
    let shapes = shapes
    return head.from.map { shapes[$0].stride ?? 1 }
  }

  /// Height and width of an input must be multiples of this.
  public var sizeMultiple: Int { max(ImageBatch.sizeMultiple, shapes.compactMap(\.stride).max() ?? 1) }

  /// - Throws: `NetworkError.unknownModel` naming the first layer that cannot be.
  public func validate() throws(NetworkError) {
    func require(_ holds: Bool, _ reason: @autoclosure () -> String) throws(NetworkError) {
      guard holds else { throw NetworkError(.unknownModel, reason()) }
    }
    try require((2...Self.layersMax).contains(layers.count), "\(layers.count) layers")
    try require(depth <= 64 && width <= 64, "depth or width above 64")
    var shapes: [LayerShape] = []
    var isUsed = Array(repeating: false, count: layers.count)
    for (number, layer) in layers.enumerated() {
      let name = "layer \(number)"
      try require(layer.isHead == (number == layers.count - 1), "\(name): exactly the last layer must give the outputs")
      try require(!layer.from.isEmpty && layer.from.count <= 64, "\(name) has \(layer.from.count) inputs")
      for source in layer.from {
        try require(source < number && (source >= 0) == (number > 0), "\(name) reads layer \(source), which does not come before it")
        if source >= 0 { isUsed[source] = true }
      }
      if number == 0, case .convolution = layer.module {} else { try require(number > 0, "the first layer must be a convolution") }
      let inputs = layer.from.map { $0 < 0 ? LayerShape(channels: 3, stride: 1) : shapes[$0] }
      if let fault = fault(layer, inputs) { throw NetworkError(.unknownModel, "\(name): \(fault)") }
      shapes.append(shape(layer, inputs: inputs))
      try require((1...65_536).contains(shapes[number].channels), "\(name) has \(shapes[number].channels) channels")
      try require((1...1024).contains(shapes[number].stride ?? 1), "\(name) has one cell for \(shapes[number].stride ?? 0) pixels")
    }
    if let unused = isUsed.dropLast().firstIndex(of: false) { throw NetworkError(.unknownModel, "nothing reads layer \(unused)") }
    if task != .classify { try validateAnchors(levels: layers[layers.count - 1].from.count) }
    let parameters = Graph(self).convolutions.reduce(0.0) { $0 + Double($1.outputs) * Double($1.patch) }
    try require(parameters <= Self.parametersMax, "more than \(Int(Self.parametersMax)) parameters")
  }

  private func validateAnchors(levels: Int) throws(NetworkError) {
    guard anchors.count == levels, let first = anchors.first?.count, (1...16).contains(first), anchors.allSatisfy({ $0.count == first })
    else { throw NetworkError(.unknownModel, "\(levels) levels need as many lists of anchors, all of the same length") }
    guard anchors.allSatisfy({ $0.allSatisfy { $0.x > 0 && $0.y > 0 && $0.x < 65_536 && $0.y < 65_536 } }) else {
      throw NetworkError(.unknownModel, "an anchor has no size")
    }
  }

  /// What is wrong with a layer, nil if nothing is.
  private func fault(_ layer: LayerSpec, _ inputs: [LayerShape]) -> String? {
    let first = inputs[0]
    let count = repeats(layer.repeats)
    guard (1...256).contains(count) else { return "\(count) repeats" }
    let isSingle = inputs.count == 1
    switch layer.module {
    case .convolution(let nominal, let kernel, let stride, let padding):
      guard isSingle, (1...1 << 16).contains(nominal) else { return "a convolution has one input and some channels" }
      guard (1...31).contains(kernel), (1...8).contains(stride), (0...31).contains(padding) else {
        return "kernel \(kernel), stride \(stride)"
      }
      // Rows of the output: floor((h + 2 padding - kernel) / stride) + 1 = h / stride for every h that the stride divides.
      guard -stride <= 2 * padding - kernel, 2 * padding - kernel < 0 else {
        return "kernel \(kernel) with padding \(padding) does not give one cell for \(stride) pixels"
      }
      guard count == 1 || stride == 1 || count <= 8 else { return "\(count) repeats with stride \(stride)" }
    case .c3(let nominal, _), .bottleneck(let nominal, _):
      guard isSingle, (1...1 << 16).contains(nominal) else { return "the block has one input and some channels" }
    case .pyramid(let nominal):
      guard isSingle, (1...1 << 16).contains(nominal) else { return "the block has one input and some channels" }
      guard first.channels.isMultiple(of: 8) else { return "\(first.channels) channels cannot be halved to a multiple of 4" }
    case .upsample:
      guard isSingle, let stride = first.stride, stride.isMultiple(of: 2), count == 1 else { return "nothing to double" }
    case .concatenation:
      guard count == 1, inputs.allSatisfy({ $0.stride == first.stride }) else { return "the inputs have different sizes" }
    case .detection, .segmentation, .classification:
      guard task == layer.task, inputs.count <= 8, count == 1, task != .classify || isSingle else {
        return "the outputs do not fit the task"
      }
    }
    return nil
  }
}

extension LayerSpec {
  /// The task of a head; nil for other layers.
  var task: ModelTask? {
    switch module {
    case .detection: .detect
    case .segmentation: .segment
    case .classification: .classify
    default: nil
    }
  }
}
