// From a model's layers to its graph. Concatenations cost no copy where it can be helped: the layers that feed one write their results
// straight into its plane. A layer that feeds two gets a copy for the second.

extension Graph {
  /// - Precondition: the description is valid (`ModelSpec.validate`).
  init(_ spec: ModelSpec) {
    self.spec = spec
    let shapes = spec.shapes
    // Where a layer's result must be written; later concatenations choose first.
    var homes: [Slice?] = Array(repeating: nil, count: spec.layers.count)
    var copies: [Int: [(from: Int, to: Slice)]] = [:]
    for (number, layer) in spec.layers.enumerated().reversed() where layer.module == .concatenation {
      let home = homes[number] ?? whole(shapes[number].stride, shapes[number].channels)
      homes[number] = home
      var offset = 0
      for source in layer.from {
        let target = part(home, offset, shapes[source].channels)
        offset += shapes[source].channels
        if homes[source] == nil { homes[source] = target } else { copies[number, default: []].append((source, target)) }
      }
    }
    var results: [Slice] = []
    for (number, layer) in spec.layers.enumerated() {
      let inputs = layer.from.map { $0 < 0 ? Slice(plane: 0, offset: 0, channels: 3) : results[$0] }
      if layer.isHead {
        addHead(layer, named: "model.\(number)", inputs)
        break
      }
      let target = homes[number] ?? whole(shapes[number].stride, shapes[number].channels)
      for copy in copies[number] ?? [] { operations.append(.copy(input: results[copy.from], output: copy.to)) }
      add(layer, named: "model.\(number)", inputs[0], to: target)
      results.append(target)
    }
  }

  private mutating func add(_ layer: LayerSpec, named name: String, _ input: Slice, to target: Slice) {
    let count = spec.repeats(layer.repeats)
    switch layer.module {
    case .convolution(_, let kernel, let stride, let padding):
      repeated(count, name, input, to: target, stride: stride) { graph, name, input, output in
        graph.convolution(name, input, to: output, kernel: kernel, stride: stride, padding: padding)
      }
    case .c3(_, let shortcut): c3(name, input, to: target, repeats: count, shortcut: shortcut)
    case .bottleneck(_, let shortcut):
      repeated(count, name, input, to: target, stride: 1) { graph, name, input, output in
        graph.bottleneck(name, input, to: output, shortcut: shortcut)
      }
    case .pyramid: sppf(name, input, to: target)
    case .upsample: operations.append(.upsample(input: input, output: target))
    case .concatenation, .detection, .segmentation, .classification: break
    }
  }

  /// A block several times behind itself, numbered below `name`; once, it has the name itself.
  private mutating func repeated(
    _ count: Int, _ name: String, _ input: Slice, to target: Slice, stride: Int,
    _ block: (inout Graph, _ name: String, _ input: Slice, _ output: Slice) -> Void
  ) {
    var x = input
    for index in 0..<count {
      let output = index == count - 1 ? target : whole((planes[x.plane].stride ?? 1) * stride, target.channels)
      block(&self, count == 1 ? name : "\(name).\(index)", x, output)
      x = output
    }
  }

  private mutating func addHead(_ layer: LayerSpec, named name: String, _ inputs: [Slice]) {
    switch layer.module {
    case .classification:
      let wide = convolution("\(name).conv", inputs[0], to: whole(planes[inputs[0].plane].stride, 1280), norm: .classifier)
      let mean = whole(nil, 1280)
      operations.append(.mean(input: wide, output: mean))
      let scores = convolution("\(name).linear", mean, to: whole(nil, spec.classes), norm: nil, isLinear: true)
      outputs = [GraphOutput(slice: scores, anchors: 1)]
    case .detection: addLevels(name, inputs)
    case .segmentation(let nominal):
      addLevels(name, inputs)
      outputs.append(GraphOutput(slice: prototypes("\(name).proto", inputs[0], channels: spec.channels(nominal)), anchors: 1))
    default: preconditionFailure("not a head")
    }
  }

