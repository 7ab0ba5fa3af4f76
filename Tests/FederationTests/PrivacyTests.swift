// The privacy of a job as both sides must agree on it: the plan's canonical bytes, the file that asks for it, the account.
import Foundation
import SecAgg
import Sodium
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

  @Test func aNoisedPlanIsThePlanAndFiveFields() throws {
    let noised = plan()
    let plain = plan { $0.privacy = nil }
    #expect(noised.encoded().prefix(plain.encoded().count) == plain.encoded()[...])
    #expect(noised.encoded().count == plain.encoded().count + 32 + 4 + "discrete_gaussian".count)
    #expect(try JobPlan.decode(noised.encoded()) == noised && JobPlan.decode(plain.encoded()) == plain)
    #expect(noised.firstRound == 1 && plain.firstRound == 0)
    #expect(noised.metricNames.isEmpty && !plain.metricNames.isEmpty)
    for count in plain.encoded().count + 1..<noised.encoded().count {
      #expect(throws: JobPlanError.self) { try JobPlan.decode(Array(noised.encoded().prefix(count))) }
    }
    #expect(throws: JobPlanError.self) { try JobPlan.decode(noised.encoded() + [0]) }
  }

  private func recordPlan(_ edit: (inout JobPlan) -> Void = { _ in }) -> JobPlan {
    plan {
      $0.privacy?.records = JobPlan.Privacy.Records(samplingRate: 0.02, lotSize: 16)
      edit(&$0)
    }
  }

  @Test("[RP-08] [RP-10] a plan with noised steps is a plan and nine fields, sums weights alone, and costs its steps")
  func aPlanWithNoisedSteps() throws {
    let steps = recordPlan { $0.statisticCount = 12 }
    #expect(steps.encoded().count == plan().encoded().count + 20 + 4 + "local".count)
    #expect(try JobPlan.decode(steps.encoded()) == steps)
    let shared = recordPlan { $0.privacy?.records?.form = .distributed }
    #expect(try JobPlan.decode(shared.encoded()) == shared && shared.digest != steps.digest)
    #expect(shared.recordMechanism == nil && shared.recordStepsPerRound == nil && shared.noisesSums && shared.sumsGradients)
    #expect(!steps.noisesSums && !steps.sumsGradients && plan().noisesSums && !plan().sumsGradients)
    for edit: (inout JobPlan) -> Void in [
      { $0.privacy?.records?.clipQuantile = 0.5 }, { $0.training.optimizer = .adamW }, { $0.training.localEpochs = 2 },
      { $0.training.roundsPerEpoch = 2 },
    ] {
      var wrong = shared
      edit(&wrong)
      #expect(throws: JobPlanError.self) { try wrong.validate() }
    }
    #expect(throws: JobPlanError.self) { try recordPlan { $0.privacy?.noise = .skellam }.validate() }
    let adaptive = recordPlan { $0.privacy?.records?.clipQuantile = 0.5 }
    #expect(try JobPlan.decode(adaptive.encoded()) == adaptive && adaptive.digest != recordPlan().digest)
    for count in plan().encoded().count + 1..<steps.encoded().count {
      #expect(throws: JobPlanError.self) { try JobPlan.decode(Array(steps.encoded().prefix(count))) }
    }
    #expect(steps.firstRound == 1 && steps.metricNames.isEmpty)
    let mechanism = try steps.mechanism(kind: .training, sites: 5, samplesReference: 99, shares: 0)
    guard case .plain(let encoding) = mechanism else {
      Issue.record("noise in the sum")
      return
    }
    #expect(encoding.scalars.isEmpty && encoding.samplesReference == 0)
    #expect(steps.sections(kind: .training, mechanism: mechanism).map(\.name) == ["parameters"])
    #expect(steps.updateBytesMin == 250_000)
    #expect(steps.recordStepsPerRound == 50)
    #expect(recordPlan { $0.training.localEpochs = 3 }.recordStepsPerRound == 150)
    #expect(recordPlan { $0.training.roundsPerEpoch = 8 }.recordStepsPerRound == 7)
  }

  static let recordFaults: [@Sendable (inout JobPlan) -> Void] = [
    { $0.privacy?.records?.samplingRate = 0 }, { $0.privacy?.records?.samplingRate = 1.5 }, { $0.privacy?.records?.lotSize = 0 },
    { $0.privacy?.records?.clipQuantile = 1 }, { $0.privacy?.noiseMultiplier = 0.005 }, { $0.privacy?.noiseMultiplier = 2000 },
  ]

  @Test(arguments: recordFaults.indices) func recordLimits(index: Int) {
    let faulty = recordPlan(Self.recordFaults[index])
    #expect(throws: JobPlanError.self) { try faulty.validate() }
    #expect(throws: JobPlanError.self) { try JobPlan.decode(faulty.encoded()) }
  }

  @Test("[RP-08] what is planned for records is what all rounds cost", arguments: [(1.0, 100, 5), (8.0, 10, 1)])
  func recordRounds(epsilon: Double, rounds: Int, epochs: Int) throws {
    let config = try FederatedConfig.parse(
      Self.file("epsilon: \(epsilon), delta: 1e-5", "training: {fed_rounds: \(rounds), local_epochs: \(epochs)}"))
    #expect(config.privacy.unit == .record)
    let privacy = try JobPlan.Privacy.planned(config)
    #expect(privacy.records == JobPlan.Privacy.Records(samplingRate: 0.02, lotSize: 16) && privacy.unit == .record)
    let job = plan {
      ($0.rounds, $0.training.localEpochs, $0.privacy) = (rounds, epochs, privacy)
    }
    let charge = try recordCharge(job)
    #expect(charge.shares == UInt32(50 * epochs))
    let spent = PrivacyAccount.epsilon(charge, count: rounds, delta: 1e-5)
    #expect(spent <= epsilon && spent > 0.999 * epsilon)
    #expect(PrivacyAccount.epsilon(charge, count: rounds + 1, delta: 1e-5) > epsilon)
    // Bytes that are cut or longer are no charge.
    for bytes in [Array(charge.mechanism.dropLast()), charge.mechanism + [0], []] {
      #expect(PrivacyCharge(mechanism: bytes, shares: 1).event == nil)
    }
  }

  private func recordCharge(_ job: JobPlan) throws -> PrivacyCharge {
    let roster = RosterView(
      digest: [UInt8](repeating: 3, count: 32), colluders: 1, siteKeys: [:], serverKey: Ed25519.SigningKey().publicKey)
    let round = RoundPlan(
      job: job.name, round: 1, attempt: 0, roster: roster, sites: (0..<5).map { SiteID($0) }, weightsDigest: job.initialWeightsDigest,
      configurationDigest: job.digest, sections: [], mechanism: [])
    return try #require(job.charge(for: round))
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

  @Test(
    "[ND-08] what is planned for shared noise is what all rounds cost",
    arguments: [
      "unit: site", "unit: site, mechanism: skellam", "form: distributed", "form: distributed, mechanism: skellam, sampling_rate: 0.3",
      "form: distributed, mechanism: skellam, sampling_rate: 1",
    ])
  func sharedRounds(privacy: String) throws {
    let config = try FederatedConfig.parse(Self.file("\(privacy), epsilon: 4, delta: 1e-5", "training: {fed_rounds: 30}"))
    let job = plan { ($0.rounds, $0.privacy, $0.training.localEpochs) = (30, try? JobPlan.Privacy.planned(config), 1) }
    let roster = RosterView(
      digest: [UInt8](repeating: 3, count: 32), colluders: 1, siteKeys: [:], serverKey: Ed25519.SigningKey().publicKey)
    var round = RoundPlan(
      job: job.name, round: 1, attempt: 0, roster: roster, sites: (0..<5).map { SiteID($0) }, weightsDigest: job.initialWeightsDigest,
      configurationDigest: job.digest, sections: [], mechanism: [])
    round.mechanism = try job.mechanism(kind: .training, of: round, samplesReference: 1).encoded()
    #expect((config.aggregation.graph == .complete) == privacy.contains("skellam"))
    let charge = try #require(job.charge(for: round))
    let spent = PrivacyAccount.epsilon(charge, count: 30, delta: 1e-5)
    #expect(spent <= 4 && spent > 0.999 * 4)
  }

  @Test(arguments: [
    ("epsilon: 1, delta: 1e-5, form: central", "", FederationError.Code.outOfRange),
    ("epsilon: 1, delta: 1e-5, form: distributed, clip_quantile: 0.5", "", .conflict),
    ("epsilon: 1, delta: 1e-5, form: distributed", "training: {local_epochs: 2}", .conflict),
    ("epsilon: 1, delta: 1e-5, form: distributed", "training: {optimizer: adamw}", .conflict),
    ("epsilon: 1, delta: 1e-5, mechanism: skellam", "", .conflict),
    ("unit: record, epsilon: 1, delta: 1e-5, mechanism: gaussian", "", .privacyNotBuilt), ("unit: record, epsilon: 1", "", .conflict),
    ("unit: record, epsilon: 1, delta: 1e-5", "training: {validate: true}", .conflict),
    ("unit: record, epsilon: 1, delta: 1e-5, sampling_rate: 0", "", .outOfRange),
    ("unit: record, epsilon: 1, delta: 1e-5, clip_quantile: 1", "", .outOfRange),
    ("unit: site, epsilon: 1, delta: 1e-5, clip_quantile: 0.5", "", .conflict),
    ("unit: site, epsilon: 1, delta: 1e-5, lot_size: 5", "", .conflict),
    ("unit: site, epsilon: 1, delta: 1e-5, form: local", "", .conflict),
    ("unit: site, epsilon: 1, delta: 1e-5, mechanism: gaussian", "", .privacyNotBuilt),
    ("unit: site, epsilon: 1, delta: 1e-5, sampling_rate: 0.1", "", .conflict),
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
