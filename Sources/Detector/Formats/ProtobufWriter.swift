// The little of protocol buffers that writing an ONNX file takes: varints, length-delimited fields, packed numbers. Nothing is parsed, and
// the trainer, which must stay small, links no protobuf library for it.

/// Builds one message; fields appear in the order in which they are added.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  private enum Wire: UInt64 {
    case varint = 0
    case bytes = 2
    case fixed32 = 5
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func tag(_ field: Int, _ wire: Wire) { varint(UInt64(field) << 3 | wire.rawValue) }

  mutating func add(_ field: Int, _ value: Int) {
    tag(field, .varint)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: Int, _ value: Float) {
    tag(field, .fixed32)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }

  mutating func add(_ field: Int, _ content: [UInt8]) {
    tag(field, .bytes)
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  mutating func add(_ field: Int, _ message: ProtobufWriter) { add(field, message.bytes) }

  /// Repeated integers, one field each.
  mutating func add(_ field: Int, _ values: [Int]) { for value in values { add(field, value) } }
}
