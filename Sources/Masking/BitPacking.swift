// Packing of ring elements (spec/05-masks.md): element i occupies bits i·b ..< (i + 1)·b of the byte string, where bit k is
// bit k mod 8 of byte k / 8 (little-endian bit order). The unused high bits of the last byte are zero, and checked.

public enum BitPacking {
  /// Bytes of `count` elements of `bits` bits.
  public static func byteCount(count: Int, bits: Int) -> Int {
    precondition(count >= 0 && count <= Int.max / 64 && Ring.bitsRange.contains(bits), "a packed vector has 1 to 32 bits")
    return (count * bits + 7) / 8
  }

  /// Packs words that already lie in the ring.
  /// - Throws: `.wordOutOfRing`: dropping high bits silently would change the sum.
  public static func pack(_ words: [UInt32], bits: Int) throws(MaskingError) -> [UInt8] {
    guard Ring(bits: bits).contains(words) else {
      throw MaskingError(.wordOutOfRing, "a word does not fit \(bits) bits")
    }
    let total = byteCount(count: words.count, bits: bits)
    return [UInt8](unsafeUninitializedCapacity: total) { bytes, filled in
      words.withUnsafeBufferPointer { words in
        if bits == 20 { pack20(words, bytes) } else { packAny(words, bits, bytes, from: 0) }
      }
      filled = total
    }
  }

  /// The words of a packed vector.
  /// - Throws: `.wrongLength`, `.paddingNotZero`.
  public static func unpack(_ bytes: [UInt8], count: Int, bits: Int) throws(MaskingError) -> [UInt32] {
    try check(bytes[...], count: count, bits: bits)
    return [UInt32](unsafeUninitializedCapacity: count) { words, filled in
      // Memory that holds no value yet is set, not added to.
      words.initialize(repeating: 0)
      bytes.withUnsafeBufferPointer { accumulate($0, bits, words) }
      filled = count
    }
  }

  /// total[range] += the words of a packed vector (unreduced), without a vector in between.
  /// - Parameter range: of `total`; all of it where nothing is said.
  /// - Throws: `.wrongLength`, `.paddingNotZero`; `total` is untouched then.
  public static func unpack(
    _ bytes: ArraySlice<UInt8>, bits: Int, addingTo total: inout [UInt32], _ range: Range<Int>? = nil
  ) throws(MaskingError) {
    let range = range ?? total.indices
    precondition(range.lowerBound >= 0 && range.upperBound <= total.count, "the range lies in the vector")
    try check(bytes, count: range.count, bits: bits)
    total.withUnsafeMutableBufferPointer { words in
      bytes.withUnsafeBufferPointer { accumulate($0, bits, UnsafeMutableBufferPointer(rebasing: words[range])) }
    }
  }

  /// Length and padding of a packed vector, before any of it is used.
  public static func check(_ bytes: ArraySlice<UInt8>, count: Int, bits: Int) throws(MaskingError) {
    let expected = byteCount(count: count, bits: bits)
    guard bytes.count == expected else {
      throw MaskingError(.wrongLength, "\(count) words of \(bits) bits take \(expected) bytes, not \(bytes.count)")
    }
    if let last = bytes.last { try checkPadding(last, count: count, bits: bits) }
  }

  /// The padding alone.
  /// - Parameter last: the vector's last byte.
  /// - Throws: `.paddingNotZero`.
  public static func checkPadding(_ last: UInt8, count: Int, bits: Int) throws(MaskingError) {
    let used = count * bits % 8
    if used != 0, last >> UInt8(used) != 0 {
      throw MaskingError(.paddingNotZero, "the last byte has bits beyond the last word")
    }
  }

  private static func accumulate(
    _ bytes: UnsafeBufferPointer<UInt8>, _ bits: Int, _ words: UnsafeMutableBufferPointer<UInt32>
  ) {
    if bits == 20 { unpack20(bytes, words) } else { unpackAny(bytes, bits, words, from: 0) }
  }
}

/// The obvious way, bit by bit: what the fast paths are tested against.
enum BitPackingReference {
  static func pack(_ words: [UInt32], bits: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: BitPacking.byteCount(count: words.count, bits: bits))
    for (index, word) in words.enumerated() {
      for bit in 0..<bits where word >> UInt32(bit) & 1 == 1 {
        let position = index * bits + bit
        bytes[position / 8] |= 1 << UInt8(position % 8)
      }
    }
    return bytes
  }

  static func unpack(_ bytes: [UInt8], count: Int, bits: Int) -> [UInt32] {
    (0..<count).map { index in
      (0..<bits).reduce(UInt32(0)) { word, bit in
        let position = index * bits + bit
        return word | UInt32(bytes[position / 8] >> UInt8(position % 8) & 1) << UInt32(bit)
      }
    }
  }
}
