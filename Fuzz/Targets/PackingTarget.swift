// Packed vectors (spec/05): the fast paths against the definition, bit by bit.
import Masking

struct PackingTarget: Target {
  static let name = "packing"

  func run(_ input: [UInt8]) {
    var source = Source(input)
    let bits = 1 + source.below(32)
    let count = source.below(300)
    var bytes = source.rest()
    // Half of the inputs are made to have the right length.
    if bits & 1 == count & 1 {
      bytes = Array((bytes + [UInt8](repeating: 0, count: 1200)).prefix(BitPacking.byteCount(count: count, bits: bits)))
    }
    let isRight = isPacked(bytes, count, bits)
    require(((try? BitPacking.check(bytes[...], count: count, bits: bits)) != nil) == isRight, "length or padding misjudged")
    let words = try? BitPacking.unpack(bytes, count: count, bits: bits)
    require((words != nil) == isRight, "unpacked what is not packed, or refused what is")
    // In the middle of a larger buffer, as the server has it.
    let framed = [0xa5, 0x5a, 0xff] + bytes + [0xc3]
    var total = [UInt32](repeating: 0xdead_beef, count: count)
    let before = total
    let isAdded = (try? BitPacking.unpack(framed[3..<3 + bytes.count], bits: bits, addingTo: &total)) != nil
    require(isAdded == isRight, "the two unpackings disagree")
    guard let words else { return require(total == before, "a refused vector left a trace") }
    for (index, word) in words.enumerated() {
      require(word == slowWord(bytes, index, bits), "word \(index) of \(bits) bits")
      require(total[index] == 0xdead_beef &+ word, "word \(index) of \(bits) bits, added")
    }
    require((try? BitPacking.pack(words, bits: bits)) == bytes, "packed words are others")
    guard bits < 32, count > 0 else { return }
    var wide = words
    wide[count / 2] |= 1 << UInt32(bits)
    require((try? BitPacking.pack(wide, bits: bits)) == nil, "a word that does not fit was packed")
  }

  private func isPacked(_ bytes: [UInt8], _ count: Int, _ bits: Int) -> Bool {
    guard bytes.count == (count * bits + 7) / 8 else { return false }
    return (count * bits..<bytes.count * 8).allSatisfy { bytes[$0 / 8] >> UInt8($0 % 8) & 1 == 0 }
  }

  private func slowWord(_ bytes: [UInt8], _ index: Int, _ bits: Int) -> UInt32 {
    (0..<bits).reduce(0) { word, bit in
      let place = index * bits + bit
      return word | UInt32(bytes[place / 8] >> UInt8(place % 8) & 1) << UInt32(bit)
    }
  }

  func seeds() -> [[UInt8]] {
    let shapes: [(bits: Int, count: Int)] = [
      (20, 0), (20, 1), (20, 3), (20, 4), (20, 17), (20, 64), (1, 9), (7, 33), (32, 5), (31, 6), (8, 8),
    ]
    return shapes.map { shape in
      var seed: [UInt8] = [UInt8(shape.bits - 1), 0, UInt8(shape.count)]
      for index in 0..<(shape.count * shape.bits + 7) / 8 { seed.append(UInt8(truncatingIfNeeded: index &* 37)) }
      return seed
    }
  }
}
