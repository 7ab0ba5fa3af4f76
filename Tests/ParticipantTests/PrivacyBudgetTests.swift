// What a site spends: limits of the job and of its own policy over a round, a job and a lifetime, from a journal that survives crashes.
import Federation
import Foundation
import SecAgg
import Sodium
import Testing

@testable import Participant

@Suite struct PrivacyBudgetTests {
  private let site: GatedSite
  private var roster: RosterView { site.roster }
  private var folder: TemporaryFolder { site.folder }
  private var journal: Journal { site.journal }

  init() throws { site = try GatedSite() }

  private static func digest(_ value: UInt8) -> [UInt8] { GatedSite.digest(value) }

  private func job(name: String = "garments", epsilon: Double = 100) -> JobPlan {
    var job = JobPlan(
      name: name, model: "yolov5n", classes: ["shirt"], imageSize: 64, rounds: 5, parameterCount: 100, statisticCount: 0,
      layoutDigest: Self.digest(1), initialWeightsDigest: Self.digest(2))
    job.training.batchNormRounds = 0
    job.privacy = JobPlan.Privacy(clip: 1, noiseMultiplier: 2, epsilon: epsilon, delta: 1e-5)
    return job
  }

  private func plan(
    _ job: JobPlan, round: UInt32 = 1, attempt: UInt32 = 0, colluders: Int = 1, _ edit: (inout NoisedEncoding) -> Void = { _ in }
  ) throws -> RoundPlan {
    var plan = RoundPlan(
      job: job.name, round: round, attempt: attempt, roster: roster, sites: (0..<5).map { SiteID($0) }, weightsDigest: Self.digest(2),
      configurationDigest: job.digest, sections: [], mechanism: [])
    guard case .noised(var encoding) = try job.mechanism(kind: .training, sites: 5, samplesReference: 1, shares: plan.noiseShares) else {
      throw Refusal(.badMechanism, "no noise")
    }
    edit(&encoding)
    (plan.sections, plan.mechanism) = (encoding.sections, encoding.encoded())
    return plan
  }

  private func refusal(_ plan: RoundPlan, _ job: JobPlan, _ policy: SitePolicy = SitePolicy()) -> Refusal? {
    do throws(Refusal) {
      _ = try PolicyGate(policy: policy).consider(plan, job: job, journal: journal, keptMechanism: nil, minute: 720)
      return nil
    } catch { return error }
  }

