// The length-prefixed encoding of what Federation hashes and signs (spec/01-notation-and-encodings.md): big-endian integers, byte
// strings with their length before them, doubles as IEEE 754 bits. One value has one encoding; whatever is left over or out of bounds
// is an error.

/// Builds canonical bytes field by field.
public struct CanonicalWriter: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init(label: String) { string(label) }

  public mutating func integer(_ value: some FixedWidthInteger & UnsignedInteger) {
    withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
  }

  /// A count or size: 32 bits.
  public mutating func count(_ value: Int) {
    precondition(UInt32(exactly: value) != nil, "a count of the canonical encoding is 32 bits")
    integer(UInt32(value))
  }

  public mutating func double(_ value: Double) {
    precondition(value.isFinite, "the canonical encoding holds finite numbers only")
    integer(value == 0 ? UInt64(0) : value.bitPattern)
  }

  public mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

  public mutating func data(_ value: [UInt8]) {
    count(value.count)
    bytes += value
  }

  public mutating func string(_ value: String) { data(Array(value.utf8)) }
}

/// Why canonical bytes were not accepted.
public struct CanonicalError: Error, Equatable, Sendable {
  public let reason: String
}

/// Reads canonical bytes; every read is bounded.
public struct CanonicalReader: Sendable {
  private let bytes: [UInt8]
  private var position = 0

  /// - Throws: if `bytes` do not begin with `label`, or are longer than `limit`.
  public init(_ bytes: [UInt8], label: String, limit: Int = 1 << 20) throws(CanonicalError) {
    guard bytes.count <= limit else { throw CanonicalError(reason: "longer than \(limit) bytes") }
    self.bytes = bytes
    guard try string(limit: 64) == label else { throw CanonicalError(reason: "does not begin with \(label)") }
  }

  public mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(_ type: Value.Type = Value.self) throws(CanonicalError) -> Value
  {
    try take(Value.bitWidth / 8).reduce(0) { $0 << 8 | Value($1) }
  }

  public mutating func count(limit: Int) throws(CanonicalError) -> Int {
    let value = Int(try integer(UInt32.self))
    guard value <= limit else { throw CanonicalError(reason: "a count of \(value) is above \(limit)") }
    return value
  }

  public mutating func double() throws(CanonicalError) -> Double {
    let value = Double(bitPattern: try integer(UInt64.self))
    guard value.isFinite, !(value == 0 && value.sign == .minus) else {
      throw CanonicalError(reason: "a number is not finite and canonical")
    }
    return value
  }

  /// Whether nothing is left.
  public var isAtEnd: Bool { position == bytes.count }

  public mutating func flag() throws(CanonicalError) -> Bool {
    let value = try integer(UInt8.self)
    guard value <= 1 else { throw CanonicalError(reason: "a flag is \(value)") }
    return value == 1
  }

  public mutating func data(limit: Int) throws(CanonicalError) -> [UInt8] { Array(try take(try count(limit: limit))) }

  public mutating func string(limit: Int) throws(CanonicalError) -> String {
    guard let value = String(validating: try data(limit: limit), as: UTF8.self) else {
      throw CanonicalError(reason: "a text is not UTF-8")
    }
    return value
  }

  /// Nothing may be left.
  public func end() throws(CanonicalError) {
    guard position == bytes.count else { throw CanonicalError(reason: "\(bytes.count - position) bytes too many") }
  }

  private mutating func take(_ size: Int) throws(CanonicalError) -> ArraySlice<UInt8> {
    guard size <= bytes.count - position else { throw CanonicalError(reason: "cut off") }
    defer { position += size }
    return bytes[position..<position + size]
  }
}
