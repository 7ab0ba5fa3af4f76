// The probabilities that the fast sampler's code has, found by walking its decisions: for a magnitude, the bits of the uniform number at
// which `decide` changes its mind are searched 112 bits deep, far past where it begins to compute the density. Height × that threshold is
// the probability up to a constant, and is compared with probabilities at 40 and 50 digits.
import Foundation
import GMP
import Sodium
import TestSupport
import Testing

@testable import DPAccountant

/// Words that a test wrote down, then zeros.
struct ScriptedSource: RandomSource {
  var words: [UInt64]
  private(set) var used = 0

  init(_ words: [UInt64]) { self.words = words }

  mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
    precondition(bytes.count == 8, "a decision draws words")
    bytes.storeBytes(of: (used < words.count ? words[used] : 0).littleEndian, as: UInt64.self)
    used += 1
  }
}

/// The first U, in units of 2^−128, that is refused; the numbers below are accepted.
func threshold(_ sampler: NoiseSampler, bin: Int, magnitude: UInt64, tail: [UInt64] = []) -> BigInteger {
  var bits: [Bool] = []
  for _ in 0..<128 {
    var digits = [UInt64](repeating: 0, count: 2)
    for (index, bit) in (bits + [true]).enumerated() where bit { digits[index / 64] |= 1 << UInt64(63 - index % 64) }
    let proposal = Proposal(bin: UInt64(bin), magnitude: magnitude, isNegative: false, level: digits[0] >> 48)
    // The word after the level gives 48 bits; further words follow what the tail draws.
    var source = ScriptedSource([digits[0] << 16] + tail + [digits[1]])
    bits.append(sampler.decide(proposal, &source) != nil)
  }
  return bits.reduce(BigInteger(0)) { ($0 << 1) + BigInteger($1 ? 1 : 0) } + BigInteger(1)
}

@Suite struct ExactProbabilityTests {
  struct Row: Decodable { let distribution: String, variance: String, pmf: [String: String] }

  private func rows() throws -> [Row] {
    try JSONDecoder().decode([Row].self, from: Data(contentsOf: URL(fileURLWithPath: vectorPath("noise-pmf.json"))))
  }

  /// [NS-25] [NS-20]
  @Test func decisionsHaveTheProbabilitiesOfTheDistribution() throws {
    var compared = 0
    for row in try rows() {
      let distribution = try #require(NoiseSampler.Distribution(rawValue: row.distribution))
      let sampler = try NoiseSampler(distribution, variance: Rational(decimal: row.variance))
      let width = sampler.table.widthBits
      // P(m) = height · U / constant for a U between the last number that is accepted and the first that is not: every magnitude gives
      // bounds of the constant, and all of them must have one in common.
      var (lowest, highest) = ([Rational](), [Rational]())
      for (place, text) in row.pmf {
        let magnitude = try #require(UInt64(place))
        let bin = Int(magnitude >> UInt64(width))
        guard bin < 1023 else { continue }
        let refused = threshold(sampler, bin: bin, magnitude: magnitude)
        // Where a bin is one magnitude, zero comes with both signs.
        let height = BigInteger(UInt(sampler.table.heights[bin])) << (magnitude == 0 && width == 0 ? 1 : 0)
        let probability = try fraction(text)
        lowest.append(try Rational(height * (refused - BigInteger(1))).divided(by: probability))
        highest.append(try Rational(height * refused).divided(by: probability))
        compared += 1
      }
      let floor = try #require(lowest.max())
      let ceiling = try #require(highest.min())
      // The vectors are rounded at their 40th digit or later.
      #expect(floor <= ceiling * (try fraction("1.000000000000000000000000000000000000001")), "\(row.variance)")
    }
    #expect(compared > 100)
  }

  /// [NS-26]
  @Test func theTailHasTheProbabilitiesOfTheDistribution() throws {
    for distribution in NoiseSampler.Distribution.allCases {
      let sampler = try NoiseSampler(distribution, variance: Rational(1_000_000))
      let width = sampler.table.widthBits
      let heights = sampler.table.heights.map { BigInteger(UInt($0)) }
      for (block, offset) in [(0, 0), (0, 1), (0, 700), (0, 8191), (1, 0), (1, 5)] as [(Int, UInt64)] {
        let words = [UInt64](repeating: 1, count: block) + [0, offset << UInt64(54 - width)]
        let refused = threshold(sampler, bin: 1023, magnitude: 1023 << UInt64(width), tail: words)
        let magnitude = BigInteger(1023 << width) + (BigInteger(block) << (10 + width)) + BigInteger(UInt(offset))
        let bounds = sampler.density.bounds(magnitude, bits: 300)
        // Proposed with height / 2^(block + 1 + 10 + j), where a magnitude in a bin has height / 2^j.
        let scale = BigInteger(UInt(sampler.table.scale)) << (128 + block + 11)
        #expect((heights[1023] * refused) << 300 >= scale * bounds.lower, "\(distribution) block \(block) offset \(offset)")
        #expect((heights[1023] * (refused - BigInteger(1))) << 300 <= scale * bounds.upper)
        #expect(refused > BigInteger(1) || block > 0 || offset > 700)
      }
    }
  }

  @Test func aNegativeZeroIsRefusedWhereItIsASecondZero() throws {
    let wide = try NoiseSampler(.discreteGaussian, variance: Rational(1_000_000))
    let narrow = try NoiseSampler(.discreteGaussian, variance: Rational(1))
    let proposal = Proposal(bin: 0, magnitude: 0, isNegative: true, level: 0)
    var source = ScriptedSource([0])
    #expect(wide.decide(proposal, &source) == nil)
    #expect(source.used == 0)
    #expect(narrow.decide(proposal, &source) == 0)
  }

  /// Where the two bounds of a density do not decide, further words are drawn, and no more than needed.
  @Test func onlyTheBitsThatAreNeededAreDrawn() throws {
    let sampler = try NoiseSampler(.discreteGaussian, variance: Rational(1_000_000))
    let exact = threshold(sampler, bin: 100, magnitude: 804)
    let (first, second) = (exact >> 64, exact - ((exact >> 64) << 64))
    let low = try #require(second.unsigned)
    for (words, uses) in [([0, 0], 1), ([low - 1, 2], 3), ([low, 2], 2), ([low - 2, 2], 2)] as [([UInt], Int)] {
      let leading = uses == 1 ? 0 : UInt64(first.unsigned ?? 0)
      var source = ScriptedSource([leading << 16] + words.map(UInt64.init))
      _ = sampler.decide(Proposal(bin: 100, magnitude: 804, isNegative: false, level: leading >> 48), &source)
      #expect(source.used == uses)
    }
  }
}
