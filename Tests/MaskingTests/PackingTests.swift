// Ring and bit packing: independent vectors, fast paths against the readable reference, and bytes that must be refused
// [MK-01] [MK-02] [MK-03] [MK-05].
import TestSupport
import Testing

@testable import Masking

@Suite struct PackingTests {
  @Test func packsTheIndependentVectors() throws {
    for vector in try MaskingVectors.load().packings {
      #expect(try BitPacking.pack(vector.words, bits: vector.bits) == vector.bytes.bytes, "\(vector.bits) bits")
      #expect(try BitPacking.unpack(vector.bytes.bytes, count: 11, bits: vector.bits) == vector.words)
    }
  }

  @Test(arguments: 1...32)
  func equalsTheReference(_ bits: Int) throws {
    var random = SeededGenerator(seed: UInt64(bits))
    for count in Array(0...70) + [257, 1000] {
      let words = (0..<count).map { _ in UInt32.random(in: 0...UInt32.max, using: &random) & Ring(bits: bits).mask }
      let bytes = try BitPacking.pack(words, bits: bits)
      #expect(bytes == BitPackingReference.pack(words, bits: bits), "\(count) words")
      #expect(BitPackingReference.unpack(bytes, count: count, bits: bits) == words)
      #expect(try BitPacking.unpack(bytes, count: count, bits: bits) == words)
      var total = [UInt32](repeating: UInt32.max, count: count)
      try BitPacking.unpack(([0] + bytes)[1...], bits: bits, addingTo: &total)
      #expect(total == words.map { $0 &- 1 })
    }
  }

  @Test(arguments: 1...32)
  func otherLengthsAreRefused(_ bits: Int) throws {
    for count in [0, 1, 7, 8, 9] {
      let bytes = try BitPacking.pack([UInt32](repeating: 0, count: count), bits: bits)
      #expect(code { _ = try BitPacking.unpack(bytes + [0], count: count, bits: bits) } == .wrongLength)
      if count > 0 {
        #expect(code { _ = try BitPacking.unpack(Array(bytes.dropLast()), count: count, bits: bits) } == .wrongLength)
      }
    }
  }

  @Test(arguments: 1...32)
  func everyPaddingBitIsChecked(_ bits: Int) throws {
    for count in 1...9 where count * bits % 8 != 0 {
      let bytes = try BitPacking.pack([UInt32](repeating: Ring(bits: bits).mask, count: count), bits: bits)
      for bit in (count * bits % 8)..<8 {
        var altered = bytes
        altered[altered.count - 1] |= 1 << UInt8(bit)
        var total = [UInt32](repeating: 4, count: count)
        #expect(code { _ = try BitPacking.unpack(altered, count: count, bits: bits) } == .paddingNotZero)
        #expect(code { try BitPacking.unpack(altered[...], bits: bits, addingTo: &total) } == .paddingNotZero)
        #expect(total.allSatisfy { $0 == 4 }, "a refused vector leaves the sum alone")
      }
    }
  }

  @Test(arguments: 1...31)
  func wordsOutsideTheRingAreRefused(_ bits: Int) {
    for place in [0, 3, 4, 8] {
      var words = [UInt32](repeating: 0, count: 9)
      words[place] = 1 << UInt32(bits)
      #expect(code { _ = try BitPacking.pack(words, bits: bits) } == .wordOutOfRing)
    }
  }

  @Test(arguments: 1...32)
  func theRingIsTheIntegersModuloTwoToTheB(_ bits: Int) {
    let ring = Ring(bits: bits)
    let half = Int64(1) << Int64(bits - 1)
    for value in [-half, -half + 1, -1, 0, half - 1] where value < half {
      #expect(ring.signed(ring.element(value)) == value)
    }
    #expect(ring.signed(ring.element(half)) == -half, "one past the largest wraps")
    var total = [ring.mask, 0, 1]
    ring.add([1, ring.mask, ring.mask], into: &total)
    ring.reduce(&total)
    #expect(total == [0, ring.mask, 0])
    ring.subtract([1, 1, 1], from: &total)
    ring.negate(&total)
    ring.reduce(&total)
    #expect(total == [1, ring.element(2 - Int64(1) << Int64(bits)), 1])
    #expect(ring.contains(total))
  }

  private func code(_ body: () throws -> Void) -> MaskingError.Code? {
    do {
      try body()
      return nil
    } catch { return (error as? MaskingError)?.code }
  }
}
