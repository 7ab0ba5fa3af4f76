// CRC-32 as zip has it (ISO 3309, reflected polynomial EDB88320), eight bytes a step: a checkpoint of 350 MB takes a quarter of a
// second, byte by byte it took one.

/// CRC-32 of `bytes`.
func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
  bytes.withUnsafeBytes { raw in
    checksumTable.withUnsafeBufferPointer { table in
      var crc: UInt32 = ~0
      var position = 0
      while raw.count - position >= 8 {
        let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)) ^ UInt64(crc)
        crc = 0
        for lane in 0..<8 { crc ^= table[(7 - lane) << 8 | Int(truncatingIfNeeded: word >> (8 * UInt64(lane)) & 0xff)] }
        position += 8
      }
      while position < raw.count {
        crc = crc >> 8 ^ table[Int((crc ^ UInt32(raw[position])) & 0xff)]
        position += 1
      }
      return ~crc
    }
  }
}

/// `[lane << 8 | byte]`: the remainder of `byte` followed by `lane` zero bytes.
private let checksumTable: [UInt32] = {
  var table = [UInt32](repeating: 0, count: 8 * 256)
  for byte in 0..<256 {
    var remainder = UInt32(byte)
    for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xedb8_8320 : remainder >> 1 }
    table[byte] = remainder
  }
  for index in 256..<(8 * 256) { table[index] = table[index - 256] >> 8 ^ table[Int(table[index - 256] & 0xff)] }
  return table
}()
