// Privacy-loss distributions: brackets around published figures, both directions of the neighbours, compositions, refusals.
// [AC-20] to [AC-24], [AC-26].
import Foundation
import Testing

@testable import DPAccountant

@Suite struct LossDistributionTests {
  /// From Google's dp-accounting 0.6.0 (grid 1e-4) and from the bracket that Microsoft's prv_accountant proves.
  private static let published: [(sigma: Double, rate: Double, steps: Int, delta: Double, peer: Double, low: Double, high: Double)] = [
    (1, 0.01, 1000, 1e-6, 2.1245225256759905, 2.1223892518792757, 2.1266413646678615),
    (4, 0.1, 1000, 1e-5, 3.4443447983330113, 3.4421457456194364, 3.446534357017343),
    (1.5, 0.01, 1000, 1e-8, 1.3105643087310221, 1.3084972543532787, 1.312598802646758),
    (10, 0.1, 10000, 1e-6, 4.908929512416995, 4.906672065394467, 4.911095107505121),
    (2, 0.01, 10000, 1e-8, 2.942644580357565, 2.9404459131388823, 2.9446450896079446),
    (1.1, 0.0042666666666666668, 14063, 1e-5, 2.381778812581723, 2.379545807834965, 2.3838340139353242),
  ]

  /// [AC-20], [AC-21]
  @Test(arguments: published.indices) func figuresLieInThePublishedBrackets(_ index: Int) throws {
    let row = Self.published[index]
    var accountant = try PLDAccountant(lossInterval: 1e-4)
    try accountant.compose(sampled(row.sigma, row.rate), count: row.steps)
    let (high, low) = (try accountant.epsilon(delta: row.delta).epsilon, try accountant.epsilonAtLeast(delta: row.delta))
    #expect(row.low <= low && low <= high && high <= row.high, "\(low) ... \(high)")
    #expect(high <= row.peer, "\(high / row.peer - 1) above the peer")
    #expect(high - low < 1e-4)
  }

  /// Where dp-accounting's figure for 10,000 steps at rate 0.01 is 8.185147 on the same interval, and prv_accountant's estimate 8.1851231.
  @Test func tailsFarBelowRoundingAreResolved() throws {
    var accountant = try PLDAccountant(lossInterval: 1e-4)
    try accountant.compose(sampled(1, 0.01), count: 10_000)
    let epsilon = try accountant.epsilon(delta: 1e-8).epsilon
    #expect(epsilon < 8.185125 && epsilon > 8.1851229)
    // At 1e-16 the peer gives no finite figure (dp-accounting 0.6.0, grid 1e-4: infinity).
    var small = try PLDAccountant()
    try small.compose(sampled(4, 0.00033), count: 10_000)
    let (high, low) = (try small.epsilon(delta: 1e-16).epsilon, try small.epsilonAtLeast(delta: 1e-16))
    #expect(low <= high && high - low < 2e-5 && high < 0.0624 && low > 0.0622)
  }

  /// [AC-20] Where δ is far below what the window's rest costs, the bound is a large loss, not nothing.
  @Test func tinyDeltasAreNotMissed() throws {
    let cases: [(event: NoiseEvent, steps: Int, delta: Double, interval: Double?)] = [
      (.laplace(noiseMultiplier: 115.585), 1, 7e-26, 4.75e-5), (.laplace(noiseMultiplier: 626.44), 1, 6e-28, 1.39e-4),
      (.poissonSampled(samplingRate: 0.00527, .laplace(noiseMultiplier: 3.1338)), 3, 9.27e-20, nil),
      (sampled(13.14, 0.0465), 85, 3e-27, 0.0489),
    ]
    for each in cases {
      var accountant = try PLDAccountant(lossInterval: each.interval)
      try accountant.compose(each.event, count: each.steps)
      let (high, low) = (try accountant.epsilon(delta: each.delta).epsilon, try accountant.epsilonAtLeast(delta: each.delta))
      #expect(low > 0 && low <= high, "\(each): \(low) ... \(high)")
      if case .laplace(let scale) = each.event {
        #expect(high >= 1 / scale * (1 - 1e-12) && high <= 1 / scale + (each.interval ?? 0) + 1e-9)
      }
    }
  }

