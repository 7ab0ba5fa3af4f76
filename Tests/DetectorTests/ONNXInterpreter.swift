// Reads an ONNX file and computes what it says, slowly and by the operators' published definitions: the second opinion on ONNXExport that
// needs nothing installed. Only what our files use is known.

import Foundation

/// Fields of a protocol buffers message.
private struct ProtobufFields {
  enum Value {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
    case word(UInt32)
  }
  var fields: [(number: Int, value: Value)] = []

  init?(_ bytes: ArraySlice<UInt8>) {
    var at = bytes.startIndex
    func varint() -> UInt64? {
      var result: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 7) {
        guard at < bytes.endIndex else { return nil }
        let byte = bytes[at]
        at += 1
        result |= UInt64(byte & 0x7f) << shift
        if byte < 0x80 { return result }
      }
      return nil
    }
    while at < bytes.endIndex {
      guard let tag = varint() else { return nil }
      switch tag & 7 {
      case 0:
        guard let value = varint() else { return nil }
        fields.append((Int(tag >> 3), .number(value)))
      case 2:
        guard let length = varint(), length <= UInt64(bytes.endIndex - at) else { return nil }
        fields.append((Int(tag >> 3), .bytes(bytes[at..<(at + Int(length))])))
        at += Int(length)
      case 5:
        guard bytes.endIndex - at >= 4 else { return nil }
        fields.append((Int(tag >> 3), .word((0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) })))
        at += 4
      default: return nil
      }
    }
  }

  func messages(_ number: Int) -> [ProtobufFields] {
    blobs(number).compactMap { ProtobufFields($0) }
  }
  func blobs(_ number: Int) -> [ArraySlice<UInt8>] {
    fields.compactMap { if $0.number == number, case .bytes(let bytes) = $0.value { bytes } else { nil } }
  }
  func texts(_ number: Int) -> [String] { blobs(number).map { String(decoding: $0, as: UTF8.self) } }
  func numbers(_ number: Int) -> [Int] {
    fields.compactMap { if $0.number == number, case .number(let value) = $0.value { Int(Int64(bitPattern: value)) } else { nil } }
  }
  func reals(_ number: Int) -> [Float] {
    fields.compactMap { if $0.number == number, case .word(let word) = $0.value { Float(bitPattern: word) } else { nil } }
  }
}

struct ONNXTensor {
  var shape: [Int]
  var values: [Float]
  var count: Int { values.count }
}

struct ONNXInterpreter {
  private let graph: ProtobufFields
  let opset: Int
  let metadata: [String: String]
  /// Names and dimensions (nil: open).
  let outputs: [(name: String, shape: [Int?])]
  private var constants: [String: ONNXTensor] = [:]

