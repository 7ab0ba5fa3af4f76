// Numbers of a zip archive. Invariant: no read leaves the bytes, whatever the position.

extension [UInt8] {
  /// The unsigned number of `size` (at most 8) little-endian bytes at `position`; nil outside, or if it does not fit `Int`.
  func number(at position: Int, size: Int) -> Int? {
    guard position >= 0, size <= count, position <= count - size else { return nil }
    var value: UInt64 = 0
    for index in (0..<size).reversed() { value = value << 8 | UInt64(self[position + index]) }
    return Int(exactly: value)
  }
}
