// Writing a safetensors file. Tensors keep the order in which they were added (that order is the file order of
// `WeightsLayout`), the header is canonical (metadata sorted, no white space but the padding), so equal contents give
// equal bytes and equal digests.

/// Collects tensors and serialises them.
public struct SafetensorsWriter: Sendable {
  private struct Item: Sendable {
    let name: String
    let type: ElementType
    let shape: [Int]
    let bytes: ArraySlice<UInt8>
  }

  public var metadata: [String: String]
  private var items: [Item] = []
  private var names: Set<String> = []

  public init(metadata: [String: String] = [:]) { self.metadata = metadata }

  /// Names in the order they were added.
  public var tensorNames: [String] { items.map(\.name) }

  /// Adds an F32 tensor; `floats` is row-major and has as many elements as `shape` says.
  public mutating func add(_ name: String, shape: [Int], floats: [Float]) {
    append(name, .f32, shape, bytes(floats.count, { floats[$0].bitPattern }))
  }

  /// Adds an I64 tensor.
  public mutating func add(_ name: String, shape: [Int], int64s: [Int64]) {
    append(name, .i64, shape, bytes(int64s.count, { UInt64(bitPattern: int64s[$0]) }))
  }

  /// Adds a tensor of any type; `data` is row-major and little-endian, as many bytes as `shape` and `type` say.
  public mutating func add(_ name: String, shape: [Int], type: ElementType, data: ArraySlice<UInt8>) { append(name, type, shape, data) }

  /// Copies a tensor of another file, bytes and type unchanged.
  public mutating func add(_ entry: SafetensorsFile.Entry) { append(entry.name, entry.dtype, entry.shape, entry.data) }

  /// Copies a tensor of another file under another name.
  public mutating func add(_ entry: SafetensorsFile.Entry, as name: String) { append(name, entry.dtype, entry.shape, entry.data) }

  /// Copies every tensor of another writer, `prefix` before its name. Metadata are not copied.
  public mutating func add(contentsOf other: SafetensorsWriter, prefix: String) {
    for item in other.items { append(prefix + item.name, item.type, item.shape, item.bytes) }
  }

  private mutating func append(_ name: String, _ type: ElementType, _ shape: [Int], _ bytes: ArraySlice<UInt8>) {
    precondition(name != "__metadata__" && names.insert(name).inserted, "tensor name used twice or reserved: \(name)")
    precondition(shape.reduce(type.size, *) == bytes.count, "shape \(shape) disagrees with the data of \(name)")
    items.append(Item(name: name, type: type, shape: shape, bytes: bytes))
  }

  private func bytes<Word: FixedWidthInteger>(_ count: Int, _ word: (Int) -> Word) -> ArraySlice<UInt8> {
    let size = MemoryLayout<Word>.size
    return [UInt8](unsafeUninitializedCapacity: count * size) { buffer, initialised in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      for index in 0..<count { raw.storeBytes(of: word(index).littleEndian, toByteOffset: index &* size, as: Word.self) }
      initialised = count * size
    }[...]
  }

  /// The file's bytes. The header is padded with spaces so that the data starts on a multiple of 8.
  public func serialise() -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
      fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for item in items {
      let shape = item.shape.map(String.init).joined(separator: ",")
      let end = offset + item.bytes.count
      fields.append(
        "\(quoted(item.name)):{\"dtype\":\"\(item.type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var header = Array("{\(fields.joined(separator: ","))}".utf8)
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
    var file: [UInt8] = []
    file.reserveCapacity(8 + header.count + offset)
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { file.append(contentsOf: $0) }
    file.append(contentsOf: header)
    for item in items { file.append(contentsOf: item.bytes) }
    return file
  }

  /// Writes atomically and durably; see `FileBytes.write`.
  public func write(path: String) throws(SafetensorsError) { try FileBytes.write(serialise(), path: path) }

  private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
