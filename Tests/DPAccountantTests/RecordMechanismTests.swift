// One step of training with privacy for single records: what is sampled, what is drawn, what it costs (spec/13-record-privacy.md).
import Foundation
import GMP
import Sodium
import Testing

@testable import DPAccountant

@Suite struct RecordMechanismTests {
  private static func seeded(_ index: UInt64) throws -> RandomStream {
    try RandomStream(seed: SecretBytes(copying: [UInt8](repeating: 7, count: 32)), index: index)
  }

  /// Bytes that are handed out as they are given; 0 behind them.
  private struct Given: RandomSource {
    var bytes: [UInt8]
    mutating func fill(_ buffer: UnsafeMutableRawBufferPointer) {
      for index in buffer.indices { buffer[index] = bytes.isEmpty ? 0 : bytes.removeFirst() }
    }
  }

  private static func little(_ words: UInt64...) -> Given {
    Given(bytes: words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) } })
  }

  @Test("[RP-01] each record has a coin of its own", arguments: [1e-3, 0.02, 0.37, 0.999, 1.0]) func coins(rate: Double) throws {
    var random = try Self.seeded(UInt64(rate * 1000))
    let (records, rounds) = (50, 20_000)
    var counts = [Int](repeating: 0, count: records)
    var sizes = 0.0
    var squares = 0.0
    for _ in 0..<rounds {
      let drawn = PoissonSample.draw(count: records, rate: rate, from: &random)
      #expect(drawn == drawn.sorted())
      for record in drawn { counts[record] += 1 }
      sizes += Double(drawn.count)
      squares += Double(drawn.count * drawn.count)
    }
    let (n, expected) = (Double(rounds), rate * Double(rounds))
    let deviation = (expected * (1 - rate)).squareRoot()
    for count in counts { #expect(abs(Double(count) - expected) <= 5 * deviation) }
    // Sizes vary as independent coins do: neither fixed nor clumped.
    let variance = squares / n - (sizes / n) * (sizes / n)
    let wanted = Double(records) * rate * (1 - rate)
    #expect(abs(variance - wanted) <= 0.08 * wanted + 1e-9)
  }

  @Test("[RP-01] a coin compares every binary digit of its rate") func digits() {
    func coin(_ rate: Double, _ given: Given) -> Bool {
      var given = given
      return PoissonSample.coin(rate, &given)
    }
    // A half: heads below the highest bit.
    #expect(coin(0.5, Self.little(1 << 63 - 1)) && !coin(0.5, Self.little(1 << 63)))
    // A rate whose digits go on behind the first 64: undecided by them alone.
    let rate = 0x1.8p-64
    #expect(coin(rate, Self.little(0)) && !coin(rate, Self.little(2)))
    #expect(coin(rate, Self.little(1, 1 << 63 - 1)) && !coin(rate, Self.little(1, 1 << 63)))
    #expect(coin(1, Self.little(.max)))
    // A rate that ends: equal digits are tails, for nothing is left of it.
    #expect(!coin(0.25, Self.little(1 << 62, 0)))
  }

  @Test("[RP-08] the event is made of what the sampler draws with", arguments: [nil, 0.01, 0.5, 0.7, 0.99] as [Double?])
  func eventAndSampler(quantile: Double?) throws {
    for multiplier in [0.01, 0.5, 1, 1.1, 15.3, 1024] {
      let mechanism = try RecordMechanism(samplingRate: 0.02, noiseMultiplier: multiplier, clipQuantile: quantile, dimension: 1000)
      guard case .poissonSampled(let rate, .discreteGaussianSum(let noise)) = mechanism.event else {
        Issue.record("another event")
        return
      }
      let sampler = try mechanism.sampler()
      #expect(rate == 0.02 && noise.count == 1 && noise.dimension == (quantile == nil ? 1000 : 1001))
      // What is accounted is no more than what is drawn, to the last digit.
      #expect(Rational(BigInteger(Int(noise.variance))) == sampler.variance && sampler.distribution == .discreteGaussian)
      let exact = BigInteger(Int(mechanism.squaredSensitivity))
      #expect(noise.l2 * noise.l2 >= Double(mechanism.squaredSensitivity) && exact.signum > 0)
      #expect(noise.variance >= multiplier * multiplier * Double(mechanism.squaredSensitivity) * (1 - 1e-15))
    }
  }

  @Test("[RP-05] the quantile's coordinate is in the sensitivity, and balanced where the quantile is met")
  func quantile() throws {
    for quantile in [0.01, 0.3, 0.5, 0.99] {
      let mechanism = try RecordMechanism(samplingRate: 0.1, noiseMultiplier: 1, clipQuantile: quantile, dimension: 10)
      let steps = mechanism.countSteps
      #expect(steps.within > 0 && steps.beyond < 0)
      #expect(steps.within - steps.beyond == RecordMechanism.resolution / 10)
      let mean = quantile * Double(steps.within) + (1 - quantile) * Double(steps.beyond)
      #expect(abs(mean) <= 1)
      let largest = max(steps.within, -steps.beyond)
      #expect(mechanism.squaredSensitivity == RecordMechanism.resolution * RecordMechanism.resolution + largest * largest)
    }
    #expect(try RecordMechanism(samplingRate: 0.1, noiseMultiplier: 1, dimension: 10).squaredSensitivity == 1 << 40)
  }

  /// On so fine a grid the noise is Gaussian to twelve digits: the account is that of the sampled Gaussian, but for its orders.
  @Test("[RP-08] steps cost what steps with Gaussian noise cost", arguments: [(0.02, 0.8, 2500), (0.01, 1.1, 10_000), (1.0, 20.0, 100)])
  func cost(rate: Double, multiplier: Double, steps: Int) throws {
    let mechanism = try RecordMechanism(samplingRate: rate, noiseMultiplier: multiplier, dimension: 1_700_000)
    let found = try mechanism.epsilon(steps: steps, delta: 1e-5)
    var gaussian = try RenyiAccountant()
    let continuous = NoiseEvent.gaussian(noiseMultiplier: multiplier)
    try gaussian.compose(rate < 1 ? .poissonSampled(samplingRate: rate, continuous) : continuous, count: steps)
    let reference = try gaussian.epsilon(delta: 1e-5).epsilon
    #expect(found >= reference * (1 - 1e-9) && found <= reference * 1.01)
  }

  @Test("[RP-08] calibrated noise just keeps to the target", arguments: [(1.0, 25_000, 0.02), (8.0, 500, 0.02), (0.3, 1, 1.0)])
  func calibration(epsilon: Double, steps: Int, rate: Double) throws {
    for quantile in [nil, 0.5] {
      let mechanism = try RecordMechanism.calibrated(
        epsilon: epsilon, delta: 1e-5, steps: steps, samplingRate: rate, clipQuantile: quantile, dimension: 1000)
      let spent = try mechanism.epsilon(steps: steps, delta: 1e-5)
      #expect(spent <= epsilon && spent > 0.9999 * epsilon)
    }
  }

  @Test func whatIsOutOfRangeIsRefused() {
    for (rate, multiplier, quantile, dimension) in [
      (0, 1, nil, 10), (1.1, 1, nil, 10), (.nan, 1, nil, 10), (0.1, 0, nil, 10), (0.1, 1025, nil, 10), (0.1, .nan, nil, 10),
      (0.1, 1, 0, 10), (0.1, 1, 1, 10), (0.1, 1, nil, 0), (0.1, 1, nil, 1 << 41),
    ] as [(Double, Double, Double?, Int)] {
      #expect(throws: AccountingError.self) {
        try RecordMechanism(samplingRate: rate, noiseMultiplier: multiplier, clipQuantile: quantile, dimension: dimension)
      }
    }
  }
}
