// A network as an ONNX file that gives decoded boxes, as YOLOv5's own export does: input `images` (N, 3, H, W) from 0 to 1, output
// `output0` (N, predictions, 5 + classes (+ coefficients)), for segmentation `output1` with the prototypes. Batch norms are folded into
// their convolutions. Only operators whose form is the same from opset 12 on are used.

/// Writes networks as ONNX.
public struct ONNXExport {
  public static let opsets = 12...19

  /// Input size in pixels.
  public var height: Int
  public var width: Int
  /// Images at once; nil leaves it open.
  public var batch: Int?
  public var opset = 17
  public var classNames: [String] = []

  public init(height: Int, width: Int, batch: Int? = 1) { (self.height, self.width, self.batch) = (height, width, batch) }

  /// The file's bytes.
  /// - Precondition: the network accepts images of this size, the opset is one of `opsets`.
  public func bytes(_ network: Network) -> [UInt8] {
    precondition(Self.opsets.contains(opset) && height.isMultiple(of: network.sizeMultiple) && width.isMultiple(of: network.sizeMultiple))
    var translation = Translation(network: network, height: height, width: width, batch: batch)
    translation.translate()
    // A Python literal, as YOLOv5 writes it and its tools read it.
    let names = classNames.enumerated().map { "\($0): '\($1.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'" }
    return translation.onnx.model(
      name: "secagg", opset: opset, producer: "secagg",
      metadata: [
        ("stride", "\(network.strides.max() ?? 32)"), ("names", "{\(names.joined(separator: ", "))}"), ("task", network.spec.task.rawValue),
      ])
  }
}

private struct Translation {
  let network: Network
  let height: Int
  let width: Int
  let batch: Int?
  var onnx = ONNXGraph()
  /// What has been written to each plane: channels and the value that holds them.
  private var written: [Int: [(channels: Range<Int>, name: String)]] = [:]
  private var joined: [Slice: String] = [:]

  init(network: Network, height: Int, width: Int, batch: Int?) {
    (self.network, self.height, self.width, self.batch) = (network, height, width, batch)
  }

  private var batchDimension: ONNXGraph.Dimension { batch.map { .fixed($0) } ?? .symbol("batch") }

  mutating func translate() {
    onnx.addInput("images", [batchDimension, .fixed(3), .fixed(height), .fixed(width)])
    written[0] = [(0..<3, "images")]
    for operation in network.graph.operations {
      switch operation {
      case .convolution(let index, let input, let output, let residual):
        var value = convolution(index, read(input), output)
        if let residual { value = onnx.node("Add", [read(residual), value]) }
        write(value, to: output)
      case .pool(let input, let output):
        let pooled = onnx.node(
          "MaxPool", [read(input)],
          [("kernel_shape", .numbers([5, 5])), ("pads", .numbers([2, 2, 2, 2])), ("strides", .numbers([1, 1]))])
        write(pooled, to: output)
      case .upsample(let input, let output): write(doubled(read(input)), to: output)
      case .mean(let input, let output): write(onnx.node("GlobalAveragePool", [read(input)]), to: output)
      case .copy(let input, let output): write(read(input), to: output)
      }
    }
    addOutputs()
  }

  private mutating func write(_ name: String, to slice: Slice) {
    written[slice.plane, default: []].append((slice.offset..<(slice.offset + slice.channels), name))
  }

  /// The value of a slice: one that was written, or several joined.
  private mutating func read(_ slice: Slice) -> String {
    if let known = joined[slice] { return known }
    let wanted = slice.offset..<(slice.offset + slice.channels)
    let parts = (written[slice.plane] ?? []).filter { wanted.contains($0.channels.lowerBound) }.sorted {
      $0.channels.lowerBound < $1.channels.lowerBound
    }
    precondition(parts.reduce(0) { $0 + $1.channels.count } == slice.channels, "a slice that no whole results make up")
    let name = parts.count == 1 ? parts[0].name : onnx.node("Concat", parts.map(\.name), [("axis", .number(1))])
    joined[slice] = name
    return name
  }

