// The fast sampler's doors: what it refuses, and that pieces, widths of integers and threads' own sources change nothing.
import GMP
import Sodium
import Testing

@testable import DPAccountant

@Suite struct NoiseSamplerTests {
  @Test func variancesOutsideTheRangeAreRefused() throws {
    let tooLarge = BigInteger.powerOfTwo(100) + BigInteger(1)
    let wideDenominator = try Rational(BigInteger.powerOfTwo(513) + BigInteger(1), BigInteger.powerOfTwo(512))
    for variance in [Rational(0), Rational(-1), try Rational(decimal: "1/17"), Rational(tooLarge), wideDenominator] {
      for distribution in NoiseSampler.Distribution.allCases {
        #expect(throws: AccountingError.self) { _ = try NoiseSampler(distribution, variance: variance) }
      }
    }
    #expect(throws: AccountingError.self) {
      _ = try NoiseSampler(.skellam, variance: Rational(BigInteger.powerOfTwo(80) + BigInteger(1)))
    }
    for (distribution, bits) in [(.discreteGaussian, 100), (.skellam, 80)] as [(NoiseSampler.Distribution, UInt)] {
      _ = try NoiseSampler(distribution, variance: Rational(BigInteger.powerOfTwo(bits)))
      _ = try NoiseSampler(distribution, variance: try Rational(decimal: "1/16"))
    }
  }

  @Test func theReadableSamplersRefuseWhatTheyCannotDo() throws {
    for variance in [Rational(0), Rational(-3)] {
      #expect(throws: AccountingError.self) { _ = try ReferenceGaussian(variance: variance) }
      #expect(throws: AccountingError.self) { _ = try ReferenceSkellam(variance: variance) }
    }
    do {
      _ = try ReferenceSkellam(variance: Rational((1 << 22) + 1))
      Issue.record("taken")
    } catch { #expect(error.code == .parameterOutOfRange) }
  }

  /// [NS-25]
  @Test func piecesOfWholeBlocksGiveTheSameSamples() throws {
    let sampler = try NoiseSampler(.discreteGaussian, variance: Rational(1_000_000))
    var whole = stream(20)
    let expected = sampler.samples(10 * 1024 + 77, from: &whole)
    var parts = stream(20)
    var found = sampler.samples(3 * 1024, from: &parts)
    found += sampler.samples(0, from: &parts)
    found += sampler.samples(7 * 1024, from: &parts)
    found += sampler.samples(77, from: &parts)
    #expect(found == expected)
  }

  @Test func threadsShareASamplerAndNoSource() async throws {
    let sampler = try NoiseSampler(.discreteGaussian, variance: try Rational(decimal: "10000/7"))
    var alone: [[Int64]] = []
    for index in 0..<4 as Range<UInt64> {
      var source = stream(22, index: index)
      alone.append(sampler.samples(20_000, from: &source))
    }
    let together = await withTaskGroup(of: (Int, [Int64]).self) { group in
      for index in 0..<4 {
        group.addTask {
          var source = stream(22, index: UInt64(index))
          return (index, sampler.samples(20_000, from: &source))
        }
      }
      return await group.reduce(into: [Int: [Int64]]()) { $0[$1.0] = $1.1 }
    }
    for index in 0..<4 { #expect(together[index] == alone[index]) }
    #expect(Set(alone.map { $0.prefix(8).description }).count == 4)
  }
}
