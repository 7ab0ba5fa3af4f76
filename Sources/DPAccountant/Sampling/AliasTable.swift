// Walker's alias method (1977) in integers, Vose's construction (1991): a uniform slot and a 16-bit coin choose bin b with probability
// height_b / 2^26 exactly, as heights are integers that sum to 1024 · 2^16. A slot is one 64-bit word, so that a proposal reads once:
//
//   bits 0 ..< 16   threshold: the slot's own bin where coin < threshold, its alias otherwise
//   bits 16 ..< 26  the alias
//   bits 26 ..< 42  the alias's squeeze
//   bits 42 ..< 58  the own bin's squeeze

enum AliasTable {
  static func slots(heights: [UInt64], squeezes: [UInt64]) -> [UInt64] {
    let capacity: UInt64 = 1 << EnvelopeTable.coinBits
    precondition(heights.reduce(0, +) == capacity * UInt64(heights.count), "heights fill the slots exactly")
    var left = heights
    var small = heights.indices.filter { left[$0] < capacity }
    var large = heights.indices.filter { left[$0] >= capacity }
    // A slot that its own bin fills is its own alias: the coin no longer matters.
    var thresholds = [UInt64](repeating: 0, count: heights.count)
    var aliases = Array(heights.indices)
    while let slot = small.popLast() {
      guard let donor = large.last else { preconditionFailure("integers that sum to the capacity leave nothing over") }
      thresholds[slot] = left[slot]
      aliases[slot] = donor
      left[donor] -= capacity - left[slot]
      if left[donor] < capacity {
        large.removeLast()
        small.append(donor)
      }
    }
    return heights.indices.map { slot in
      thresholds[slot] | UInt64(aliases[slot]) << 16 | squeezes[aliases[slot]] << 26 | squeezes[slot] << 42
    }
  }
}
