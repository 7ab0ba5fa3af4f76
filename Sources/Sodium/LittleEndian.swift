// Comparison of little-endian integers without data-dependent branches: canonical checks also see secrets.

enum LittleEndian {
  /// Whether `value` < `bound`; equal lengths.
  static func isBelow(_ value: UnsafeBufferPointer<UInt8>, _ bound: [UInt8]) -> Bool {
    precondition(value.count == bound.count, "lengths are compared before values")
    var borrow: Int32 = 0
    for index in 0..<bound.count {
      // Subtraction with borrow from the lowest byte up; the last borrow says "below".
      borrow = ((Int32(value[index]) - Int32(bound[index]) - borrow) >> 8) & 1
    }
    return borrow == 1
  }

  static func isBelow(_ value: [UInt8], _ bound: [UInt8]) -> Bool {
    value.withUnsafeBufferPointer { isBelow($0, bound) }
  }
}
