// The privacy of a job as both sides must agree on it: the plan's canonical bytes, the file that asks for it, the account.
import Foundation
import SecAgg
import Testing

@testable import Federation

@Suite struct JobPrivacyTests {
  private func plan(_ edit: (inout JobPlan) -> Void = { _ in }) -> JobPlan {
    var plan = JobPlan(
      name: "garments", model: "yolov5n", classes: ["top"], imageSize: 128, rounds: 8, parameterCount: 100_000, statisticCount: 0,
      layoutDigest: [UInt8](repeating: 1, count: 32), initialWeightsDigest: [UInt8](repeating: 2, count: 32))
    plan.training.batchNormRounds = 0
    plan.privacy = JobPlan.Privacy(clip: 0.5, noiseMultiplier: 3, epsilon: 8, delta: 1e-5)
    edit(&plan)
    return plan
  }

  @Test func aNoisedPlanIsThePlanAndFourNumbers() throws {
    let noised = plan()
    let plain = plan { $0.privacy = nil }
    #expect(noised.encoded().prefix(plain.encoded().count) == plain.encoded()[...])
    #expect(noised.encoded().count == plain.encoded().count + 32)
    #expect(try JobPlan.decode(noised.encoded()) == noised && JobPlan.decode(plain.encoded()) == plain)
    #expect(noised.firstRound == 1 && plain.firstRound == 0)
    #expect(noised.metricNames.isEmpty && !plain.metricNames.isEmpty)
    for count in plain.encoded().count + 1..<noised.encoded().count {
      #expect(throws: JobPlanError.self) { try JobPlan.decode(Array(noised.encoded().prefix(count))) }
    }
    #expect(throws: JobPlanError.self) { try JobPlan.decode(noised.encoded() + [0]) }
  }

  @Test func everyNumberEntersTheDigest() {
    let digests = Set(
      [
        plan(), plan { $0.privacy?.clip = 1 }, plan { $0.privacy?.noiseMultiplier = 2 }, plan { $0.privacy?.epsilon = 7 },
        plan { $0.privacy?.delta = 1e-6 }, plan { $0.privacy = nil },
      ].map(\.digest))
    #expect(digests.count == 6)
  }

  static let faults: [@Sendable (inout JobPlan) -> Void] = [
    { $0.privacy?.clip = 0 }, { $0.privacy?.clip = 1e7 }, { $0.privacy?.noiseMultiplier = 0 }, { $0.privacy?.noiseMultiplier = 1e7 },
    { $0.privacy?.epsilon = 0 }, { $0.privacy?.epsilon = 1001 }, { $0.privacy?.delta = 0 }, { $0.privacy?.delta = 0.011 },
    { $0.validatesLocally = true }, { $0.training.batchNormRounds = 1 },
  ]

  @Test(arguments: faults.indices) func limits(index: Int) {
    let faulty = plan(Self.faults[index])
    #expect(throws: JobPlanError.self) { try faulty.validate() }
    #expect(throws: JobPlanError.self) { try JobPlan.decode(faulty.encoded()) }
  }

  // MARK: the operator's file

  private static func file(_ privacy: String, _ rest: String = "") -> String {
    "security: {differential_privacy: {enabled: true, \(privacy)}}\n\(rest)"
  }

