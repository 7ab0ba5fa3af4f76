// A randomised Hadamard rotation in blocks of 2^k coordinates (spec/12-noised-rounds.md, "Rotation"): random signs, then the Walsh-Hadamard
// matrix over 2^(k/2). It keeps the norm and spreads it over the block, so that a few large coordinates do not set the range of all.
// The signs follow from a public key that nobody can choose an update by.
import Sodium

public struct BlockRotation: Sendable {
  public let blockBits: Int
  /// 2^(−k/2), exact because k is even.
  public let scale: Double
  /// One bit a coordinate, 64 to a word; a set bit is a minus.
  private let signs: [UInt64]

  /// Coordinates of `count` after padding to whole blocks.
  public static func paddedCount(_ count: Int, blockBits: Int) -> Int { ((count + (1 << blockBits) - 1) >> blockBits) << blockBits }

  /// - Parameters:
  ///   - count: a multiple of 2^blockBits.
  ///   - key: 32 bytes.
  public init(blockBits: Int, count: Int, key: [UInt8]) {
    precondition(blockBits.isMultiple(of: 2) && count.isMultiple(of: 1 << blockBits))
    self.blockBits = blockBits
    scale = 1 / Double(1 << (blockBits / 2))
    signs = blockBits == 0 ? [] : BlockRotation.signs(count: count, key: key)
  }

  /// Bits of BLAKE2b-512(key, u64 index), 512 coordinates a hash, each byte's lowest bit first.
  static func signs(count: Int, key: [UInt8]) -> [UInt64] {
    var words: [UInt64] = []
    words.reserveCapacity((count + 511) / 512 * 8)
    for index in 0..<(count + 511) / 512 {
      let message = withUnsafeBytes(of: UInt64(index).bigEndian, Array.init)
      let digest = BLAKE2b.hash(message, key: key, size: 64)
      for start in stride(from: 0, to: 64, by: 8) {
        words.append(digest[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
      }
    }
    return words
  }

  /// Rotates in place.
  public func rotate(_ values: inout [Double]) {
    guard blockBits > 0 else { return }
    flip(&values)
    transform(&values)
    for index in values.indices { values[index] *= scale }
  }

  /// Undoes `rotate` but for the scale, which the caller multiplies with: whole numbers below 2^(53 − k) thereby stay exact.
  public func turnBackUnscaled(_ values: inout [Double]) {
    guard blockBits > 0 else { return }
    transform(&values)
    flip(&values)
  }

  private func flip(_ values: inout [Double]) {
    for index in values.indices where signs[index >> 6] >> UInt64(index & 63) & 1 == 1 { values[index].negate() }
  }

  /// The Walsh-Hadamard transform of each block: sums and differences of coordinates 1, 2, 4, … apart.
  private func transform(_ values: inout [Double]) {
    let size = 1 << blockBits
    values.withUnsafeMutableBufferPointer { values in
      for block in stride(from: 0, to: values.count, by: size) {
        var half = 1
        while half < size {
          for start in stride(from: block, to: block &+ size, by: 2 &* half) {
            let (low, high) = (values.baseAddress! + start, values.baseAddress! + start + half)
            for index in 0..<half {
              let (a, b) = (low[index], high[index])
              low[index] = a + b
              high[index] = a - b
            }
          }
          half &*= 2
        }
      }
    }
  }
}