  init?(_ bytes: [UInt8]) {
    guard let model = ProtobufFields(bytes[...]), let graph = model.messages(7).first else { return nil }
    self.graph = graph
    opset = model.messages(8).first?.numbers(2).first ?? 0
    metadata = Dictionary(model.messages(14).map { ($0.texts(1)[0], $0.texts(2)[0]) }, uniquingKeysWith: { $1 })
    outputs = graph.messages(12).map { value in
      let shape = value.messages(2)[0].messages(1)[0].messages(2)[0].messages(1).map { $0.numbers(1).first }
      return (value.texts(1)[0], shape)
    }
    for tensor in graph.messages(5) {
      let raw = Array(tensor.blobs(9).first ?? [])
      let isFloat = tensor.numbers(2) == [1]
      let values = raw.withUnsafeBytes { raw in
        isFloat
          ? (0..<raw.count / 4).map { Float(bitPattern: raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)) }
          : (0..<raw.count / 8).map { Float(raw.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
      }
      constants[tensor.texts(8)[0]] = ONNXTensor(shape: tensor.numbers(1), values: values)
    }
  }

  func run(_ images: ONNXTensor) -> [ONNXTensor] {
    var values = constants
    values["images"] = images
    for node in graph.messages(1) {
      var attributes: [String: ProtobufFields] = [:]
      for attribute in node.messages(5) { attributes[attribute.texts(1)[0]] = attribute }
      let inputs = node.texts(1).map { values[$0]! }
      values[node.texts(2)[0]] = Self.evaluate(node.texts(4)[0], inputs, attributes)
    }
    return outputs.map { values[$0.name]! }
  }

  private static func evaluate(_ kind: String, _ x: [ONNXTensor], _ attributes: [String: ProtobufFields]) -> ONNXTensor {
    func numbers(_ name: String) -> [Int] { attributes[name]?.numbers(8) ?? [] }
    switch kind {
    case "Identity": return x[0]
    case "Sigmoid": return ONNXTensor(shape: x[0].shape, values: x[0].values.map { 1 / (1 + exp(-$0)) })
    case "Add": return broadcast(x[0], x[1], +)
    case "Mul": return broadcast(x[0], x[1], *)
    case "Conv": return convolution(x, pad: numbers("pads")[0], stride: numbers("strides")[0])
    case "MaxPool": return pool(x[0], size: numbers("kernel_shape")[0], pad: numbers("pads")[0])
    case "Resize": return doubled(x[0])
    case "Concat": return concat(x, axis: attributes["axis"]!.numbers(3)[0])
    case "Slice": return slice(x[0], x[1].values.map { Int($0) }[0]..<Int(x[2].values[0]), axis: Int(x[3].values[0]))
    case "Transpose": return transpose(x[0], numbers("perm"))
    case "Reshape":
      var shape = x[1].values.enumerated().map { $1 == 0 ? x[0].shape[$0] : Int($1) }
      if let open = shape.firstIndex(of: -1) {
        shape[open] = x[0].count / shape.filter { $0 != -1 }.reduce(1, *)
      }
      return ONNXTensor(shape: shape, values: x[0].values)
    case "GlobalAveragePool":
      let cells = x[0].shape[2] * x[0].shape[3]
      let means = stride(from: 0, to: x[0].count, by: cells).map { x[0].values[$0..<($0 + cells)].reduce(0, +) / Float(cells) }
      return ONNXTensor(shape: [x[0].shape[0], x[0].shape[1], 1, 1], values: means)
    case "InstanceNormalization":
      let cells = x[0].shape.dropFirst(2).reduce(1, *)
      var out = x[0]
      for start in stride(from: 0, to: out.count, by: cells) {
        let channel = start / cells % x[0].shape[1]
        let row = x[0].values[start..<(start + cells)].map(Double.init)
        let mean = row.reduce(0, +) / Double(cells)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(cells)
        let epsilon = Double(attributes["epsilon"]!.reals(2)[0])
        for (index, value) in row.enumerated() {
          out.values[start + index] =
            Float((value - mean) / (variance + epsilon).squareRoot()) * x[1].values[channel] + x[2].values[channel]
        }
      }
      return out
    default: preconditionFailure("operator \(kind)")
    }
  }

  private static func strides(_ shape: [Int]) -> [Int] {
    shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
  }

  private static func broadcast(_ a: ONNXTensor, _ b: ONNXTensor, _ combine: (Float, Float) -> Float) -> ONNXTensor {
    let rank = max(a.shape.count, b.shape.count)
    func widened(_ shape: [Int]) -> [Int] { Array(repeating: 1, count: rank - shape.count) + shape }
    let (sa, sb) = (widened(a.shape), widened(b.shape))
    let shape = zip(sa, sb).map { max($0, $1) }
    let (steps, stepsA, stepsB) = (strides(shape), strides(sa), strides(sb))
    let values = (0..<shape.reduce(1, *)).map { index in
      var (i, j) = (0, 0)
      for axis in 0..<rank {
        let position = index / steps[axis] % shape[axis]
        if sa[axis] > 1 { i += position * stepsA[axis] }
        if sb[axis] > 1 { j += position * stepsB[axis] }
      }
      return combine(a.values[i], b.values[j])
    }
    return ONNXTensor(shape: shape, values: values)
  }

  private static func convolution(_ x: [ONNXTensor], pad: Int, stride: Int) -> ONNXTensor {
    let (image, weight) = (x[0], x[1])
    let (inputs, outputs, kernel) = (weight.shape[1], weight.shape[0], weight.shape[2])
    let (h, w) = (image.shape[2], image.shape[3])
    let (oh, ow) = ((h + 2 * pad - kernel) / stride + 1, (w + 2 * pad - kernel) / stride + 1)
    var out = [Float](repeating: 0, count: image.shape[0] * outputs * oh * ow)
    for n in 0..<image.shape[0] {
      for o in 0..<outputs {
        for i in 0..<inputs {
          for ky in 0..<kernel {
            for kx in 0..<kernel {
              let factor = weight.values[((o * inputs + i) * kernel + ky) * kernel + kx]
              for y in 0..<oh {
                let sy = y * stride + ky - pad
                guard sy >= 0, sy < h else { continue }
                for xx in 0..<ow {
                  let sx = xx * stride + kx - pad
                  guard sx >= 0, sx < w else { continue }
                  out[((n * outputs + o) * oh + y) * ow + xx] += factor * image.values[((n * inputs + i) * h + sy) * w + sx]
                }
              }
            }
          }
        }
        if x.count > 2 { for cell in 0..<oh * ow { out[(n * outputs + o) * oh * ow + cell] += x[2].values[o] } }
      }
    }
    return ONNXTensor(shape: [image.shape[0], outputs, oh, ow], values: out)
  }

  private static func pool(_ x: ONNXTensor, size: Int, pad: Int) -> ONNXTensor {
    let (h, w) = (x.shape[2], x.shape[3])
    var out = x
    for plane in 0..<x.shape[0] * x.shape[1] {
      for y in 0..<h {
        for xx in 0..<w {
          var best = -Float.infinity
          for sy in max(0, y - pad)..<min(h, y - pad + size) {
            for sx in max(0, xx - pad)..<min(w, xx - pad + size) { best = max(best, x.values[(plane * h + sy) * w + sx]) }
          }
          out.values[(plane * h + y) * w + xx] = best
        }
      }
    }
    return out
  }

  private static func doubled(_ x: ONNXTensor) -> ONNXTensor {
    let (h, w) = (x.shape[2] * 2, x.shape[3] * 2)
    let values = (0..<x.count * 4).map { index in
      x.values[index / (h * w) * (h * w / 4) + index / w % h / 2 * (w / 2) + index % w / 2]
    }
    return ONNXTensor(shape: [x.shape[0], x.shape[1], h, w], values: values)
  }

  private static func concat(_ x: [ONNXTensor], axis: Int) -> ONNXTensor {
    var shape = x[0].shape
    shape[axis] = x.reduce(0) { $0 + $1.shape[axis] }
    let outer = shape[..<axis].reduce(1, *)
    var values: [Float] = []
    for block in 0..<outer {
      for part in x {
        let size = part.count / outer
        values += part.values[(block * size)..<((block + 1) * size)]
      }
    }
    return ONNXTensor(shape: shape, values: values)
  }

  private static func slice(_ x: ONNXTensor, _ range: Range<Int>, axis: Int) -> ONNXTensor {
    var shape = x.shape
    shape[axis] = range.count
    let inner = x.shape[(axis + 1)...].reduce(1, *)
    var values: [Float] = []
    for block in 0..<x.shape[..<axis].reduce(1, *) {
      let start = block * x.shape[axis] * inner
      values += x.values[(start + range.lowerBound * inner)..<(start + range.upperBound * inner)]
    }
    return ONNXTensor(shape: shape, values: values)
  }

  private static func transpose(_ x: ONNXTensor, _ order: [Int]) -> ONNXTensor {
    let shape = order.map { x.shape[$0] }
    let (from, to) = (strides(x.shape), strides(shape))
    let values = (0..<x.count).map { index in
      x.values[order.indices.reduce(0) { $0 + index / to[$1] % shape[$1] * from[order[$1]] }]
    }
    return ONNXTensor(shape: shape, values: values)
  }
}