  private mutating func addLevels(_ name: String, _ inputs: [Slice]) {
    outputs = inputs.enumerated().map { level, input in
      let anchors = spec.anchors[level].count
      let map = convolution(
        "\(name).m.\(level)", input, to: whole(planes[input.plane].stride, anchors * spec.outputs), norm: nil)
      return GraphOutput(slice: map, anchors: anchors)
    }
  }

  /// The planes that masks are mixed from, at twice the first level's resolution.
  private mutating func prototypes(_ name: String, _ input: Slice, channels: Int) -> Slice {
    let stride = planes[input.plane].stride
    let coarse = convolution("\(name).cv1", input, to: whole(stride, channels), kernel: 3)
    let fine = whole(stride.map { $0 / 2 }, channels)
    operations.append(.upsample(input: coarse, output: fine))
    let middle = convolution("\(name).cv2", fine, to: whole(planes[fine.plane].stride, channels), kernel: 3)
    return convolution("\(name).cv3", middle, to: whole(planes[fine.plane].stride, ModelSpec.prototypes))
  }

  /// A new plane, as a slice of itself.
  private mutating func whole(_ stride: Int?, _ channels: Int) -> Slice {
    planes.append(Plane(stride: stride, channels: channels))
    return Slice(plane: planes.count - 1, offset: 0, channels: channels)
  }

  private func part(_ slice: Slice, _ offset: Int, _ channels: Int) -> Slice {
    precondition(offset + channels <= slice.channels)
    return Slice(plane: slice.plane, offset: slice.offset + offset, channels: channels)
  }

  @discardableResult
  private mutating func convolution(
    _ name: String, _ input: Slice, to output: Slice, kernel: Int = 1, stride: Int = 1, padding: Int? = nil,
    residual: Slice? = nil, norm: NormConstants? = .standard, isLinear: Bool = false
  ) -> Slice {
    var norm = norm
    if spec.norm == .group { norm?.groups = NormConstants.groups(of: output.channels) }
    convolutions.append(
      Convolution(
        name: name, inputs: input.channels, outputs: output.channels, kernel: kernel, stride: stride,
        padding: padding ?? kernel / 2, norm: norm, isLinear: isLinear))
    operations.append(.convolution(convolutions.count - 1, input: input, output: output, residual: residual))
    return output
  }

  private mutating func c3(_ name: String, _ input: Slice, to output: Slice, repeats: Int, shortcut: Bool) {
    let hidden = output.channels / 2
    let stride = planes[input.plane].stride
    let joined = whole(stride, hidden * 2)
    var x = convolution("\(name).cv1", input, to: whole(stride, hidden))
    for index in 0..<repeats {
      let middle = convolution("\(name).m.\(index).cv1", x, to: whole(stride, hidden))
      let target = index == repeats - 1 ? part(joined, 0, hidden) : whole(stride, hidden)
      x = convolution("\(name).m.\(index).cv2", middle, to: target, kernel: 3, residual: shortcut ? x : nil)
    }
    convolution("\(name).cv2", input, to: part(joined, hidden, hidden))
    convolution("\(name).cv3", joined, to: output)
  }

  private mutating func bottleneck(_ name: String, _ input: Slice, to output: Slice, shortcut: Bool) {
    let stride = planes[input.plane].stride
    var x = input
    let isAdded = shortcut && input.channels == output.channels
    if isAdded {
      // A shortcut's input shares its gradient's memory with the output (see Plan): it must have no other reader.
      x = whole(stride, input.channels)
      operations.append(.copy(input: input, output: x))
    }
    let middle = convolution("\(name).cv1", x, to: whole(stride, output.channels / 2))
    convolution("\(name).cv2", middle, to: output, kernel: 3, residual: isAdded ? x : nil)
  }

  /// cv2(concat(x, pool x, pool pool x, pool pool pool x)) of x = cv1 input.
  private mutating func sppf(_ name: String, _ input: Slice, to output: Slice) {
    let hidden = input.channels / 2
    let joined = whole(planes[input.plane].stride, hidden * 4)
    convolution("\(name).cv1", input, to: part(joined, 0, hidden))
    for index in 0..<3 {
      operations.append(.pool(input: part(joined, index * hidden, hidden), output: part(joined, (index + 1) * hidden, hidden)))
    }
    convolution("\(name).cv2", joined, to: output)
  }
}
