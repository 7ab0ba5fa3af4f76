// Every mechanism's divergences and ε against multi-precision arithmetic: [AC-09], [AC-11] to [AC-15], [AC-18]. Never below the exact
// figure, never more than 1e-9 above it.
import Testing

@testable import DPAccountant

@Suite struct AccountTests {
  private let vectors: AccountVectors

  init() throws { vectors = try AccountVectors.load() }

  /// Half a unit in the last place of the exact figure's double.
  private func isJustAbove(_ value: Double, _ exact: Double) -> Bool { value >= exact.nextDown && value <= exact * (1 + 1e-9) }

  private func check(_ rows: [AccountVectors.Row], atLeast count: Int, _ value: (AccountVectors.Row) throws -> Double) throws {
    #expect(rows.count >= count)
    var refused = 0
    for row in rows {
      do {
        let value = try value(row)
        #expect(isJustAbove(value, row.exact), "\(row): \(value / row.exact - 1)")
      } catch is AccountingError { refused += 1 }
    }
    #expect(refused * 50 <= rows.count, "\(refused) of \(rows.count) valid points were refused")
  }

  private func divergence(_ event: NoiseEvent, _ order: Double, _ relation: NeighbourRelation = .addOrRemove) throws -> Double {
    var accountant = try RenyiAccountant(relation: relation, orders: [order])
    try accountant.compose(event)
    return accountant.curve.values[0]
  }

  @Test func thereAreMoreThanAThousandPoints() {
    #expect(vectors.rows.count >= 1000)
  }

  /// [AC-11]
  @Test func poissonSampledGaussian() throws {
    try check(vectors.of("sampledGaussian"), atLeast: 500) {
      try divergence(.poissonSampled(samplingRate: $0["rate"], .gaussian(noiseMultiplier: $0["sigma"])), $0["order"])
    }
  }

  /// [AC-12]
  @Test func laplace() throws {
    try check(vectors.of("laplace"), atLeast: 50) { try divergence(.laplace(noiseMultiplier: $0["scale"]), $0["order"]) }
    try check(vectors.of("sampledLaplace"), atLeast: 50) {
      try divergence(.poissonSampled(samplingRate: $0["rate"], .laplace(noiseMultiplier: $0["scale"])), $0["order"])
    }
  }

  /// [AC-13]
  @Test func publishedBounds() throws {
    try check(vectors.of("publishedDiscrete"), atLeast: 30) {
      DiscreteGaussianTerm(sum($0["variance"], $0.integer("count"), $0["l2"], $0["l1"], $0.integer("dimension"))).published(
        order: $0["order"])
    }
    try check(vectors.of("skellam"), atLeast: 50) {
      try divergence(.skellam(SkellamNoise(variance: $0["variance"], l2: $0["l2"], l1: $0["l1"])), $0["order"])
    }
  }

  /// [AC-14]
  @Test func exactSumsOfDiscreteGaussians() throws {
    try check(vectors.of("discreteSum"), atLeast: 300) {
      let factor = try #require(LatticeFactor(count: $0.integer("count"), variance: $0["variance"]))
      return ShiftDivergence(factor).divergence(order: $0["order"], shift: $0.integer("shift"))
    }
    try check(vectors.of("sampledDiscrete"), atLeast: 40) {
      let noise = sum($0["variance"], $0.integer("count"), 1, 1, 1)
      return try divergence(.poissonSampled(samplingRate: $0["rate"], .discreteGaussianSum(noise)), $0["order"])
    }
  }

  /// [AC-15]
  @Test func withoutReplacement() throws {
    try check(vectors.of("withoutReplacement"), atLeast: 140) {
      try divergence(.sampledWithoutReplacement(samplingRate: $0["rate"], .gaussian(noiseMultiplier: $0["sigma"])), $0["order"], .replace)
    }
    try check(vectors.of("withoutReplacementLaplace"), atLeast: 18) {
      try divergence(.sampledWithoutReplacement(samplingRate: $0["rate"], .laplace(noiseMultiplier: $0["scale"])), $0["order"], .replace)
    }
  }

  /// [AC-09], [AC-18]
  @Test func composedEpsilon() throws {
    try check(vectors.of("composed"), atLeast: 200) {
      var accountant = try RenyiAccountant()
      try accountant.compose(
        .poissonSampled(samplingRate: $0["rate"], .gaussian(noiseMultiplier: $0["sigma"])), count: $0.integer("steps"))
      let epsilon = try accountant.epsilon(delta: $0["delta"])
      // Total variation may prove ε = 0 where no order does.
      return epsilon.epsilon == 0 && epsilon.order == nil ? $0.exact : epsilon.epsilon
    }
  }

  /// [AC-09], [AC-20]
  @Test func noBoundUndercutsAMechanism() throws {
    for row in vectors.of("exactGaussian", "exactOneStep") {
      let gaussian = NoiseEvent.gaussian(noiseMultiplier: row["sigma"])
      let event = row.kind == "exactGaussian" ? gaussian : .poissonSampled(samplingRate: row["rate"], gaussian)
      let steps = row.kind == "exactGaussian" ? row.integer("steps") : 1
      var renyi = try RenyiAccountant()
      try renyi.compose(event, count: steps)
      #expect(try renyi.epsilon(delta: row["delta"]).epsilon >= row.exact, "\(row)")
      var losses = try PLDAccountant(lossInterval: 1e-3)
      try losses.compose(event, count: steps)
      let (high, low) = (try losses.epsilon(delta: row["delta"]).epsilon, try losses.epsilonAtLeast(delta: row["delta"]))
      #expect(high >= row.exact && low <= row.exact, "\(row): \(low) ... \(high)")
      #expect(high <= row.exact * (1 + 1e-3) + 1e-3, "\(row): \(high / row.exact - 1)")
    }
  }

  private func sum(_ variance: Double, _ count: Int, _ l2: Double, _ l1: Double, _ dimension: Int) -> DiscreteGaussianSum {
    DiscreteGaussianSum(variance: variance, count: count, l2: l2, l1: l1, dimension: dimension)
  }
}