  private mutating func doubled(_ input: String) -> String {
    let nothing = onnx.constant("roi", shape: [0], [])
    let scales = onnx.constant("scales", shape: [4], [1, 1, 2, 2])
    return onnx.node(
      "Resize", [input, nothing, scales],
      [("mode", .text("nearest")), ("coordinate_transformation_mode", .text("asymmetric")), ("nearest_mode", .text("floor"))])
  }

  private mutating func convolution(_ index: Int, _ input: String, _ output: Slice) -> String {
    let convolution = network.graph.convolutions[index]
    let (weights, bias) = network.exported(index)
    let (k, p) = (convolution.kernel, convolution.padding)
    var inputs = [input, onnx.constant("weight", shape: [convolution.outputs, convolution.inputs, k, k], weights)]
    if !convolution.isGrouped { inputs.append(onnx.constant("bias", shape: [convolution.outputs], bias)) }
    let result = onnx.node(
      "Conv", inputs,
      [
        ("kernel_shape", .numbers([k, k])), ("strides", .numbers([convolution.stride, convolution.stride])),
        ("pads", .numbers([p, p, p, p])),
        ("dilations", .numbers([1, 1])), ("group", .number(1)),
      ])
    guard convolution.isNormalised else { return result }
    let normalised = convolution.isGrouped ? groupNorm(index, result, output) : result
    return onnx.node("Mul", [normalised, onnx.node("Sigmoid", [normalised])])
  }

  /// Instance norm over (N, groups, everything else), then scale and shift by channel.
  private mutating func groupNorm(_ index: Int, _ input: String, _ output: Slice) -> String {
    let convolution = network.graph.convolutions[index]
    guard let norm = convolution.norm, let groups = norm.groups else { preconditionFailure("no group norm") }
    let stride = network.graph.planes[output.plane].stride ?? 1
    let tensors = network.store.convolutions[index]
    let ones = onnx.constant("ones", shape: [groups], Array(repeating: 1, count: groups))
    let zeros = onnx.constant("zeros", shape: [groups], Array(repeating: 0, count: groups))
    let flat = onnx.node("Reshape", [input, onnx.integers([0, groups, -1])])
    let normal = onnx.node("InstanceNormalization", [flat, ones, zeros], [("epsilon", .real(Float(norm.epsilon)))])
    let back = onnx.node("Reshape", [normal, onnx.integers([0, convolution.outputs, height / stride, width / stride])])
    func values(_ start: UnsafePointer<Float>) -> [Float] { Array(UnsafeBufferPointer(start: start, count: convolution.outputs)) }
    let scale = onnx.constant("scale", shape: [convolution.outputs, 1, 1], values(UnsafePointer(tensors.scale)))
    let shift = onnx.constant("shift", shape: [convolution.outputs, 1, 1], values(UnsafePointer(tensors.shift)))
    return onnx.node("Add", [onnx.node("Mul", [back, scale]), shift])
  }

  private mutating func addOutputs() {
    let spec = network.spec
    guard spec.task != .classify else {
      let scores = onnx.node("Reshape", [read(network.graph.outputs[0].slice), onnx.integers([0, -1])], named: "output0")
      return onnx.addOutput(scores, [batchDimension, .fixed(spec.classes)])
    }
    var levels: [String] = []
    var count = 0
    for (level, stride) in network.strides.enumerated() {
      levels.append(decoded(level, stride))
      count += network.anchors[level].count * (height / stride) * (width / stride)
    }
    let all = onnx.node("Concat", levels, [("axis", .number(1))], named: "output0")
    onnx.addOutput(all, [batchDimension, .fixed(count), .fixed(spec.outputs)])
    guard spec.task == .segment, let prototypes = network.graph.outputs.last?.slice else { return }
    let stride = network.graph.planes[prototypes.plane].stride ?? 1
    let named = onnx.node("Identity", [read(prototypes)], named: "output1")
    onnx.addOutput(named, [batchDimension, .fixed(ModelSpec.prototypes), .fixed(height / stride), .fixed(width / stride)])
  }