  /// [AC-22]
  @Test(arguments: [
    (1.0, 1, 0.9999999800005017), (1, 100, 77.06642301267144), (5, 100, 11.806810053780708), (100, 100, 0.4807983950354695),
  ])
  func laplace(_ scale: Double, _ steps: Int, _ peer: Double) throws {
    var accountant = try PLDAccountant(lossInterval: 1e-4)
    try accountant.compose(.laplace(noiseMultiplier: scale), count: steps)
    let (high, low) = (try accountant.epsilon(delta: 1e-8).epsilon, try accountant.epsilonAtLeast(delta: 1e-8))
    #expect(high <= peer * (1 + 1e-12) && low <= high && high - low < 2e-2)
    #expect(high <= Double(steps) / scale)
  }

  /// [AC-22]
  @Test(arguments: [
    (0.25, 1.0, 1, 12.199633866945218), (1, 1, 100, 105.3544015791333), (4, 1, 100, 39.89644614493719), (100, 1, 10, 1.6586242375467324),
    (2500, 5, 100, 5.776775111656399),
  ])
  func discreteGaussian(_ variance: Double, _ sensitivity: Double, _ steps: Int, _ peer: Double) throws {
    var accountant = try PLDAccountant(lossInterval: 1e-4)
    try accountant.compose(.discreteGaussian(variance: variance, sensitivity: sensitivity), count: steps)
    let (high, low) = (try accountant.epsilon(delta: 1e-8).epsilon, try accountant.epsilonAtLeast(delta: 1e-8))
    // The peer rounds losses up where this account splits them; of a hundred releases its figure is 8e-9 below the exact one.
    #expect(high <= peer * (1 + 1.1e-8) && low <= high && high - low < 2e-2 && high > peer * (1 - 3e-4), "\(low) ... \(high)")
    var renyi = try RenyiAccountant()
    try renyi.compose(.discreteGaussian(variance: variance, sensitivity: sensitivity), count: steps)
    #expect(low <= (try renyi.epsilon(delta: 1e-8).epsilon))
  }

  /// [AC-23] Gaussians compose to a Gaussian, whose ε is known: in any mixture, whichever grid.
  @Test(arguments: [1e-2, 1e-3]) func mixturesOfGaussians(_ interval: Double) throws {
    var parts = try PLDAccountant(lossInterval: interval)
    var whole = try PLDAccountant(lossInterval: 1e-4)
    try parts.compose(.composed([.gaussian(noiseMultiplier: 2), .repeated(.gaussian(noiseMultiplier: 4), count: 5)]))
    try parts.compose(.treeAggregation(noiseMultiplier: 8, stepCounts: [3, 2]))
    try whole.compose(.gaussian(noiseMultiplier: 1 / (1.0 / 4 + 5.0 / 16 + 2.0 / 64).squareRoot()))
    for delta in [1e-3, 1e-6, 1e-12, 1e-25] {
      let (high, low) = (try parts.epsilon(delta: delta).epsilon, try parts.epsilonAtLeast(delta: delta))
      let (above, below) = (try whole.epsilon(delta: delta).epsilon, try whole.epsilonAtLeast(delta: delta))
      #expect(high >= below && low <= above && high - low < 20 * interval, "\(delta): \(low) ... \(high), \(below) ... \(above)")
    }
  }

  /// Less noise, a higher rate, more steps and a smaller δ each cost more: an account that missed one of them would not change.
  @Test func everyParameterCounts() throws {
    func epsilon(_ sigma: Double, _ rate: Double, _ steps: Int, _ delta: Double) throws -> Double {
      var accountant = try PLDAccountant(lossInterval: 1e-3)
      try accountant.compose(sampled(sigma, rate), count: steps)
      return try accountant.epsilonAtLeast(delta: delta)
    }
    var accountant = try PLDAccountant(lossInterval: 1e-3)
    try accountant.compose(sampled(1, 0.05), count: 100)
    let base = try accountant.epsilon(delta: 1e-6).epsilon
    #expect(try epsilon(0.98, 0.05, 100, 1e-6) > base)
    #expect(try epsilon(1, 0.0515, 100, 1e-6) > base)
    #expect(try epsilon(1, 0.05, 108, 1e-6) > base)
    #expect(try epsilon(1, 0.05, 100, 7e-7) > base)
    #expect(try epsilon(1, 0.05, 100, 1e-6) <= base)
  }

