// What the statistics are worth: samplers with the faults that matter are rejected, at the same bound that sound ones pass, for each of
// several seeds.
import GMP
import Sodium
import Testing

@testable import DPAccountant

/// The density with every value rounded down to `digits` significant bits, as a table in a narrow floating-point format would have it.
struct RoundedDensity: LatticeDensity {
  let exact: any LatticeDensity
  let digits: Int

  func bounds(_ magnitude: BigInteger, bits: Int) -> Enclosure {
    let value = exact.bounds(magnitude, bits: 200).lower
    let cut = max(0, value.bitWidth - digits)
    let rounded = (value >> cut) << cut
    let down = rounded >> (200 - bits)
    return Enclosure(lower: down, upper: down << (200 - bits) == rounded ? down : down + BigInteger(1))
  }
}

@Suite struct FaultySamplerTests {
  private static let limit = 5.0
  private static let seeds: [UInt64] = [11, 12, 13]

  private func deviations(_ sampler: NoiseSampler, _ model: CellModel, draws: Int) -> [Double] {
    Self.seeds.map { model.deviation(NoiseStatisticsTests.counts(sampler, model, draws: draws, seed: $0)) }
  }

  /// Seven significant bits: probabilities wrong by one part in 260 on average, found by 2^24 draws.
  @Test func roundedProbabilitiesAreFound() throws {
    let draws = 1 << 24
    let model = NoiseStatisticsTests.model(.discreteGaussian, 16, draws: draws)
    let sound = try NoiseSampler(.discreteGaussian, variance: Rational(16))
    let rounded = NoiseSampler(sound, density: RoundedDensity(exact: sound.density, digits: 7))
    #expect(deviations(sound, model, draws: draws).allSatisfy { abs($0) < Self.limit })
    let found = deviations(rounded, model, draws: draws)
    #expect(found.allSatisfy { $0 > Self.limit }, "\(found)")
  }

  /// The fault that costs privacy: less noise than was accounted. One part in 100 of σ² is found by 4 million draws.
  @Test(arguments: NoiseSampler.Distribution.allCases) func aSmallerVarianceIsFound(_ distribution: NoiseSampler.Distribution) throws {
    let draws = 4_000_000
    let model = NoiseStatisticsTests.model(distribution, 100, draws: draws)
    let found = deviations(try NoiseSampler(distribution, variance: Rational(99)), model, draws: draws)
    #expect(found.allSatisfy { $0 > Self.limit }, "\(found)")
  }

  /// One distribution for the other, at a variance where they differ by less than one part in a hundred near zero.
  @Test func theOtherDistributionIsFound() throws {
    let draws = 4_000_000
    let model = NoiseStatisticsTests.model(.discreteGaussian, 16, draws: draws)
    let found = deviations(try NoiseSampler(.skellam, variance: Rational(16)), model, draws: draws)
    #expect(found.allSatisfy { $0 > Self.limit }, "\(found)")
  }

  /// A sampler that accepts every proposal (a density that is flat within bins) is found by the places in a bin.
  @Test func aDensityThatIsFlatWithinBinsIsFound() throws {
    let sampler = try NoiseSampler(.discreteGaussian, variance: Rational(1_000_000))
    for seed in Self.seeds {
      var generator = Sequence64(state: seed)
      let found = NoiseStatisticsTests.placeDeviation(sampler, seed: seed, draws: 1 << 25) { sample in
        let magnitude = Int64(sample.magnitude & ~7 | generator.next() & 7)
        return sample < 0 ? -magnitude : magnitude
      }
      #expect(found > Self.limit, "\(found)")
    }
  }
}
