// Reading a safetensors file: u64 little-endian header length, JSON header, raw little-endian data. The input may be
// hostile: sizes are bounded before anything is allocated, all arithmetic is checked, and the tensors must cover the
// data exactly, without overlap and without gap, so that one file has one meaning.

/// A parsed safetensors file held in memory. Entries are in *file order*: ascending data offset.
public struct SafetensorsFile: Sendable {
  /// One tensor: its name, element type, shape (row-major) and its bytes.
  public struct Entry: Sendable {
    public let name: String
    public let dtype: ElementType
    public let shape: [Int]
    public let data: ArraySlice<UInt8>

    /// Number of elements; 1 for a scalar (empty shape).
    public var count: Int { data.count / dtype.size }
  }

  /// Longest header accepted, bytes.
  public static let headerBytesMax = 16 << 20
  /// Largest file `read` accepts unless told otherwise, bytes.
  public static let fileBytesMax = 2 << 30

  public let entries: [Entry]
  public let metadata: [String: String]
  private let positions: [String: Int]

  /// Parses a whole file.
  /// - Throws: `SafetensorsError` with the rule that the bytes break.
  public init(parsing bytes: [UInt8]) throws(SafetensorsError) {
    guard bytes.count >= 8 else { throw SafetensorsError(.truncated, "\(bytes.count) bytes cannot hold the header length") }
    var length: UInt64 = 0
    for index in (0..<8).reversed() { length = length << 8 | UInt64(bytes[index]) }
    guard length <= UInt64(Self.headerBytesMax) else {
      throw SafetensorsError(.malformedHeader, "header of \(length) bytes exceeds \(Self.headerBytesMax)")
    }
    let dataStart = 8 + Int(length)
    guard dataStart <= bytes.count else {
      throw SafetensorsError(.truncated, "header needs \(length) bytes, \(bytes.count - 8) are there")
    }
    var parser = HeaderParser(bytes[8..<dataStart])
    let header = try parser.parse()
    let ordered = try Self.ordered(header.entries, dataCount: bytes.count - dataStart)
    entries = ordered.map {
      Entry(name: $0.name, dtype: $0.type, shape: $0.shape, data: bytes[(dataStart + $0.begin)..<(dataStart + $0.end)])
    }
    metadata = header.metadata
    positions = Dictionary(uniqueKeysWithValues: zip(entries.map(\.name), entries.indices))
  }

  /// Checks each entry's size and that the entries tile the data, and returns them by ascending offset.
  private static func ordered(_ entries: [HeaderEntry], dataCount: Int) throws(SafetensorsError) -> [HeaderEntry] {
    for entry in entries {
      var (size, extent) = (entry.type.size, 8)
      for dimension in entry.shape {
        // The dimensions beside a zero are bounded too: whoever multiplies or encodes them, for any element type, relies on it.
        let (product, overflow) = extent.multipliedReportingOverflow(by: max(dimension, 1))
        guard !overflow, dimension <= Int(UInt32.max) else {
          throw SafetensorsError(.inconsistentShape, "shape of \"\(printable(entry.name))\" overflows")
        }
        extent = product
        size *= dimension
      }
      guard entry.begin <= entry.end, entry.end <= dataCount else {
        throw SafetensorsError(
          entry.begin > entry.end ? .badOffsets : .truncated,
          "\"\(printable(entry.name))\" lies at \(entry.begin)..<\(entry.end) of \(dataCount) data bytes")
      }
      guard entry.end - entry.begin == size else {
        throw SafetensorsError(
          .inconsistentShape, "\"\(printable(entry.name))\" needs \(size) bytes, its offsets hold \(entry.end - entry.begin)")
      }
    }
    // Stable for empty tensors: they keep the header's order among equals.
    let sorted = entries.enumerated()
      .sorted { ($0.element.begin, $0.element.end, $0.offset) < ($1.element.begin, $1.element.end, $1.offset) }
      .map(\.element)
    var covered = 0
    for entry in sorted {
      guard entry.begin == covered else {
        throw SafetensorsError(
          .badOffsets, "\"\(printable(entry.name))\" starts at \(entry.begin), the tensor before it ends at \(covered)")
      }
      covered = entry.end
    }
    guard covered == dataCount else {
      throw SafetensorsError(.badOffsets, "\(dataCount - covered) bytes after the last tensor belong to none")
    }
    return sorted
  }

  /// Reads and parses the file at `path`.
  public static func read(path: String, bytesMax: Int = fileBytesMax) throws(SafetensorsError) -> SafetensorsFile {
    try SafetensorsFile(parsing: FileBytes.read(path: path, bytesMax: bytesMax))
  }

  public func contains(_ name: String) -> Bool { positions[name] != nil }

  /// The entry called `name`.
  public func entry(_ name: String) throws(SafetensorsError) -> Entry {
    guard let position = positions[name] else {
      throw SafetensorsError(.missingTensor, "no tensor \"\(printable(name))\"")
    }
    return entries[position]
  }

  /// The values of a floating tensor as Float, row-major; F16 and BF16 are widened exactly, F64 is rounded.
  public func floats(_ name: String) throws(SafetensorsError) -> [Float] { try entry(name).floats() }

  /// The values of an I64 tensor, row-major.
  public func int64s(_ name: String) throws(SafetensorsError) -> [Int64] { try entry(name).int64s() }

  /// The first floating tensor that holds a NaN or an infinity, if any.
  public func firstNotFinite() -> String? {
    for entry in entries where entry.dtype.isFloating {
      guard let values = try? entry.floats(), values.allSatisfyFinite else { return entry.name }
    }
    return nil
  }
}

extension SafetensorsFile.Entry {
  /// The values as Float, row-major.
  public func floats() throws(SafetensorsError) -> [Float] {
    let count = count
    switch dtype {
    case .f32:
      return load(UInt32.self) { Float(bitPattern: $0) }
    case .f16:
      return load(UInt16.self) { widenHalf($0) }
    case .bf16:
      return load(UInt16.self) { widenBrain($0) }
    case .f64:
      return load(UInt64.self) { Float(Double(bitPattern: $0)) }
    default:
      throw SafetensorsError(.unexpectedContents, "\"\(printable(name))\" (\(count) elements) is \(dtype.rawValue), not floating")
    }
  }

  /// The values of an I64 tensor, row-major.
  public func int64s() throws(SafetensorsError) -> [Int64] {
    guard dtype == .i64 else {
      throw SafetensorsError(.unexpectedContents, "\"\(printable(name))\" is \(dtype.rawValue), not I64")
    }
    return load(UInt64.self) { Int64(bitPattern: $0) }
  }

  /// Reads little-endian words; the data need not be aligned.
  private func load<Word: FixedWidthInteger, Value>(_: Word.Type, _ convert: (Word) -> Value) -> [Value] {
    let count = count
    return data.withUnsafeBytes { raw in
      Array(unsafeUninitializedCapacity: count) { buffer, initialised in
        for index in 0..<count {
          let word = Word(littleEndian: raw.loadUnaligned(fromByteOffset: index &* MemoryLayout<Word>.size, as: Word.self))
          buffer.initializeElement(at: index, to: convert(word))
        }
        initialised = count
      }
    }
  }
}

extension [Float] {
  /// True if no element is NaN or infinite.
  public var allSatisfyFinite: Bool {
    withUnsafeBufferPointer { buffer in
      var good = true
      // Exponent bits all set means NaN or infinity; no early exit, so that the loop vectorises.
      for value in buffer { good = good && (value.bitPattern & 0x7f80_0000 != 0x7f80_0000) }
      return good
    }
  }
}
