// The protocol's own encoding (spec/01-notation-and-encodings.md): fixed-width big-endian integers and length-prefixed strings.
// One value has one encoding, because the bytes are what is hashed and signed.

package struct ByteWriter {
  package private(set) var bytes: [UInt8] = []

  package mutating func u8(_ value: UInt8) { bytes.append(value) }
  package mutating func u16(_ value: UInt16) { integer(value) }
  package mutating func u32(_ value: UInt32) { integer(value) }
  package mutating func u64(_ value: UInt64) { integer(value) }
  package mutating func site(_ site: SiteID) { u32(site.rawValue) }

  /// The IEEE 754 bit pattern.
  package mutating func double(_ value: Double) { u64(value.bitPattern) }

  /// Bytes whose length the format fixes.
  package mutating func fixed(_ value: [UInt8]) { bytes += value }

  /// u8 length ‖ UTF-8.
  package mutating func text8(_ text: String) {
    let utf8 = Array(text.utf8)
    precondition(utf8.count <= 255, "a short text has at most 255 bytes")
    u8(UInt8(utf8.count))
    bytes += utf8
  }

  /// u16 length ‖ UTF-8.
  package mutating func text16(_ text: String) { block16(Array(text.utf8)) }

  /// u16 length ‖ bytes.
  package mutating func block16(_ value: [UInt8]) {
    precondition(value.count <= UInt16.max, "a block has at most 65,535 bytes")
    u16(UInt16(value.count))
    bytes += value
  }

  /// u32 length ‖ bytes.
  package mutating func block32(_ value: [UInt8]) {
    precondition(value.count <= UInt32.max, "a block has less than 2^32 bytes")
    u32(UInt32(value.count))
    bytes += value
  }

  /// u16 count ‖ u32 each.
  package mutating func sites(_ sites: [SiteID]) {
    count16(sites.count)
    for site in sites { self.site(site) }
  }

  package mutating func count16(_ count: Int) {
    precondition(count <= UInt16.max, "a list has at most 65,535 elements")
    u16(UInt16(count))
  }

  private mutating func integer(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
}
