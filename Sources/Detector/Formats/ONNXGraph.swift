// An ONNX model as it is put together (onnx.proto, IR version 8): nodes, constants, inputs and outputs. Field numbers are those of the
// published schema.

/// Collects nodes and constants; names are unique because they are counted.
struct ONNXGraph {
  /// A dimension of an input or output.
  enum Dimension: Equatable {
    case fixed(Int)
    case symbol(String)
  }

  enum Attribute {
    case number(Int)
    case numbers([Int])
    case real(Float)
    case text(String)
  }

  private var nodes: [ProtobufWriter] = []
  private var constants: [ProtobufWriter] = []
  private var inputs: [ProtobufWriter] = []
  private var outputs: [ProtobufWriter] = []
  private var count = 0
  private var known: [[Int]: String] = [:]

  private enum ElementType {
    static let float = 1
    static let int64 = 7
  }

  private mutating func fresh(_ word: String) -> String {
    count += 1
    return "\(word)_\(count)"
  }

  /// Adds a node with one output and gives that output's name.
  mutating func node(_ kind: String, _ inputs: [String], _ attributes: [(String, Attribute)] = [], named output: String? = nil) -> String {
    let result = output ?? fresh(kind)
    var node = ProtobufWriter()
    for input in inputs { node.add(1, input) }
    node.add(2, result)
    node.add(3, "node_\(result)")
    node.add(4, kind)
    for (name, value) in attributes { node.add(5, Self.attribute(name, value)) }
    nodes.append(node)
    return result
  }

  private static func attribute(_ name: String, _ value: Attribute) -> ProtobufWriter {
    var attribute = ProtobufWriter()
    attribute.add(1, name)
    switch value {
    case .real(let number):
      attribute.add(2, number)
      attribute.add(20, 1)
    case .number(let number):
      attribute.add(3, number)
      attribute.add(20, 2)
    case .text(let text):
      attribute.add(4, text)
      attribute.add(20, 3)
    case .numbers(let numbers):
      attribute.add(8, numbers)
      attribute.add(20, 7)
    }
    return attribute
  }

  /// A constant of floats, row-major.
  mutating func constant(_ word: String, shape: [Int], _ values: [Float]) -> String {
    precondition(shape.reduce(1, *) == values.count)
    let name = fresh(word)
    let bytes = [UInt8](unsafeUninitializedCapacity: values.count * 4) { buffer, count in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      for index in values.indices { raw.storeBytes(of: values[index].bitPattern.littleEndian, toByteOffset: index * 4, as: UInt32.self) }
      count = values.count * 4
    }
    constants.append(Self.tensor(name, shape, ElementType.float, bytes))
    return name
  }

  /// A constant list of integers; equal ones are shared.
  mutating func integers(_ values: [Int]) -> String {
    if let name = known[values] { return name }
    let name = fresh("integers")
    let bytes = values.flatMap { value in withUnsafeBytes(of: Int64(value).littleEndian) { Array($0) } }
    constants.append(Self.tensor(name, [values.count], ElementType.int64, bytes))
    known[values] = name
    return name
  }

  private static func tensor(_ name: String, _ shape: [Int], _ type: Int, _ bytes: [UInt8]) -> ProtobufWriter {
    var tensor = ProtobufWriter()
    tensor.add(1, shape)
    tensor.add(2, type)
    tensor.add(8, name)
    tensor.add(9, bytes)
    return tensor
  }

  mutating func addInput(_ name: String, _ shape: [Dimension]) { inputs.append(Self.value(name, shape)) }
  mutating func addOutput(_ name: String, _ shape: [Dimension]) { outputs.append(Self.value(name, shape)) }

  private static func value(_ name: String, _ shape: [Dimension]) -> ProtobufWriter {
    var dimensions = ProtobufWriter()
    for dimension in shape {
      var one = ProtobufWriter()
      switch dimension {
      case .fixed(let size): one.add(1, size)
      case .symbol(let name): one.add(2, name)
      }
      dimensions.add(1, one)
    }
    var tensor = ProtobufWriter()
    tensor.add(1, ElementType.float)
    tensor.add(2, dimensions)
    var type = ProtobufWriter()
    type.add(1, tensor)
    var value = ProtobufWriter()
    value.add(1, name)
    value.add(2, type)
    return value
  }

  /// The whole file.
  /// - Parameter metadata: shown by tools, in this order.
  func model(name: String, opset: Int, producer: String, metadata: [(String, String)]) -> [UInt8] {
    var graph = ProtobufWriter()
    for node in nodes { graph.add(1, node) }
    graph.add(2, name)
    for constant in constants { graph.add(5, constant) }
    for input in inputs { graph.add(11, input) }
    for output in outputs { graph.add(12, output) }
    var operators = ProtobufWriter()
    operators.add(1, "")
    operators.add(2, opset)
    var model = ProtobufWriter()
    model.add(1, 8)
    model.add(2, producer)
    model.add(7, graph)
    model.add(8, operators)
    for (key, value) in metadata {
      var entry = ProtobufWriter()
      entry.add(1, key)
      entry.add(2, value)
      model.add(14, entry)
    }
    return model.bytes
  }
}
