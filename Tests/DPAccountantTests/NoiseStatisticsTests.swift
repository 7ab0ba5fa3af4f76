// Samples against their distributions, with fixed seeds. A sound sampler fails one of these bounds (5 standard deviations, one-sided) for
// 3 seeds in 10 million each; there are some 40. What each statistic is worth is shown on samplers with a fault.
import Foundation
import GMP
import Sodium
import Testing

@testable import DPAccountant

@Suite struct NoiseStatisticsTests {
  private static let limit = 5.0

  static func model(_ distribution: NoiseSampler.Distribution, _ variance: Double, draws: Int) -> CellModel {
    let reach = Int(6 * variance.squareRoot()) + 8
    let pmf =
      distribution == .skellam
      ? Pmf.skellam(variance: variance, reach: reach) : Pmf.gaussian(variance: variance, reach: reach)
    return CellModel(pmf: pmf, least: 100 / Double(draws))
  }

  /// The samples' groups, a buffer at a time.
  static func counts(_ sampler: NoiseSampler, _ model: CellModel, draws: Int, seed: UInt64) -> [Int] {
    var source = stream(seed)
    var counts = [Int](repeating: 0, count: model.probability.count)
    var left = draws
    while left > 0 {
      let samples = sampler.samples(min(left, 1 << 16), from: &source)
      for (index, count) in model.counts(samples).enumerated() { counts[index] += count }
      left -= samples.count
    }
    return counts
  }

  /// [NS-25]
  @Test(arguments: NoiseSampler.Distribution.allCases, ["1/16", "1/2", "4/3", "100", "16384", "16385", "1000000"])
  func theFastSamplerFollowsItsDistribution(_ distribution: NoiseSampler.Distribution, _ variance: String) throws {
    let exact = try Rational(decimal: variance)
    let model = Self.model(distribution, exact.doubleRoundedDown, draws: 4_000_000)
    let sampler = try NoiseSampler(distribution, variance: exact)
    let deviation = model.deviation(Self.counts(sampler, model, draws: 4_000_000, seed: 1))
    #expect(abs(deviation) < Self.limit, "\(deviation)")
  }

  /// [NS-04] [NS-05]
  @Test(arguments: NoiseSampler.Distribution.allCases, ["1/9", "4/3", "100"])
  func theReadableSamplersFollowTheirDistributions(_ distribution: NoiseSampler.Distribution, _ variance: String) throws {
    let exact = try Rational(decimal: variance)
    let model = Self.model(distribution, exact.doubleRoundedDown, draws: 20_000)
    var source = stream(2)
    let draw: (inout RandomStream) -> BigInteger
    switch distribution {
    case .discreteGaussian:
      let sampler = try ReferenceGaussian(variance: exact)
      draw = { sampler.sample(from: &$0) }
    case .skellam:
      let sampler = try ReferenceSkellam(variance: exact)
      draw = { sampler.sample(from: &$0) }
    }
    let samples = (0..<20_000).map { _ in Int64(draw(&source).int ?? .max) }
    let deviation = model.deviation(model.counts(samples))
    #expect(abs(deviation) < Self.limit, "\(deviation)")
  }

  /// Mean 0 and variance σ² far beyond what cells can cover, and the same variance at each place in a block.
  @Test(arguments: NoiseSampler.Distribution.allCases, ["1000003/1000", "1152921504606846975", "1208925819614629174706175"])
  func momentsAndPlaces(_ distribution: NoiseSampler.Distribution, _ text: String) throws {
    let draws = 1 << 21
    let variance = try Rational(decimal: text)
    let sampler = try NoiseSampler(distribution, variance: variance)
    let sigma = variance.doubleRoundedDown.squareRoot()
    var source = stream(4)
    let samples = sampler.samples(draws, from: &source).map { Double($0) / sigma }
    let root = Double(draws).squareRoot()
    #expect(abs(samples.reduce(0, +)) / root < Self.limit)
    // Var(x²) = 2 for the Gaussian, 2 + 1/σ² for Skellam noise.
    func deviation(_ part: [Double]) -> Double {
      (part.reduce(0) { $0 + $1 * $1 } - Double(part.count)) / (Double(part.count) * (2 + 1 / (sigma * sigma))).squareRoot()
    }
    #expect(abs(deviation(samples)) < Self.limit)
    #expect(abs(deviation(samples.enumerated().filter { $0.offset % 1024 < 8 }.map(\.element))) < Self.limit)
    #expect(abs(deviation(samples.enumerated().filter { $0.offset % 1024 >= 1000 }.map(\.element))) < Self.limit)
    let neighbours = zip(samples, samples.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(neighbours) / root < Self.limit)
    let squares = zip(samples, samples.dropFirst()).reduce(0) { $0 + ($1.0 * $1.0 - 1) * ($1.1 * $1.1 - 1) }
    #expect(abs(squares) / (2 * root) < Self.limit)
  }

  /// Every place in a bin and both signs: where a density that is flat within bins would show.
  @Test(arguments: NoiseSampler.Distribution.allCases) func placesInABinFollowTheDistribution(
    _ distribution: NoiseSampler.Distribution
  ) throws {
    let sampler = try NoiseSampler(distribution, variance: Rational(1_000_000))
    let deviation = Self.placeDeviation(sampler, seed: 5)
    #expect(abs(deviation) < Self.limit, "\(deviation)")
  }

  static func placeDeviation(
    _ sampler: NoiseSampler, seed: UInt64, draws: Int = 1 << 24, altered: (Int64) -> Int64 = { $0 }
  ) -> Double {
    let width = 1 << sampler.table.widthBits
    let reach = 8000
    let pmf =
      sampler.distribution == .skellam
      ? Pmf.skellam(variance: 1e6, reach: reach) : Pmf.gaussian(variance: 1e6, reach: reach)
    var probability = [Double](repeating: 0, count: 2 * width)
    for m in 0...reach { for sign in 0..<(m == 0 ? 1 : 2) { probability[m % width + sign * width] += pmf[m] } }
    var source = stream(seed)
    var counts = [Int](repeating: 0, count: 2 * width)
    for _ in 0..<draws >> 16 {
      for sample in sampler.samples(1 << 16, from: &source).lazy.map(altered) {
        counts[Int(sample.magnitude) % width + (sample < 0 ? width : 0)] += 1
      }
    }
    let statistic = zip(counts, probability).reduce(0) { sum, cell in
      let expected = cell.1 * Double(draws)
      return sum + (Double(cell.0) - expected) * (Double(cell.0) - expected) / expected
    }
    let freedom = Double(2 * width - 1)
    let spread = 2 / (9 * freedom)
    return (cbrt(statistic / freedom) - (1 - spread)) / spread.squareRoot()
  }

  /// By hand: SECAGG_SAMPLER_DRAWS=1000000000 tools/test --filter NoiseStatistics. Prints the deviations.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["SECAGG_SAMPLER_DRAWS"] != nil))
  func manyDrawsFollowTheDistribution() throws {
    let draws = ProcessInfo.processInfo.environment["SECAGG_SAMPLER_DRAWS"].flatMap(Int.init) ?? 1 << 26
    for distribution in NoiseSampler.Distribution.allCases {
      let model = Self.model(distribution, 1e6, draws: draws)
      let sampler = try NoiseSampler(distribution, variance: Rational(1_000_000))
      let deviation = model.deviation(Self.counts(sampler, model, draws: draws, seed: 6))
      print("\(distribution.rawValue): \(draws) draws, \(model.probability.count) cells, \(deviation) standard deviations")
      #expect(abs(deviation) < Self.limit)
    }
  }
}
