// The YOLOv5 v7.0 graphs as data: convolutions with their names in the order of the weights file, and operations
// on *slices of planes*. A plane is one channels-last activation tensor; a concatenation is a plane whose slices several
// operations write, so it never costs a copy.

/// Constants of a batch norm.
struct NormConstants: Equatable {
  let epsilon: Double
  /// Share of the batch in the running statistics.
  let momentum: Float

  /// Everywhere in YOLOv5 but in the classification head.
  static let standard = NormConstants(epsilon: 1e-3, momentum: 0.03)
  /// The classification head's, which keeps its framework's defaults.
  static let classifier = NormConstants(epsilon: 1e-5, momentum: 0.1)
}

/// One convolution: its name in the file and its shape.
struct Convolution: Equatable {
  let name: String
  let inputs: Int
  let outputs: Int
  let kernel: Int
  let stride: Int
  let padding: Int
  /// No bias, batch norm and SiLU follow; nil: bias only (detection outputs and class scores).
  let norm: NormConstants?
  /// On one cell per image: the file has its weight as a matrix.
  var isLinear = false

  var isNormalised: Bool { norm != nil }
  /// Length of one output's weights, in the kernels' order [ky][kx][input].
  var patch: Int { kernel * kernel * inputs }
}

/// An activation tensor at 1/`stride` of the input's size; nil: one cell per image.
struct Plane: Equatable {
  let stride: Int?
  let channels: Int
}

/// Consecutive channels of a plane.
struct Slice: Equatable {
  let plane: Int
  let offset: Int
  let channels: Int
}

enum Operation: Equatable {
  /// `output = silu(norm(convolution(input))) (+ residual)`, or with bias only.
  case convolution(Int, input: Slice, output: Slice, residual: Slice?)
  /// 5 x 5 maximum, stride 1.
  case pool(input: Slice, output: Slice)
  /// Nearest doubling.
  case upsample(input: Slice, output: Slice)
  /// Mean over an image's cells.
  case mean(input: Slice, output: Slice)
}

/// Something that the network gives back.
struct GraphOutput: Equatable {
  let slice: Slice
  let anchors: Int
}

/// The whole network. Plane 0 is the image.
struct Graph: Equatable {
  private(set) var convolutions: [Convolution] = []
  private(set) var planes: [Plane] = [Plane(stride: 1, channels: 3)]
  private(set) var operations: [Operation] = []
  /// The three detection maps, finest first, and for segmentation the mask prototypes; or the class scores alone.
  private(set) var outputs: [GraphOutput] = []

  init(_ spec: ModelSpec) {
    switch spec.task {
    case .detect, .segment: detector(spec)
    case .classify: classifier(spec)
    }
  }

  /// Layers 0 to 8; layers 4 and 6 write where they are told.
  private mutating func backbone(_ spec: ModelSpec, layer4: Slice, layer6: Slice) -> Slice {
    let c = { (nominal: Int) in spec.channels(nominal) }
    let image = Slice(plane: 0, offset: 0, channels: 3)
    let x0 = convolution("model.0", image, to: whole(2, c(64)), kernel: 6, stride: 2, padding: 2)
    let x1 = convolution("model.1", x0, to: whole(4, c(128)), kernel: 3, stride: 2)
    let x2 = c3("model.2", x1, to: whole(4, c(128)), repeats: spec.repeats(3), shortcut: true)
    let x3 = convolution("model.3", x2, to: whole(8, c(256)), kernel: 3, stride: 2)
    let x4 = c3("model.4", x3, to: layer4, repeats: spec.repeats(6), shortcut: true)
    let x5 = convolution("model.5", x4, to: whole(16, c(512)), kernel: 3, stride: 2)
    let x6 = c3("model.6", x5, to: layer6, repeats: spec.repeats(9), shortcut: true)
    let x7 = convolution("model.7", x6, to: whole(32, c(1024)), kernel: 3, stride: 2)
    return c3("model.8", x7, to: whole(32, c(1024)), repeats: spec.repeats(3), shortcut: true)
  }

  private mutating func classifier(_ spec: ModelSpec) {
    let (layer4, layer6) = (whole(8, spec.channels(256)), whole(16, spec.channels(512)))
    let x8 = backbone(spec, layer4: layer4, layer6: layer6)
    let wide = convolution("model.9.conv", x8, to: whole(32, 1280), norm: .classifier)
    let mean = whole(nil, 1280)
    operations.append(.mean(input: wide, output: mean))
    let scores = convolution("model.9.linear", mean, to: whole(nil, spec.classes), norm: nil, isLinear: true)
    outputs = [GraphOutput(slice: scores, anchors: 1)]
  }

