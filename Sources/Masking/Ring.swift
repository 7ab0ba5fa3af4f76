// The ring Z_2^b in 32-bit words (spec/05-masks.md). Words hold any 32-bit value in between, because 2^b divides 2^32:
// sums wrap freely and are reduced to the low b bits once, at the end.

/// Integers modulo 2^bits, 1 ≤ bits ≤ 32.
public struct Ring: Hashable, Sendable {
  public static let bitsRange = 1...32

  public let bits: Int

  /// - Precondition: `bits` in 1 ... 32. Outside data is compared with `bitsRange` first.
  public init(bits: Int) {
    precondition(Ring.bitsRange.contains(bits), "a ring has 1 to 32 bits")
    self.bits = bits
  }

  /// The low `bits` bits.
  public var mask: UInt32 { UInt32.max >> UInt32(32 - bits) }

  public func reduce(_ word: UInt32) -> UInt32 { word & mask }

  /// The ring element of a signed integer.
  public func element(_ value: Int64) -> UInt32 { UInt32(truncatingIfNeeded: value) & mask }

  /// The representative in −2^(b−1) ..< 2^(b−1).
  public func signed(_ word: UInt32) -> Int64 {
    let shift = UInt32(32 - bits)
    return Int64(Int32(bitPattern: word << shift) >> Int32(shift))
  }

  /// total += addend, unreduced.
  public func add(_ addend: [UInt32], into total: inout [UInt32]) {
    precondition(addend.count == total.count, "vectors of one length")
    combine(&total, addend) { $0 &+ $1 }
  }

  /// total −= subtrahend, unreduced.
  public func subtract(_ subtrahend: [UInt32], from total: inout [UInt32]) {
    precondition(subtrahend.count == total.count, "vectors of one length")
    combine(&total, subtrahend) { $0 &- $1 }
  }

  public func negate(_ words: inout [UInt32]) {
    for index in words.indices { words[index] = 0 &- words[index] }
  }

  /// Keeps the low b bits of every word.
  public func reduce(_ words: inout [UInt32]) {
    let low = mask
    words.withUnsafeMutableBufferPointer { buffer in
      for index in buffer.indices { buffer[index] &= low }
    }
  }

  /// Whether every word is below 2^b.
  public func contains(_ words: [UInt32]) -> Bool {
    words.withUnsafeBufferPointer { $0.reduce(0, |) } & ~mask == 0
  }

  @inline(__always)
  private func combine(_ left: inout [UInt32], _ right: [UInt32], _ operation: (UInt32, UInt32) -> UInt32) {
    left.withUnsafeMutableBufferPointer { left in
      right.withUnsafeBufferPointer { right in
        for index in left.indices { left[index] = operation(left[index], right[index]) }
      }
    }
  }
}