  /// One level's predictions in input pixels, as MapDecoder computes them: (N, anchors · cells, outputs).
  private mutating func decoded(_ level: Int, _ stride: Int) -> String {
    let spec = network.spec
    let anchors = network.anchors[level]
    let (rows, columns) = (height / stride, width / stride)
    let split = onnx.node(
      "Reshape", [read(network.graph.outputs[level].slice), onnx.integers([0, anchors.count, spec.outputs, rows * columns])])
    let last = onnx.node("Transpose", [split], [("perm", .numbers([0, 1, 3, 2]))])
    func part(_ value: String, _ range: Range<Int>, _ onnx: inout ONNXGraph) -> String {
      onnx.node(
        "Slice", [value, onnx.integers([range.lowerBound]), onnx.integers([range.upperBound]), onnx.integers([3])])
    }
    let box = 4
    let probabilities = onnx.node("Sigmoid", [part(last, 0..<(5 + spec.classes), &onnx)])
    let two = onnx.constant("two", shape: [1], [2])
    var corners: [Float] = []
    for y in 0..<rows { for x in 0..<columns { corners += [Float(x) - 0.5, Float(y) - 0.5] } }
    let cells = onnx.constant("cells", shape: [1, 1, rows * columns, 2], corners)
    let pixels = onnx.constant("stride", shape: [1], [Float(stride)])
    let doubled = onnx.node("Mul", [part(probabilities, 0..<2, &onnx), two])
    let centre = onnx.node("Mul", [onnx.node("Add", [doubled, cells]), pixels])
    let sizes = onnx.constant(
      "anchors", shape: [1, anchors.count, 1, 2], anchors.flatMap { [$0.x * Float(stride), $0.y * Float(stride)] })
    let root = onnx.node("Mul", [part(probabilities, 2..<box, &onnx), two])
    let size = onnx.node("Mul", [onnx.node("Mul", [root, root]), sizes])
    var parts = [centre, size, part(probabilities, box..<(5 + spec.classes), &onnx)]
    if spec.coefficients > 0 { parts.append(part(last, (5 + spec.classes)..<spec.outputs, &onnx)) }
    let joined = onnx.node("Concat", parts, [("axis", .number(3))])
    return onnx.node("Reshape", [joined, onnx.integers([0, anchors.count * rows * columns, spec.outputs])])
  }
}

extension Network {
  /// Weights [output][input][ky][kx] and bias of a convolution as evaluation applies it: a batch norm's factor and offset are in them.
  fileprivate func exported(_ index: Int) -> (weights: [Float], bias: [Float]) {
    let convolution = graph.convolutions[index]
    let tensors = store.convolutions[index]
    let taps = convolution.kernel * convolution.kernel
    var weights = [Float](repeating: 0, count: convolution.outputs * convolution.patch)
    var bias = [Float](repeating: 0, count: convolution.outputs)
    for output in 0..<convolution.outputs {
      var factor = 1.0
      if let norm = convolution.norm, !convolution.isGrouped {
        factor = Double(tensors.scale[output]) / (Double(tensors.runningVariance[output]) + norm.epsilon).squareRoot()
        bias[output] = Float(Double(tensors.shift[output]) - Double(tensors.runningMean[output]) * factor)
      } else {
        bias[output] = tensors.shift[output]
      }
      for tap in 0..<taps {
        for input in 0..<convolution.inputs {
          let value = Double(tensors.weight[(output * taps + tap) * convolution.inputs + input])
          weights[(output * convolution.inputs + input) * taps + tap] = Float(value * factor)
        }
      }
    }
    return (weights, bias)
  }
}
