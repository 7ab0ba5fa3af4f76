// Both ways of sampling give the samples of an independent program from the same seed, byte for byte of what they draw, and the bounds that
// the fast way decides with contain that program's probabilities.
import GMP
import Sodium
import Testing

@testable import DPAccountant

@Suite struct SamplerVectorTests {
  private let vectors: SamplerVectors

  init() throws { vectors = try SamplerVectors.load() }

  private func check(_ samples: [Int64], _ row: SamplerVectors.Row) {
    let squares = samples.reduce(BigInteger(0)) { $0 + BigInteger(Int($1)) * BigInteger(Int($1)) }
    #expect(Array(samples.prefix(row.first.count)) == row.first, "\(row)")
    #expect(samples.reduce(0, +) == row.sum, "\(row)")
    #expect(squares.decimal == row.squares, "\(row)")
  }

  /// [NS-01] [NS-02] [NS-03] [NS-04] [NS-05]
  @Test func theReadableSamplersGiveThePythonProgramsSamples() throws {
    let rows = vectors.samples.filter { $0.method == "reference" }
    #expect(rows.count == 11)
    for row in rows {
      var source = try RandomStream(seed: SecretBytes(copying: bytes(hex: row.seed)))
      let variance = try Rational(decimal: row.variance)
      var samples: [BigInteger] = []
      if row.distribution == "skellam" {
        let sampler = try ReferenceSkellam(variance: variance)
        for _ in 0..<row.count { samples.append(sampler.sample(from: &source)) }
      } else {
        let sampler = try ReferenceGaussian(variance: variance)
        for _ in 0..<row.count { samples.append(sampler.sample(from: &source)) }
      }
      check(samples.map { Int64($0.int ?? 0) }, row)
    }
  }

  /// [NS-21] [NS-22] [NS-25]
  @Test func theFastSamplerGivesThePythonProgramsSamples() throws {
    let rows = vectors.samples.filter { $0.method == "fast" }
    #expect(rows.count == 15)
    for row in rows {
      var source = try RandomStream(seed: SecretBytes(copying: bytes(hex: row.seed)))
      let distribution = try #require(NoiseSampler.Distribution(rawValue: row.distribution))
      let sampler = try NoiseSampler(distribution, variance: Rational(decimal: row.variance))
      check(sampler.samples(row.count, from: &source), row)
    }
  }

  /// [NS-20] [NS-23]
  @Test func boundsContainTheProbabilitiesAndCloseIn() throws {
    #expect(vectors.densities.count > 25)
    for point in vectors.densities {
      let distribution = try #require(NoiseSampler.Distribution(rawValue: point.distribution))
      let density = makeDensity(distribution, try Rational(decimal: point.variance))
      let magnitude = try BigInteger(decimal: point.magnitude)
      let value = try fraction(point.value)
      for bits in [16, 64, 128, 200] {
        let bounds = density.bounds(magnitude, bits: bits)
        let scaled = value * Rational(BigInteger(1) << bits)
        // The vector has 70 digits: a part in 10^69 either way.
        let slack = try scaled.divided(by: fraction("1e69"))
        #expect(Rational(bounds.lower) <= scaled + slack, "\(point) \(bits)")
        #expect(Rational(bounds.upper) >= scaled - slack, "\(point) \(bits)")
        #expect(bounds.upper - bounds.lower <= BigInteger(8))
      }
    }
  }
}