  @Test func siteLevelPrivacyIsTaken() throws {
    let config = try FederatedConfig.parse(Self.file("unit: site, epsilon: 2, delta: 1e-6, clip: 0.25", "training: {fed_rounds: 20}"))
    #expect(config.privacy.enabled && !config.privacyWaived && config.warnings.isEmpty)
    let privacy = try JobPlan.Privacy.planned(config)
    #expect(privacy.clip == 0.25 && privacy.epsilon == 2 && privacy.delta == 1e-6)
    // The same again for more rounds, less epsilon, less delta: more noise.
    for other in ["unit: site, epsilon: 1, delta: 1e-6", "unit: site, epsilon: 2, delta: 1e-9"] {
      #expect(try JobPlan.Privacy.planned(.parse(Self.file(other, "training: {fed_rounds: 20}"))).noiseMultiplier > privacy.noiseMultiplier)
    }
    #expect(
      try JobPlan.Privacy.planned(.parse(Self.file("unit: site, epsilon: 2, delta: 1e-6", "training: {fed_rounds: 40}"))).noiseMultiplier
        > privacy.noiseMultiplier)
  }

  @Test(arguments: [
    ("epsilon: 1, delta: 1e-5", "", FederationError.Code.privacyNotBuilt), ("unit: record, epsilon: 1, delta: 1e-5", "", .privacyNotBuilt),
    ("unit: site, epsilon: 1, delta: 1e-5, mechanism: skellam", "", .privacyNotBuilt),
    ("unit: site, epsilon: 1, delta: 1e-5, sampling_rate: 0.1", "", .privacyNotBuilt),
    ("unit: site, delta: 1e-5", "", .conflict), ("unit: site, epsilon: 1", "", .conflict),
    ("unit: site, epsilon: 1, delta: 1e-5", "training: {validate: true}", .conflict),
    ("unit: site, epsilon: 1, delta: 1e-5", "training: {freeze_norm_after: 3}", .conflict),
  ])
  func whatIsNotBuiltOrContradicts(privacy: String, rest: String, code: FederationError.Code) {
    let error = #expect(throws: FederationError.self) { try FederatedConfig.parse(Self.file(privacy, rest)) }
    #expect(error?.code == code && error?.place?.line == 1)
  }

  // MARK: the account

  private func charge(_ plan: JobPlan, sites: Int = 5, shares: Int = 3) throws -> PrivacyCharge {
    let mechanism = try plan.mechanism(kind: .training, sites: sites, samplesReference: 1, shares: shares)
    return PrivacyCharge(mechanism: mechanism.encoded(), shares: UInt32(shares))
  }

  @Test("[ND-08] [ND-10] what is planned for all rounds is what they cost", arguments: [1, 10, 100])
  func rounds(count: Int) throws {
    let config = try FederatedConfig.parse(Self.file("unit: site, epsilon: 2, delta: 1e-6", "training: {fed_rounds: \(count)}"))
    let privacy = try JobPlan.Privacy.planned(config)
    for (sites, shares) in [(5, 3), (50, 33), (200, 150)] {
      let charge = try charge(plan { $0.privacy = privacy }, sites: sites, shares: shares)
      let spent = PrivacyAccount.epsilon(charge, count: count, delta: 1e-6)
      #expect(spent <= 2 && spent > 1.999)
      #expect(PrivacyAccount.epsilon(charge, count: count + 1, delta: 1e-6) > 2)
      // One share less than was accounted, as if it had been counted by who was invited.
      let fewer = PrivacyCharge(mechanism: charge.mechanism, shares: charge.shares - 1)
      #expect(PrivacyAccount.epsilon(fewer, count: count, delta: 1e-6) > 2)
    }
  }

  @Test("every coordinate that a noised round sums is noised, and in its event", arguments: [3, 5, 64, 100], [1, 4095, 4096, 100_000])
  func everythingReleasedIsAccountedFor(sites: Int, parameters: Int) throws {
    let job = plan { ($0.parameterCount, $0.statisticCount) = (parameters, 9) }
    let mechanism = try job.mechanism(kind: .training, sites: sites, samplesReference: 1, shares: sites / 2)
    let sections = job.sections(kind: .training, mechanism: mechanism)
    guard case .noised(let encoding) = mechanism, case .discreteGaussianSum(let event) = encoding.event(assured: sites / 2) else {
      Issue.record("no noise")
      return
    }
    // What a site's input holds, by name: weights alone. No count, no loss, no statistic stands beside them.
    #expect(sections.map(\.name) == ["parameters"])
    #expect(sections.reduce(0) { $0 + $1.count } == event.dimension)
    #expect(job.metricNames.isEmpty && job.firstRound == 1)
  }

  @Test func chargesAreAdded() throws {
    let (one, other) = (try charge(plan()), try charge(plan { $0.privacy?.noiseMultiplier = 5 }))
    #expect(PrivacyAccount.epsilon([], delta: 1e-5) == 0)
    let (first, second) = (PrivacyAccount.epsilon([one], delta: 1e-5), PrivacyAccount.epsilon([other], delta: 1e-5))
    let both = PrivacyAccount.epsilon([one, other], delta: 1e-5)
    #expect(both > first && first > second && both < first + second)
    #expect(abs(both / PrivacyAccount.epsilon([other, one], delta: 1e-5) - 1) < 1e-12)
    #expect(PrivacyAccount.epsilon([one, one], delta: 1e-5) == PrivacyAccount.epsilon(one, count: 2, delta: 1e-5))
    #expect(PrivacyAccount.epsilon([one, PrivacyCharge(mechanism: [], shares: 3)], delta: 1e-5) == .infinity)
  }

  @Test("a sum over the sparse graph takes its graph's failure from delta")
  func sparse() throws {
    let charge = try charge(plan(), sites: 100, shares: 60)
    let spent = PrivacyAccount.epsilon([charge], delta: 1e-11)
    let complete = try self.charge(plan(), sites: 64, shares: 60)
    #expect(spent > PrivacyAccount.epsilon([complete], delta: 1e-11) * 1.0001)
    // 2^-40 an attempt: eleven of them are more than 1e-11.
    #expect(PrivacyAccount.epsilon(charge, count: 11, delta: 1e-11) == .infinity)
    #expect(PrivacyAccount.epsilon(complete, count: 11, delta: 1e-11).isFinite)
  }
}