  private func pay(_ plan: RoundPlan) throws {
    try journal.record(
      .contextUsed(job: plan.job, round: plan.round, attempt: plan.attempt, kind: 1, context: plan.context, weights: plan.weightsDigest))
    try journal.record(.charged(context: plan.context, charge: try #require(PrivacyCharge(plan))))
  }

  private func cost(_ plans: [RoundPlan]) -> Double { PrivacyAccount.epsilon(plans.compactMap(PrivacyCharge.init), delta: 1e-5) }

  @Test func theJobsOwnPromiseBinds() throws {
    let first = try plan(job())
    let job = job(epsilon: cost([first, first]) * 1.000001)
    for attempt: UInt32 in 0..<2 {
      let plan = try plan(job, attempt: attempt)
      #expect(refusal(plan, job) == nil)
      try pay(plan)
    }
    let third = try plan(job, attempt: 2)
    #expect(refusal(third, job)?.code == .policy)
    #expect(refusal(third, job)?.reason.contains("the job's epsilon") == true)
    // Another job has its own promise.
    let other = self.job(name: "others", epsilon: job.privacy?.epsilon ?? 0)
    #expect(try refusal(plan(other), other) == nil)
  }

  @Test("[ND-10] limits of the policy", arguments: ["round", "job", "lifetime"]) func limitsOfThePolicy(name: String) throws {
    let job = job()
    let first = try plan(job)
    var policy = SitePolicy()
    let most = cost([first]) * 1.2
    #expect(most < cost([first, first]))
    switch name {
    case "round": policy.epsilonMax.round = most
    case "job": policy.epsilonMax.job = most
    default: policy.epsilonMax.lifetime = most
    }
    #expect(refusal(first, job, policy) == nil)
    try pay(first)
    // Another attempt of the round, another round, another job.
    #expect(try refusal(plan(job, attempt: 1), job, policy)?.reason.contains("max_epsilon.\(name)") == true)
    #expect(try (refusal(plan(job, round: 2), job, policy) == nil) == (name == "round"))
    let other = self.job(name: "others")
    #expect(try (refusal(plan(other), other, policy) == nil) == (name != "lifetime"))
    // A stricter delta costs more: the limit no longer holds the first.
    var strict = policy
    strict.delta = 1e-30
    let fresh = self.job(name: "third")
    if name != "lifetime" { #expect(try refusal(plan(fresh), fresh, strict)?.code == .policy) }
  }

  /// A server that chose delta freely could make any epsilon small, and reopen what was spent.
  @Test func theLimitsHoldAtTheSitesDelta() throws {
    var policy = SitePolicy()
    var loose = job()
    loose.privacy?.delta = 0.01
    let plan = try plan(loose)
    let (atItsOwn, atOurs) = (PrivacyAccount.epsilon([PrivacyCharge(plan)].compactMap { $0 }, delta: 0.01), cost([plan]))
    #expect(atItsOwn < atOurs)
    policy.epsilonMax.lifetime = (atItsOwn + atOurs) / 2
    #expect(refusal(plan, loose, policy)?.reason.contains("lifetime") == true)
    policy.delta = 0.01
    #expect(refusal(plan, loose, policy) == nil)
  }

  @Test("[ND-10] what was paid survives a restart, and is paid once")
  func whatWasPaidSurvivesARestartAndIsPaidOnce() throws {
    let job = job()
    let plan = try plan(job)
    try pay(plan)
    let charge = try #require(PrivacyCharge(plan))
    try journal.record(.charged(context: plan.context, charge: charge))
    #expect(journal.charges.count == 1)
    let other = PrivacyCharge(mechanism: charge.mechanism, shares: charge.shares + 1)
    #expect { try journal.record(.charged(context: plan.context, charge: other)) } throws: {
      ($0 as? ParticipantError)?.code == .journalForbids
    }
    // Before acceptance, and after the input left, nothing is paid.
    #expect { try journal.record(.charged(context: Self.digest(9), charge: charge)) } throws: {
      ($0 as? ParticipantError)?.code == .journalForbids
    }
    let late = try self.plan(job, attempt: 1)
    try journal.record(.contextUsed(job: late.job, round: 1, attempt: 1, kind: 1, context: late.context, weights: late.weightsDigest))
    try journal.record(.inputSent(context: late.context, digest: Self.digest(3)))
    #expect { try journal.record(.charged(context: late.context, charge: charge)) } throws: {
      ($0 as? ParticipantError)?.code == .journalForbids
    }
    // Every record is on the disk when `record` returns: a copy of the file is what a crash would leave.
    let copy = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: folder.path + "/journal", toPath: copy.path + "/journal")
    let again = try Journal(directory: copy.path)
    #expect(again.charges.map(\.charge) == [charge] && again.charges.map(\.job) == ["garments"])
    #expect(again.attempt(context: plan.context)?.charge == charge)
  }

  /// The file as a kill at any instant leaves it: an input that may have left is always paid for.
  @Test("[ND-10] no input without its charge, wherever the file ends") func noInputWithoutItsCharge() throws {
    let plan = try plan(job())
    try pay(plan)
    try journal.record(.inputSent(context: plan.context, digest: Self.digest(3)))
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/journal"))
    var seen: Set<String> = []
    for count in 0...whole.count {
      let copy = try TemporaryFolder()
      try whole.prefix(count).write(to: URL(fileURLWithPath: copy.path + "/journal"))
      guard let cut = try? Journal(directory: copy.path) else { continue }
      let attempt = cut.attempt(context: plan.context)
      #expect(attempt?.input == nil || attempt?.charge != nil)
      seen.insert("\(attempt != nil) \(attempt?.charge != nil) \(attempt?.input != nil)")
    }
    #expect(seen == ["false false false", "true false false", "true true false", "true true true"])
  }

  @Test("[RF-04] [RP-09] a charge is taken back once, for what was paid, and never a training's") func refunds() throws {
    let job = job()
    let (first, second) = (try plan(job), try plan(job, attempt: 1))
    for plan in [first, second] {
      try pay(plan)
      try journal.record(.inputSent(context: plan.context, digest: Self.digest(3)))
    }
    #expect(journal.charges.count == 2)
    try journal.record(.refunded(context: first.context))
    try journal.record(.refunded(context: first.context))
    #expect(journal.charges.count == 1)
    let copy = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: folder.path + "/journal", toPath: copy.path + "/journal")
    let again = try Journal(directory: copy.path)
    #expect(again.charges.count == 1 && again.attempt(context: first.context)?.isRefunded == true)
    #expect(again.attempt(context: first.context)?.charge != nil)
    func forbids(_ context: [UInt8]) {
      #expect { try journal.record(.refunded(context: context)) } throws: { ($0 as? ParticipantError)?.code == .journalForbids }
    }
    forbids(Self.digest(77))
    let unpaid = try plan(job, attempt: 2)
    try journal.record(.contextUsed(job: "garments", round: 1, attempt: 2, kind: 1, context: unpaid.context, weights: unpaid.weightsDigest))
    forbids(unpaid.context)
    // Noised steps: what was learnt goes on in momenta.
    var steps = job
    steps.privacy?.records = .init(samplingRate: 0.02, lotSize: 16)
    try journal.record(.charged(context: unpaid.context, charge: try #require(steps.charge(for: unpaid))))
    forbids(unpaid.context)
    let entry = JournalEntry.refunded(context: first.context)
    #expect(JournalEntry(encoded: entry.encoded) == entry && JournalEntry(encoded: entry.encoded + [0]) == nil)
  }

  @Test func entriesThatNobodyWroteAreNoCharges() throws {
    let charge = try #require(PrivacyCharge(plan(job())))
    let entry = JournalEntry.charged(context: Self.digest(1), charge: charge)
    #expect(JournalEntry(encoded: entry.encoded) == entry)
    #expect(JournalEntry(encoded: entry.encoded + [0]) == nil)
    for count in 0..<entry.encoded.count { #expect(JournalEntry(encoded: Array(entry.encoded.prefix(count))) == nil) }
    for bad in [PrivacyCharge(mechanism: charge.mechanism, shares: 0), PrivacyCharge(mechanism: [1, 2], shares: 3)] {
      #expect(JournalEntry(encoded: JournalEntry.charged(context: Self.digest(1), charge: bad).encoded) == nil)
      #expect(PrivacyAccount.epsilon([bad], delta: 1e-5) == .infinity)
    }
  }

  /// Another attempt on the same weights has fresh noise and is paid for again, so it needs no kept integers.
  @Test func anotherAttemptIsFreeButNotForFree() throws {
    let job = job()
    let first = try plan(job)
    try pay(first)
    try journal.record(.inputSent(context: first.context, digest: Self.digest(3)))
    #expect(try refusal(plan(job, attempt: 1), job) == nil)
    try journal.record(.survivorsSigned(context: first.context, survivors: [0, 1, 2, 3], hash: Self.digest(4)))
    try journal.record(.revealed(context: first.context))
    #expect(try refusal(plan(job, attempt: 1), job) == nil)
  }

  @Test("[ND-09] a plan may add noise, but not take any")
  func aPlanMayAddNoiseButNotTakeAny() throws {
    let job = job()
    let louder = try NoisedEncoding.planned(sites: 5, dimension: 100, bits: 20, clip: 1, noiseMultiplier: 2.2, assured: 3)
    #expect(try refusal(plan(job) { $0 = louder }, job) == nil)
    let edits: [(inout NoisedEncoding) -> Void] = [
      { $0.variance = Fraction($0.variance.numerator * 99 / 100)! }, { $0.normSquaredMax += $0.normSquaredMax / 50 }, { $0.clip = 2 },
      { $0.bits += 1 }, { $0.dimension = 99 },
    ]
    for edit in edits { #expect(try refusal(plan(job, edit), job)?.code == .badMechanism) }
    // A census tells counts, and a plan without noise tells the sum.
    var census = try plan(job)
    census.round = 0
    #expect(refusal(census, job)?.code == .policy)
    var plain = job
    plain.privacy = nil
    var bare = try plan(job)
    let encoding = plain.encoding(kind: .training, sites: 5, samplesReference: 40)
    (bare.sections, bare.mechanism) = (plain.sections(kind: .training, encoding: encoding), encoding.encoded())
    #expect(refusal(bare, job)?.code == .badMechanism)
    var noised = try plan(job)
    noised.configurationDigest = plain.digest
    #expect(refusal(noised, plain)?.code == .badMechanism)
  }

  @Test func jobsAreAdmittedByTheirPrivacy() throws {
    func admit(_ edit: (inout SitePolicy) -> Void) -> Bool {
      var policy = SitePolicy()
      edit(&policy)
      return (try? PolicyGate(policy: policy).admit(job: job(), named: "garments", colluders: 1, journal: journal)) != nil
    }
    #expect(admit { _ in })
    #expect(admit { ($0.units, $0.mechanisms) = (["site"], ["discrete_gaussian"]) })
    #expect(admit { $0.epsilonMax.job = 100 })
    #expect(!admit { $0.units = ["record"] })
    #expect(!admit { $0.mechanisms = ["none", "skellam"] })
    #expect(!admit { $0.epsilonMax.job = 99 })
  }
}
