// Noise on integer vectors: the exact bound against the published one, what changes an account, and what is refused. [AC-13], [AC-14], [AC-16],
// [AC-17], [AC-19].
import Testing

@testable import DPAccountant

@Suite struct IntegerNoiseTests {
  /// [AC-14] The account of a whole vector is above the divergence of every integer change that its norms allow.
  @Test func noAllowedChangeCostsMore() throws {
    for (variance, count) in [(0.0625, 2), (0.25, 3), (0.4, 10), (0.4, 1), (1.0, 5)] {
      let shift = ShiftDivergence(try #require(LatticeFactor(count: count, variance: variance)))
      let noise = DiscreteGaussianSum(variance: variance, count: count, l2: 3.2, l1: 8, dimension: 6)
      for order in [1.01, 1.5, 2, 7.5, 40] {
        let bound = try account(.discreteGaussianSum(noise), order)
        for change in [[3, 1], [1, 1, 1, 1, 1, 1], [2, 2, 1, 1], [2, 2, 1], [3], [2, 1, 1, 1, 1]] {
          #expect(change.reduce(0) { $0 + $1 * $1 } <= 10)
          let cost = change.reduce(0) { $0 + shift.divergence(order: order, shift: $1) }
          #expect(cost <= bound * (1 + 1e-9), "\(change), \(count) of \(variance), order \(order)")
        }
      }
    }
  }

  @Test func theSmallerBoundHolds() throws {
    let noise = DiscreteGaussianSum(variance: 0.4, count: 1000, l2: 22.18, l1: 354.9, dimension: 256)
    let term = DiscreteGaussianTerm(noise)
    for order in [1.1, 2, 8, 63] {
      let (published, exact) = (term.published(order: order), try #require(term.exact(order: order)))
      #expect(term.divergence(order: order) == min(published, exact))
      #expect(exact < published / 10 && exact > order * noise.l2 * noise.l2 / 800)
    }
    // Wide noise is a Gaussian to twelve digits, and too many cells to convolve: the published bound alone.
    let wide = DiscreteGaussianTerm(DiscreteGaussianSum(variance: 1e9, count: 10, l2: 1e5, l1: 1e8, dimension: 1 << 21))
    #expect(wide.exact(order: 2) == nil)
    #expect(abs(wide.divergence(order: 2) - 1) < 1e-12)
  }

  /// One summand less, one unit more of sensitivity, a hair less variance: each must cost more.
  @Test func everyParameterCounts() throws {
    func cost(_ change: (inout DiscreteGaussianSum) -> Void) throws -> [Double] {
      var noise = DiscreteGaussianSum(variance: 0.3, count: 8, l2: 3, l1: 9, dimension: 9)
      change(&noise)
      return try [1.5, 2, 17].map { try account(.discreteGaussianSum(noise), $0) }
    }
    let base = try cost { _ in }
    #expect(zip(try cost { $0.count = 7 }, base).allSatisfy { $0 > $1 })
    #expect(zip(try cost { $0.l2 = 3.01 }, base).allSatisfy { $0 > $1 })
    #expect(zip(try cost { $0.variance = 0.2999 }, base).allSatisfy { $0 > $1 })
    let skellam = try account(.skellam(SkellamNoise(variance: 10, l2: 2, l1: 4)), 4)
    #expect(try account(.skellam(SkellamNoise(variance: 9.999, l2: 2, l1: 4)), 4) > skellam)
    #expect(try account(.skellam(SkellamNoise(variance: 10, l2: 2, l1: 4.1)), 4) > skellam)
    #expect(try account(.skellam(SkellamNoise(variance: 10, l2: 2.01, l1: 4)), 4) > skellam)
    let sampled = try account(.poissonSampled(samplingRate: 0.1, .skellam(SkellamNoise(variance: 10, l2: 2, l1: 4))), 4)
    #expect(sampled < skellam)
    #expect(try account(.poissonSampled(samplingRate: 0.1001, .skellam(SkellamNoise(variance: 10, l2: 2, l1: 4))), 4) > sampled)
  }

  /// [AC-19] Between integer orders (α − 1)·D is a straight line.
  @Test func boundsOfIntegerOrdersAreInterpolated() throws {
    let event = NoiseEvent.skellam(SkellamNoise(variance: 3, l2: 1, l1: 1))
    let (two, three) = (try account(event, 2), try account(event, 3))
    let between = try account(event, 2.25)
    #expect(abs(between * 1.25 - (0.75 * two + 0.25 * 2 * three)) < 1e-12)
    #expect(try account(event, 1.5) >= two * (1 - 1e-12))
  }

  /// [AC-17]
  @Test(arguments: [(1, 1.0), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (1000, 10), (1023, 10), (1024, 11)])
  func aTreeCostsItsDepth(_ steps: Int, _ depth: Double) throws {
    let tree = try account(.treeAggregation(noiseMultiplier: 2, stepCounts: [1, steps]), 3)
    #expect(tree >= 3 * depth / 8 && tree <= 3 * depth / 8 * (1 + 1e-14))
  }

  /// [AC-16]
  @Test func eachSamplingHasItsRelation() {
    let gaussian = NoiseEvent.gaussian(noiseMultiplier: 1)
    for event in [
      gaussian, .laplace(noiseMultiplier: 1), .discreteGaussian(variance: 1), .skellam(SkellamNoise(variance: 1, l2: 1, l1: 1)),
    ] {
      #expect(code(.poissonSampled(samplingRate: 0.1, event), .replace) == .unsupportedEvent)
      #expect(code(.sampledWithoutReplacement(samplingRate: 0.1, event), .addOrRemove) == .unsupportedEvent)
      #expect(code(.poissonSampled(samplingRate: 0.1, event), .addOrRemove) == nil)
      #expect(code(.sampledWithoutReplacement(samplingRate: 0.1, event), .replace) == nil)
    }
    let tree = NoiseEvent.treeAggregation(noiseMultiplier: 1, stepCounts: [4])
    for inner in [tree, .nonPrivate, .composed([gaussian]), .poissonSampled(samplingRate: 0.1, gaussian)] {
      #expect(code(.poissonSampled(samplingRate: 0.1, inner), .addOrRemove) == .unsupportedEvent)
      #expect(code(.sampledWithoutReplacement(samplingRate: 0.1, inner), .replace) == .unsupportedEvent)
    }
  }

  @Test func parametersOutsideTheirRangeAreRefused() {
    let good = DiscreteGaussianSum(variance: 1, count: 3, l2: 2, l1: 4, dimension: 4)
    func bad(_ change: (inout DiscreteGaussianSum) -> Void) -> NoiseEvent {
      var noise = good
      change(&noise)
      return .discreteGaussianSum(noise)
    }
    let events: [NoiseEvent] = [
      bad { $0.variance = 0 }, bad { $0.variance = -1 }, bad { $0.variance = .nan }, bad { $0.variance = .infinity },
      bad { $0.variance = 0.01 },
      bad { $0.count = 0 }, bad { $0.count = -3 }, bad { $0.count = .max }, bad { $0.l2 = 0.99 }, bad { $0.l2 = .nan },
      bad { $0.l2 = .infinity },
      bad { $0.l1 = 1.9 }, bad { $0.l1 = .nan }, bad { $0.dimension = 0 }, bad { $0.dimension = .max },
      .skellam(SkellamNoise(variance: 0, l2: 1, l1: 1)), .skellam(SkellamNoise(variance: 1, l2: 0, l1: 1)),
      .skellam(SkellamNoise(variance: .nan, l2: 1, l1: 1)), .skellam(SkellamNoise(variance: 1, l2: 2, l1: 1)),
      .laplace(noiseMultiplier: 0), .laplace(noiseMultiplier: -1), .laplace(noiseMultiplier: .nan), .laplace(noiseMultiplier: .infinity),
      .treeAggregation(noiseMultiplier: 1, stepCounts: []), .treeAggregation(noiseMultiplier: 1, stepCounts: [0]),
      .treeAggregation(noiseMultiplier: 1, stepCounts: [4, -1]), .treeAggregation(noiseMultiplier: .nan, stepCounts: [4]),
    ]
    for event in events { #expect(code(event, .addOrRemove) == .parameterOutOfRange, "\(event)") }
    for rate in [-0.1, 1.1, .nan, .infinity] as [Double] {
      #expect(code(.sampledWithoutReplacement(samplingRate: rate, .gaussian(noiseMultiplier: 1)), .replace) == .parameterOutOfRange)
    }
    #expect(code(.discreteGaussianSum(good), .addOrRemove) == nil)
  }

  /// Never NaN, never negative, never below a smaller order's value: at the ends of every range.
  @Test func extremesStayNumbers() throws {
    let orders = [1 + 1e-9, 1.0001, 2, 10.9, 1024, 4000.5]
    let events: [NoiseEvent] = [
      .laplace(noiseMultiplier: 1e-6), .laplace(noiseMultiplier: 1e9), .discreteGaussian(variance: 1e-3), .discreteGaussian(variance: 1e30),
      .skellam(SkellamNoise(variance: 1e-3, l2: 1e15, l1: 1e30)), .skellam(SkellamNoise(variance: 1e30, l2: 1, l1: 1)),
      .discreteGaussianSum(DiscreteGaussianSum(variance: 1.0 / 16, count: 100, l2: 1e6, l1: 1e12, dimension: 1 << 40)),
      .discreteGaussianSum(DiscreteGaussianSum(variance: 0.25, count: 1_000_000, l2: 1, l1: 1, dimension: 1)),
      .poissonSampled(samplingRate: 1e-140, .laplace(noiseMultiplier: 1)), .poissonSampled(samplingRate: 1, .laplace(noiseMultiplier: 1)),
      .poissonSampled(samplingRate: 1e-9, .gaussian(noiseMultiplier: 1e6)),
    ]
    for event in events {
      var accountant = try RenyiAccountant(orders: orders)
      try accountant.compose(event, count: 1_000_000_000)
      let values = accountant.curve.values
      #expect(values.allSatisfy { $0 >= 0 }, "\(event): \(values)")
      #expect(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 * (1 + 1e-9) }, "\(event): \(values)")
    }
  }

  /// The ends of what can be sampled without replacement, where a quadrature without a limit would not end.
  @Test(arguments: [1e-6, 1e-3, 0.05, 1e9]) func tinyAndHugeNoiseWithoutReplacement(_ sigma: Double) throws {
    var (sampled, plain) = (try RenyiAccountant(relation: .replace), try RenyiAccountant(relation: .replace))
    try sampled.compose(.sampledWithoutReplacement(samplingRate: 0.01, .gaussian(noiseMultiplier: sigma)))
    try plain.compose(.gaussian(noiseMultiplier: sigma))
    let (values, limits) = (sampled.curve.values, plain.curve.values)
    #expect(zip(values, limits).allSatisfy { $0 > 0 && $0 <= $1 * (1 + 1e-9) })
  }

  private func account(_ event: NoiseEvent, _ order: Double) throws -> Double {
    var accountant = try RenyiAccountant(orders: [order])
    try accountant.compose(event)
    return accountant.curve.values[0]
  }

  private func code(_ event: NoiseEvent, _ relation: NeighbourRelation) -> AccountingError.Code? {
    do {
      var accountant = try RenyiAccountant(relation: relation)
      try accountant.compose(event)
      return nil
    } catch { return error.code }
  }
}
