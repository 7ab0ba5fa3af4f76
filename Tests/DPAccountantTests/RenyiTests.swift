// Rényi divergences and composition against multi-precision arithmetic, and events that must be refused. [AC-01], [AC-02], [AC-10]
import DPAccountant
import Testing

@Suite struct RenyiTests {
  @Test func divergencesLieJustAboveTheExactOnes() throws {
    for vector in try RenyiVectors.load().rdp {
      let (order, exact) = (number(vector.order), number(vector.exact))
      var accountant = try RenyiAccountant(orders: [order])
      try accountant.compose(
        .poissonSampled(samplingRate: number(vector.q), .gaussian(noiseMultiplier: number(vector.sigma))))
      let value = accountant.curve.values[0]
      #expect(
        value >= exact && value <= exact * (1 + 1e-9),
        "sigma \(vector.sigma), q \(vector.q), order \(order): \(value / exact - 1)")
    }
  }

  @Test func theGaussianIsLinearInTheOrder() throws {
    for sigma in [1e-6, 0.05, 0.5, 1, 3.7, 1e4] {
      var accountant = try RenyiAccountant(relation: .replace)
      try accountant.compose(.gaussian(noiseMultiplier: sigma))
      for (order, value) in zip(accountant.curve.orders, accountant.curve.values) {
        let exact = order / (2 * sigma * sigma)
        #expect(value >= exact && value <= exact * (1 + 1e-14))
      }
    }
  }

  @Test func compositionAdds() throws {
    let (first, second) = (NoiseEvent.gaussian(noiseMultiplier: 2), NoiseEvent.gaussian(noiseMultiplier: 3))
    let three = try values(.composed([first, second, first]))
    let (one, other) = (try values(first), try values(second))
    for index in three.indices {
      let exact = 2 * one[index] + other[index]
      #expect(three[index] >= exact && three[index] <= exact * (1 + 1e-14))
    }
    #expect(try values(.repeated(first, count: 7)) == values(first, count: 7))
    #expect(try values(.repeated(.repeated(first, count: 2), count: 3)) == values(first, count: 6))
    let none = try values(.composed([]))
    #expect(none.allSatisfy { $0 == 0 })
    #expect(try values(first, count: 0).allSatisfy { $0 == 0 })
    #expect(try values(.composed([first, .nonPrivate])).allSatisfy { $0 == .infinity })
  }

  @Test func samplingIsMonotoneAndNeverCosts() throws {
    for sigma in [0.01, 0.04, 0.06, 0.3, 1, 8] {
      let plain = try values(.gaussian(noiseMultiplier: sigma))
      var before = [Double](repeating: 0, count: plain.count)
      for rate in [0, 1e-12, 1e-6, 0.01, 0.3, 0.999, 1] {
        let sampled = try values(.poissonSampled(samplingRate: rate, .gaussian(noiseMultiplier: sigma)))
        for index in plain.indices {
          #expect(sampled[index] <= plain[index])
          #expect(sampled[index] >= before[index] * (1 - 1e-9), "sigma \(sigma), rate \(rate)")
        }
        before = sampled
      }
    }
  }

  @Test func eventsWithoutATheoremAreRefused() throws {
    let gaussian = NoiseEvent.gaussian(noiseMultiplier: 1)
    let unsupported: [NoiseEvent] = [
      .sampledWithoutReplacement(samplingRate: 0.5, gaussian),
      .poissonSampled(samplingRate: 0.1, .poissonSampled(samplingRate: 0.1, gaussian)),
      .poissonSampled(samplingRate: 0.1, .composed([gaussian])),
      .poissonSampled(samplingRate: 0.1, .repeated(gaussian, count: 2)),
      .poissonSampled(samplingRate: 0.1, .nonPrivate),
      .composed([gaussian, .sampledWithoutReplacement(samplingRate: 0.5, gaussian)]),
      (0..<40).reduce(gaussian) { inner, _ in .composed([inner]) },
    ]
    for event in unsupported { #expect(code { try $0.compose(event) } == .unsupportedEvent) }
    let sampled = NoiseEvent.poissonSampled(samplingRate: 0.1, gaussian)
    #expect(code(.replace) { try $0.compose(sampled) } == .unsupportedEvent)
  }

  @Test func parametersOutsideTheirRangeAreRefused() {
    for sigma in [0, -1, 1e-7, 1e10, .infinity, .nan] as [Double] {
      #expect(code { try $0.compose(.gaussian(noiseMultiplier: sigma)) } == .parameterOutOfRange)
      #expect(
        code { try $0.compose(.poissonSampled(samplingRate: 0.1, .gaussian(noiseMultiplier: sigma))) } == .parameterOutOfRange)
    }
    for rate in [-0.1, 1.0.nextUp, .infinity, .nan] as [Double] {
      #expect(
        code { try $0.compose(.poissonSampled(samplingRate: rate, .gaussian(noiseMultiplier: 1))) } == .parameterOutOfRange)
    }
    let event = NoiseEvent.gaussian(noiseMultiplier: 1)
    for count in [-1, Int.min, Int.max, 1 << 53 + 1] { #expect(code { try $0.compose(event, count: count) } == .parameterOutOfRange) }
    let many = NoiseEvent.repeated(.repeated(event, count: 1 << 40), count: 1 << 40)
    #expect(code { try $0.compose(many) } == .parameterOutOfRange)
    #expect(code { try $0.compose(.repeated(event, count: -1)) } == .parameterOutOfRange)
    for orders in [[], [1], [0.5], [2, 2], [3, 2], [70_000], [.nan], [2, .infinity]] as [[Double]] {
      #expect(throws: AccountingError.self) { try RenyiAccountant(orders: orders) }
    }
  }

  @Test func aRefusedEventChargesNothing() throws {
    var accountant = try RenyiAccountant()
    try accountant.compose(.gaussian(noiseMultiplier: 1))
    let before = accountant.curve
    #expect(throws: AccountingError.self) {
      try accountant.compose(.composed([.gaussian(noiseMultiplier: 1), .gaussian(noiseMultiplier: 0)]))
    }
    #expect(accountant.curve == before)
  }

  private func values(_ event: NoiseEvent, count: Int = 1) throws -> [Double] {
    var accountant = try RenyiAccountant()
    try accountant.compose(event, count: count)
    return accountant.curve.values
  }

  private func code(
    _ relation: NeighbourRelation = .addOrRemove, _ body: (inout RenyiAccountant) throws -> Void
  ) -> AccountingError.Code? {
    do {
      var accountant = try RenyiAccountant(relation: relation)
      try body(&accountant)
      return nil
    } catch { return (error as? AccountingError)?.code }
  }
}
