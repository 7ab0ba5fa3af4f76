// Writes what spec/01 encodes: the counterpart of ByteInput, for hashes that the auditor computes again and for what sites sign.

struct ByteOutput {
  private(set) var bytes: [UInt8] = []

  mutating func fixed(_ value: [UInt8]) { bytes += value }
  mutating func u8(_ value: UInt8) { bytes.append(value) }
  mutating func u16(_ value: Int) { integer(UInt16(clamping: value)) }
  mutating func u32(_ value: UInt32) { integer(value) }
  mutating func u64(_ value: UInt64) { integer(value) }

  mutating func block32(_ value: [UInt8]) {
    u32(UInt32(clamping: value.count))
    bytes += value
  }

  mutating func sites(_ sites: [UInt32]) {
    u16(sites.count)
    for site in sites { u32(site) }
  }

  /// Text or data of a record.
  mutating func recordText(_ value: String) { block32(Array(value.utf8)) }
  mutating func recordData(_ value: [UInt8]) { block32(value) }
  mutating func double(_ value: Double) { u64(value == 0 ? 0 : value.bitPattern) }

  private mutating func integer(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
}

/// `secagg/v1/NAME` and a zero byte (SA-101).
func protocolLabel(_ name: String) -> [UInt8] { Array("secagg/v1/\(name)".utf8) + [0] }
