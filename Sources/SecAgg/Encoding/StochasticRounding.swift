// Unbiased rounding to the grid (spec/04-quantisation-and-wrap-bound.md): ⌊x⌋ or ⌊x⌋ + 1 with the probabilities that make the
// mean x. Sums of many sites keep no bias, which rounding to nearest would leave where changes are below one grid step.
import Masking
import Sodium

/// B and the ring for one section.
struct RoundingGrid {
  let ring: Ring
  /// B.
  let bound: Double

  init(bits: Int, sites: Int) {
    ring = Ring(bits: bits)
    bound = Double(EncodingParameters.bound(bits: bits, sites: sites))
  }
}

struct StochasticRounding {
  private(set) var saturated = 0

  /// One value in −1 ... 1 (clamped, and counted) as a ring element of magnitude at most B.
  @inline(__always)
  mutating func quantise(_ value: Double, _ grid: RoundingGrid, _ random: inout some RandomNumberGenerator) -> UInt32 {
    var value = value
    if value > 1 {
      value = 1
      saturated += 1
    } else if value < -1 {
      value = -1
      saturated += 1
    }
    let scaled = value * grid.bound
    // Truncation and a correction: floor without a call into libm.
    var whole = Int64(scaled)
    if Double(whole) > scaled { whole -= 1 }
    let fraction = scaled - Double(whole)
    let uniform = Double(random.next() >> 11) * 0x1p-53
    if uniform < fraction { whole += 1 }
    return grid.ring.element(whole)
  }

  /// factor·(local − global)/scale for every coordinate, scale = max(1, |global|) where `relative`.
  mutating func quantise(
    _ local: [Float], _ global: [Float], factor: Double, relative: Bool, _ grid: RoundingGrid,
    _ random: inout some RandomNumberGenerator
  ) throws(EncodingError) -> [UInt32] {
    precondition(local.count == global.count, "the caller compared the lengths")
    var words = [UInt32](repeating: 0, count: local.count)
    for index in local.indices {
      let base = Double(global[index])
      let change = Double(local[index]) - base
      // NaN and infinity of either vector end here.
      guard change.isFinite else { throw EncodingError(.notFinite, "coordinate \(index) is not a finite number") }
      let scale = relative ? max(1, abs(base)) : 1
      words[index] = quantise(factor * change / scale, grid, &random)
    }
    return words
  }
}

/// Random bits for tens of millions of coordinates: 64 KiB at a time, each expanded from a fresh seed of the operating system
/// (`RandomBytes.expand`).
public struct BufferedRandomSource: RandomNumberGenerator {
  private var words = [UInt64](repeating: 0, count: 8_192)
  private var position: Int

  public init() { position = words.count }

  public mutating func next() -> UInt64 {
    if position == words.count {
      RandomBytes.expand(into: &words)
      position = 0
    }
    defer { position += 1 }
    return words[position]
  }
}
