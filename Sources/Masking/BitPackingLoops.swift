// The loops of BitPacking. Any width: a 64-bit window of pending bits. 20 bits, the default: two words are five bytes, so
// four words are two overlapping 64-bit accesses.

extension BitPacking {
  static func packAny(
    _ words: UnsafeBufferPointer<UInt32>, _ bits: Int, _ bytes: UnsafeMutableBufferPointer<UInt8>, from first: Int
  ) {
    var pending: UInt64 = 0
    var held = 0
    var position = first * bits / 8
    for index in first..<words.count {
      pending |= UInt64(words[index]) << UInt64(held)
      held += bits
      while held >= 8 {
        bytes[position] = UInt8(truncatingIfNeeded: pending)
        position += 1
        pending >>= 8
        held -= 8
      }
    }
    if held > 0 { bytes[position] = UInt8(truncatingIfNeeded: pending) }
  }

  static func unpackAny(
    _ bytes: UnsafeBufferPointer<UInt8>, _ bits: Int, _ words: UnsafeMutableBufferPointer<UInt32>, from first: Int
  ) {
    let low = UInt64(Ring(bits: bits).mask)
    var pending: UInt64 = 0
    var held = 0
    var position = first * bits / 8
    for index in first..<words.count {
      while held < bits {
        pending |= UInt64(bytes[position]) << UInt64(held)
        position += 1
        held += 8
      }
      words[index] &+= UInt32(truncatingIfNeeded: pending & low)
      pending >>= UInt64(bits)
      held -= bits
    }
  }

  // Four words are ten bytes, stored as eight and then two, so that no store reaches past the words' own bytes.
  static func pack20(_ words: UnsafeBufferPointer<UInt32>, _ bytes: UnsafeMutableBufferPointer<UInt8>) {
    let groups = words.count / 4
    if groups > 0, let source = words.baseAddress, let base = bytes.baseAddress {
      let target = UnsafeMutableRawPointer(base)
      for group in 0..<groups {
        let word = source + 4 &* group
        let (a, b, c, d) = (UInt64(word[0]), UInt64(word[1]), UInt64(word[2]), UInt64(word[3]))
        let low = a | b &<< 20 | c &<< 40 | d &<< 60
        let high = UInt16(truncatingIfNeeded: d &>> 4)
        target.storeBytes(of: low.littleEndian, toByteOffset: 10 &* group, as: UInt64.self)
        target.storeBytes(of: high.littleEndian, toByteOffset: 10 &* group &+ 8, as: UInt16.self)
      }
    }
    packAny(words, 20, bytes, from: 4 * groups)
  }

  static func unpack20(_ bytes: UnsafeBufferPointer<UInt8>, _ words: UnsafeMutableBufferPointer<UInt32>) {
    let groups = words.count / 4
    if groups > 0, let base = bytes.baseAddress, let target = words.baseAddress {
      let source = UnsafeRawPointer(base)
      for group in 0..<groups {
        let low = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: 10 &* group, as: UInt64.self))
        let high = UInt64(UInt16(littleEndian: source.loadUnaligned(fromByteOffset: 10 &* group &+ 8, as: UInt16.self)))
        let word = target + 4 &* group
        word[0] &+= UInt32(truncatingIfNeeded: low) & 0xfffff
        word[1] &+= UInt32(truncatingIfNeeded: low &>> 20) & 0xfffff
        word[2] &+= UInt32(truncatingIfNeeded: low &>> 40) & 0xfffff
        word[3] &+= UInt32(truncatingIfNeeded: low &>> 60 | high &<< 4)
      }
    }
    unpackAny(bytes, 20, words, from: 4 * groups)
  }
}