  private mutating func detector(_ spec: ModelSpec) {
    let c = { (nominal: Int) in spec.channels(nominal) }
    // Concatenations of the neck are made first: layers write their results straight into them.
    let concat12 = plane(16, c(512) + c(512))
    let concat16 = plane(8, c(256) + c(256))
    let concat19 = plane(16, c(256) + c(256))
    let concat22 = plane(32, c(512) + c(512))
    let layer6 = part(concat12, c(512), c(512))
    let layer4 = part(concat16, c(256), c(256))
    let layer14 = part(concat19, c(256), c(256))
    let layer10 = part(concat22, c(512), c(512))

    let x8 = backbone(spec, layer4: layer4, layer6: layer6)
    let x9 = sppf("model.9", x8, to: whole(32, c(1024)))

    let x10 = convolution("model.10", x9, to: layer10)
    operations.append(.upsample(input: x10, output: part(concat12, 0, c(512))))
    let x13 = c3("model.13", concat12, to: whole(16, c(512)), repeats: spec.repeats(3), shortcut: false)
    let x14 = convolution("model.14", x13, to: layer14)
    operations.append(.upsample(input: x14, output: part(concat16, 0, c(256))))
    let x17 = c3("model.17", concat16, to: whole(8, c(256)), repeats: spec.repeats(3), shortcut: false)
    convolution("model.18", x17, to: part(concat19, 0, c(256)), kernel: 3, stride: 2)
    let x20 = c3("model.20", concat19, to: whole(16, c(512)), repeats: spec.repeats(3), shortcut: false)
    convolution("model.21", x20, to: part(concat22, 0, c(512)), kernel: 3, stride: 2)
    let x23 = c3("model.23", concat22, to: whole(32, c(1024)), repeats: spec.repeats(3), shortcut: false)
    outputs = [x17, x20, x23].enumerated().map { level, input in
      let map = convolution("model.24.m.\(level)", input, to: whole(ModelSpec.strides[level], 3 * spec.outputs), norm: nil)
      return GraphOutput(slice: map, anchors: 3)
    }
    if spec.task == .segment { outputs.append(GraphOutput(slice: prototypes(x17, channels: c(256)), anchors: 1)) }
  }

  /// The planes that masks are mixed from, at a quarter of the input's size.
  private mutating func prototypes(_ input: Slice, channels: Int) -> Slice {
    let coarse = convolution("model.24.proto.cv1", input, to: whole(8, channels), kernel: 3)
    let fine = whole(4, channels)
    operations.append(.upsample(input: coarse, output: fine))
    let middle = convolution("model.24.proto.cv2", fine, to: whole(4, channels), kernel: 3)
    return convolution("model.24.proto.cv3", middle, to: whole(4, ModelSpec.prototypes))
  }

  private mutating func plane(_ stride: Int?, _ channels: Int) -> Slice {
    planes.append(Plane(stride: stride, channels: channels))
    return Slice(plane: planes.count - 1, offset: 0, channels: channels)
  }

  /// A new plane, as a slice of itself.
  private mutating func whole(_ stride: Int?, _ channels: Int) -> Slice { plane(stride, channels) }

  private func part(_ slice: Slice, _ offset: Int, _ channels: Int) -> Slice {
    precondition(offset + channels <= slice.channels)
    return Slice(plane: slice.plane, offset: slice.offset + offset, channels: channels)
  }

  @discardableResult
  private mutating func convolution(
    _ name: String, _ input: Slice, to output: Slice, kernel: Int = 1, stride: Int = 1, padding: Int? = nil,
    residual: Slice? = nil, norm: NormConstants? = .standard, isLinear: Bool = false
  ) -> Slice {
    convolutions.append(
      Convolution(
        name: name, inputs: input.channels, outputs: output.channels, kernel: kernel, stride: stride,
        padding: padding ?? kernel / 2, norm: norm, isLinear: isLinear))
    operations.append(.convolution(convolutions.count - 1, input: input, output: output, residual: residual))
    return output
  }

  /// cv3(concat(bottlenecks(cv1 x), cv2 x)); a bottleneck is 1 x 1 then 3 x 3, added to its input if `shortcut`.
  private mutating func c3(_ name: String, _ input: Slice, to output: Slice, repeats: Int, shortcut: Bool) -> Slice {
    let hidden = output.channels / 2
    let stride = planes[input.plane].stride
    let joined = plane(stride, hidden * 2)
    var x = convolution("\(name).cv1", input, to: whole(stride, hidden))
    for index in 0..<repeats {
      let middle = convolution("\(name).m.\(index).cv1", x, to: whole(stride, hidden))
      let target = index == repeats - 1 ? part(joined, 0, hidden) : whole(stride, hidden)
      x = convolution("\(name).m.\(index).cv2", middle, to: target, kernel: 3, residual: shortcut ? x : nil)
    }
    convolution("\(name).cv2", input, to: part(joined, hidden, hidden))
    return convolution("\(name).cv3", joined, to: output)
  }

  /// cv2(concat(x, pool x, pool pool x, pool pool pool x)) of x = cv1 input.
  private mutating func sppf(_ name: String, _ input: Slice, to output: Slice) -> Slice {
    let hidden = input.channels / 2
    let joined = plane(planes[input.plane].stride, hidden * 4)
    convolution("\(name).cv1", input, to: part(joined, 0, hidden))
    for index in 0..<3 {
      operations.append(
        .pool(input: part(joined, index * hidden, hidden), output: part(joined, (index + 1) * hidden, hidden)))
    }
    return convolution("\(name).cv2", joined, to: output)
  }
}
