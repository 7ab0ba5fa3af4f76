// The bounded reader of spec/01-notation-and-encodings.md. It never reads past its bytes, allocates no more than it was given,
// refuses trailing bytes and any order but the canonical one, and never traps: all input is hostile.

package struct ByteReader {
  private let bytes: [UInt8]
  private var position = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

  package mutating func fixed(_ count: Int) throws(Refusal) -> [UInt8] {
    guard count >= 0, count <= remaining else {
      throw Refusal(.malformed, "byte \(position): \(count) bytes are due, \(remaining) are left")
    }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  package mutating func u8() throws(Refusal) -> UInt8 { try integer() }
  package mutating func u16() throws(Refusal) -> UInt16 { try integer() }
  package mutating func u32() throws(Refusal) -> UInt32 { try integer() }
  package mutating func u64() throws(Refusal) -> UInt64 { try integer() }
  package mutating func site() throws(Refusal) -> SiteID { SiteID(try u32()) }
  package mutating func double() throws(Refusal) -> Double { Double(bitPattern: try u64()) }

  package mutating func text8() throws(Refusal) -> String { try text(fixed(Int(u8()))) }
  package mutating func text16() throws(Refusal) -> String { try text(block16()) }
  package mutating func block16() throws(Refusal) -> [UInt8] { try fixed(Int(u16())) }
  package mutating func block32() throws(Refusal) -> [UInt8] { try fixed(Int(u32())) }

  /// A strictly ascending list of sites.
  package mutating func sites() throws(Refusal) -> [SiteID] {
    let sites = try list(elementBytesMin: 4) { reader throws(Refusal) in try reader.site() }
    guard sites.isStrictlyAscending else { throw Refusal(.malformed, "a list of sites is not ascending and distinct") }
    return sites
  }

  /// u16 count, then the elements. The count is compared with the bytes that are left before anything is reserved.
  package mutating func list<Element>(
    elementBytesMin: Int, _ element: (inout ByteReader) throws(Refusal) -> Element
  ) throws(Refusal) -> [Element] {
    let count = Int(try u16())
    guard count * elementBytesMin <= remaining else {
      throw Refusal(.malformed, "byte \(position): a list of \(count) elements in \(remaining) bytes")
    }
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try element(&self)) }
    return elements
  }

  /// Everything must have been read.
  func finish() throws(Refusal) {
    guard remaining == 0 else { throw Refusal(.malformed, "\(remaining) bytes follow the end") }
  }

  private func text(_ bytes: [UInt8]) throws(Refusal) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Refusal(.malformed, "a text is not UTF-8") }
    return text
  }

  private mutating func integer<Value: FixedWidthInteger>() throws(Refusal) -> Value {
    var value: Value = 0
    for byte in try fixed(MemoryLayout<Value>.size) { value = value << 8 | Value(byte) }
    return value
  }
}
