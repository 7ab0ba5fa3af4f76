// The fast sampler's table against its definition in exact integers, with the density at twice the precision that built it: heights,
// squeezes, alias shares, lines and tail.
import GMP
import Testing

@testable import DPAccountant

@Suite struct EnvelopeTableTests {
  private static let cases: [(NoiseSampler.Distribution, String)] = [
    (.discreteGaussian, "1/16"), (.discreteGaussian, "4/3"), (.discreteGaussian, "16384"), (.discreteGaussian, "16385"),
    (.discreteGaussian, "1000000"), (.discreteGaussian, "1208925819614629174706176"), (.skellam, "1/16"), (.skellam, "16384"),
    (.skellam, "1000000"), (.skellam, "1152921504606846976"),
  ]
  private let precision = 256

  private func make(_ distribution: NoiseSampler.Distribution, _ variance: String) throws -> NoiseSampler {
    try NoiseSampler(distribution, variance: Rational(decimal: variance))
  }

  /// The sampler's density, prepared for this precision.
  private func precise(_ sampler: NoiseSampler) -> any LatticeDensity {
    guard sampler.distribution == .skellam else { return sampler.density }
    return SkellamDensity(variance: sampler.variance, reach: BigInteger(1025) << sampler.table.widthBits, bits: precision)
  }

  /// Bounds of f, of half of f(0) where a bin is one magnitude.
  private func bounds(_ density: any LatticeDensity, _ sampler: NoiseSampler, _ magnitude: BigInteger) -> Enclosure {
    let bounds = density.bounds(magnitude, bits: precision - 1)
    let isHalved = magnitude.isZero && sampler.table.widthBits == 0
    return isHalved ? bounds : Enclosure(lower: bounds.lower << 1, upper: bounds.upper << 1)
  }

  /// [NS-22]
  @Test(arguments: cases) func sharesOfTheSlotsSumToTheHeights(_ distribution: NoiseSampler.Distribution, _ variance: String) throws {
    let table = try make(distribution, variance).table
    var shares = [UInt64](repeating: 0, count: 1024)
    for (slot, entry) in table.slots.enumerated() {
      let threshold = entry & 0xffff
      let alias = Int(entry >> 16 & 1023)
      shares[slot] += threshold
      shares[alias] += 65536 - threshold
      #expect(entry >> 26 & 0xffff == table.squeezes[alias])
      #expect(entry >> 42 == table.squeezes[slot])
    }
    #expect(shares == table.heights)
    #expect(shares.reduce(0, +) == 1 << 26)
    #expect(shares.allSatisfy { $0 > 0 })
  }

  /// [NS-21]
  @Test(arguments: cases) func heightsAndSqueezesAreExact(_ distribution: NoiseSampler.Distribution, _ variance: String) throws {
    let sampler = try make(distribution, variance)
    let table = sampler.table
    let density = precise(sampler)
    let scale = BigInteger(UInt(table.scale))
    var total = BigInteger(0)
    for bin in stride(from: 0, to: 1023, by: 1) {
      let start = bounds(density, sampler, BigInteger(bin) << table.widthBits)
      let height = BigInteger(UInt(table.heights[bin]))
      total = total + start.upper
      #expect(scale * start.upper <= height << precision, "bin \(bin): below the density")
      #expect(scale * start.lower > (height - BigInteger(1)) << precision || height == BigInteger(1), "bin \(bin): not the ceiling")
      let least = table.widthBits == 0 ? start : bounds(density, sampler, BigInteger(bin + 1) << table.widthBits)
      let squeeze = BigInteger(UInt(table.squeezes[bin]))
      #expect((squeeze * height) << precision <= (scale * least.lower) << 16, "bin \(bin): accepts too much")
      let isFloor = ((squeeze + BigInteger(1)) * height) << precision > (scale * least.upper) << 16
      #expect(isFloor || table.squeezes[bin] == 65535, "bin \(bin): not the floor")
    }
    let room = BigInteger((1 << 26) - 1024) << precision
    #expect(scale * total <= room + scale * BigInteger(1024))
    #expect((scale + BigInteger(1)) * total > room)
    #expect(table.squeezes[1023] == 0)
  }

  /// [NS-24]
  @Test(arguments: cases.filter { $0.1.count > 4 }) func linesEncloseTheAcceptance(
    _ distribution: NoiseSampler.Distribution, _ variance: String
  ) throws {
    let sampler = try make(distribution, variance)
    let table = sampler.table
    let density = precise(sampler)
    var generator = Sequence64(state: 7)
    var gaps = 0.0
    for bin in stride(from: 0, to: 1023, by: 11) {
      for offset in [0, 1, generator.next(), UInt64.max].map({ $0 & (1 << UInt64(table.widthBits) - 1) }) {
        let magnitude = (BigInteger(bin) << table.widthBits) + BigInteger(UInt(offset))
        let lines = table.lines[bin].bounds(offset: offset, widthBits: table.widthBits)
        let exact = bounds(density, sampler, magnitude)
        let height = BigInteger(UInt(table.heights[bin]))
        let scale = BigInteger(UInt(table.scale))
        #expect((BigInteger(UInt(lines.lower)) * height) << precision <= (scale * exact.lower) << 64)
        let top = (BigInteger(UInt(lines.upper)) * height) << precision
        #expect(top >= (scale * exact.upper) << 64 || lines.upper == .max)
        gaps += Double(lines.upper - lines.lower) * 0x1p-64 * Double(table.heights[bin])
      }
    }
    // Weighted by the heights: how often a density must be computed, once in 2,000 proposals at the most.
    #expect(gaps * 11 / 4 * 0x1p-26 < 1 / 2000.0)
  }

  /// [NS-26]
  @Test(arguments: cases) func theTailIsThin(_ distribution: NoiseSampler.Distribution, _ variance: String) throws {
    let sampler = try make(distribution, variance)
    let density = precise(sampler)
    let start = bounds(density, sampler, BigInteger(1023) << sampler.table.widthBits)
    #expect(start.upper << 4 <= BigInteger(1) << precision)
    #expect((start.upper * BigInteger(UInt(sampler.table.scale))) << 19 <= BigInteger(1) << precision)
    #expect(bounds(density, sampler, BigInteger(1)).lower << 4 > BigInteger(1) << (precision - 12))
  }

  @Test func binsAreAboutAHundredthOfSigma() throws {
    for (variance, width) in [("1/16", 0), ("16384", 0), ("16385", 1), ("65536", 1), ("65537", 2), ("1000000", 3)] {
      #expect(EnvelopeTable.widthBits(variance: try Rational(decimal: variance)) == width)
    }
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014): a test's own numbers.
struct Sequence64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}