  /// [AC-26]
  @Test func whatIsNotKnownIsRefused() throws {
    let vector = DiscreteGaussianSum(variance: 4, count: 2, l2: 3, l1: 5, dimension: 8)
    let unsupported: [NoiseEvent] = [
      .discreteGaussianSum(vector), .skellam(SkellamNoise(variance: 4, l2: 1, l1: 1)),
      .sampledWithoutReplacement(samplingRate: 0.1, .gaussian(noiseMultiplier: 1)),
      .poissonSampled(samplingRate: 0.1, .composed([.gaussian(noiseMultiplier: 1)])),
      .poissonSampled(samplingRate: 0.1, .poissonSampled(samplingRate: 0.1, .gaussian(noiseMultiplier: 1))),
      .poissonSampled(samplingRate: 0.1, .nonPrivate),
      (0..<40).reduce(.gaussian(noiseMultiplier: 1)) { inner, _ in .composed([inner]) },
    ]
    for event in unsupported { #expect(code { try $0.compose(event) } == .unsupportedEvent, "\(event)") }
    let outOfRange: [NoiseEvent] = [
      .gaussian(noiseMultiplier: 0.01), .gaussian(noiseMultiplier: .nan), .gaussian(noiseMultiplier: 1e7), .laplace(noiseMultiplier: 1e-4),
      .discreteGaussian(variance: 0.001, sensitivity: 5), .discreteGaussian(variance: .nan),
      .discreteGaussian(variance: 1, sensitivity: 1e9), .discreteGaussian(variance: 1e20),
      .discreteGaussian(variance: 1, sensitivity: 0.5),
      .poissonSampled(samplingRate: 1.5, .gaussian(noiseMultiplier: 1)), .treeAggregation(noiseMultiplier: 1, stepCounts: []),
      .repeated(.gaussian(noiseMultiplier: 1), count: -1), .repeated(.repeated(.gaussian(noiseMultiplier: 1), count: .max), count: 3),
    ]
    for event in outOfRange { #expect(code { try $0.compose(event) } == .parameterOutOfRange, "\(event)") }
    #expect(code(.replace) { try $0.compose(sampled(1, 0.1)) } == .unsupportedEvent)
    for delta in [0, 1, -1, 1e-31, .nan, .infinity] as [Double] {
      #expect(code { _ = try $0.epsilon(delta: delta) } == .parameterOutOfRange)
      #expect(code { _ = try $0.epsilonAtLeast(delta: delta) } == .parameterOutOfRange)
    }
    for interval in [0, -1, 1e-8, 2, .nan, .infinity] as [Double] {
      #expect(throws: AccountingError.self) { try PLDAccountant(lossInterval: interval) }
    }
  }

  @Test func nothingCostsNothingAndNoNoiseEverything() throws {
    var accountant = try PLDAccountant()
    #expect(try accountant.epsilon(delta: 1e-6).epsilon == 0)
    try accountant.compose(sampled(1, 0), count: 5)
    #expect(try accountant.epsilon(delta: 1e-6).epsilon < 1e-9)
    try accountant.compose(.nonPrivate, count: 0)
    #expect(try accountant.epsilon(delta: 1e-6).epsilon < 1e-9)
    try accountant.compose(.nonPrivate)
    #expect(try accountant.epsilon(delta: 1e-6).epsilon == .infinity)
    #expect(try accountant.epsilonAtLeast(delta: 1e-6) == .infinity)
  }

  private func sampled(_ sigma: Double, _ rate: Double) -> NoiseEvent {
    .poissonSampled(samplingRate: rate, .gaussian(noiseMultiplier: sigma))
  }

  private func code(
    _ relation: NeighbourRelation = .addOrRemove, _ body: (inout PLDAccountant) throws -> Void
  ) -> AccountingError.Code? {
    do {
      var accountant = try PLDAccountant(relation: relation)
      try body(&accountant)
      return nil
    } catch { return (error as? AccountingError)?.code }
  }
}
