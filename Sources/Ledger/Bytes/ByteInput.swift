// Reads the bytes that the protocol signed (spec/01-notation-and-encodings.md): plans and sets with their short lengths, records with
// long ones. All input is hostile: a read never passes the end, reserves no more than is there, and never traps.

/// Why bytes are not the encoding of what they should be.
struct EncodingFault: Error, Equatable {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

struct ByteInput {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

  mutating func fixed(_ count: Int) throws(EncodingFault) -> [UInt8] {
    guard count >= 0, count <= remaining else { throw EncodingFault("cut off at byte \(position)") }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type = Value.self) throws(EncodingFault) -> Value {
    let count = Value.bitWidth / 8
    guard count <= remaining else { throw EncodingFault("cut off at byte \(position)") }
    var value: Value = 0
    for index in position..<position + count { value = value << 8 | Value(bytes[index]) }
    position += count
    return value
  }

  mutating func u8() throws(EncodingFault) -> Int { Int(try integer(UInt8.self)) }
  mutating func u16() throws(EncodingFault) -> Int { Int(try integer(UInt16.self)) }
  mutating func u32() throws(EncodingFault) -> Int { Int(try integer(UInt32.self)) }
  mutating func u64() throws(EncodingFault) -> UInt64 { try integer() }

  /// A finite double; a record has no −0.
  mutating func double() throws(EncodingFault) -> Double {
    let value = Double(bitPattern: try u64())
    guard value.isFinite, !(value == 0 && value.sign == .minus) else { throw EncodingFault("a number is not finite and canonical") }
    return value
  }

  mutating func block16() throws(EncodingFault) -> [UInt8] { try fixed(u16()) }
  mutating func block32() throws(EncodingFault) -> [UInt8] { try fixed(u32()) }
  mutating func text8() throws(EncodingFault) -> String { try text(fixed(u8())) }
  mutating func text16() throws(EncodingFault) -> String { try text(block16()) }

  /// u16 count, then sites in strictly ascending order.
  mutating func sites() throws(EncodingFault) -> [UInt32] {
    let count = try u16()
    guard 4 * count <= remaining else { throw EncodingFault("a list of \(count) sites in \(remaining) bytes") }
    var sites: [UInt32] = []
    sites.reserveCapacity(count)
    for _ in 0..<count {
      let site: UInt32 = try integer()
      if let last = sites.last, last >= site { throw EncodingFault("a list of sites is not ascending") }
      sites.append(site)
    }
    return sites
  }

  /// Nothing may be left.
  func end() throws(EncodingFault) {
    guard remaining == 0 else { throw EncodingFault("\(remaining) bytes follow the end") }
  }

  private func text(_ bytes: [UInt8]) throws(EncodingFault) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw EncodingFault("a text is not UTF-8") }
    return text
  }
}

// MARK: records, whose lengths and counts are u32

extension ByteInput {
  /// Begins a record.
  init(record bytes: [UInt8], label: String, bytesMax: Int) throws(EncodingFault) {
    guard bytes.count <= bytesMax else { throw EncodingFault("a record of \(bytes.count) bytes") }
    self.init(bytes)
    guard try recordText(64) == label else { throw EncodingFault("the record does not begin with \(label)") }
  }

  mutating func count(_ limit: Int) throws(EncodingFault) -> Int {
    let count = try u32()
    guard count <= limit else { throw EncodingFault("a count of \(count) is above \(limit)") }
    return count
  }

  mutating func recordData(_ limit: Int) throws(EncodingFault) -> [UInt8] { try fixed(count(limit)) }
  mutating func recordText(_ limit: Int) throws(EncodingFault) -> String { try text(recordData(limit)) }

  mutating func flag() throws(EncodingFault) -> Bool {
    let value = try u8()
    guard value <= 1 else { throw EncodingFault("a flag is \(value)") }
    return value == 1
  }
}
