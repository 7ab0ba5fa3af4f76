// What a site with privacy of single images accepts and pays (spec/13-record-privacy.md): plans that sum weights and nothing else, a
// charge for each training, none for another attempt with the same one.
import Federation
import Foundation
import SecAgg
import Testing

@testable import Participant

@Suite struct RecordBudgetTests {
  private let site: GatedSite

  init() throws { site = try GatedSite() }

  private func job(epsilon: Double = 100) -> JobPlan {
    var job = JobPlan(
      name: "garments", model: "yolov5n", classes: ["shirt"], imageSize: 64, rounds: 5, parameterCount: 100, statisticCount: 8,
      layoutDigest: GatedSite.digest(1), initialWeightsDigest: GatedSite.digest(2))
    job.training.batchNormRounds = 0
    job.privacy = JobPlan.Privacy(
      clip: 1, noiseMultiplier: 1, epsilon: epsilon, delta: 1e-5, records: .init(samplingRate: 0.02, lotSize: 16))
    return job
  }

  private func plan(_ job: JobPlan, round: UInt32 = 1, attempt: UInt32 = 0, like other: JobPlan? = nil) throws -> RoundPlan {
    var plan = RoundPlan(
      job: job.name, round: round, attempt: attempt, roster: site.roster, sites: (0..<5).map { SiteID($0) },
      weightsDigest: GatedSite.digest(2), configurationDigest: job.digest, sections: [], mechanism: [])
    let source = other ?? job
    let kind = RoundKind(round: round)
    let mechanism = try source.mechanism(kind: kind, sites: 5, samplesReference: 40, shares: plan.noiseShares)
    (plan.sections, plan.mechanism) = (source.sections(kind: kind, mechanism: mechanism), mechanism.encoded())
    return plan
  }

  private func refusal(_ plan: RoundPlan, _ job: JobPlan, isPaid: Bool = false, _ policy: SitePolicy = SitePolicy()) -> Refusal? {
    do throws(Refusal) {
      _ = try PolicyGate(policy: policy).consider(
        plan, job: job, journal: site.journal, keptMechanism: nil, isPaid: isPaid, minute: 720)
      return nil
    } catch { return error }
  }

  private func pay(_ job: JobPlan, _ plan: RoundPlan) throws {
    try site.journal.record(
      .contextUsed(job: plan.job, round: plan.round, attempt: plan.attempt, kind: 1, context: plan.context, weights: plan.weightsDigest))
    try site.journal.record(.charged(context: plan.context, charge: try #require(job.charge(for: plan))))
  }

  /// The file as a kill at any instant leaves it, for noised steps and for shared noise of records.
  @Test("[RP-09] [RP-15] no input without its charge, wherever the file ends", arguments: [false, true])
  func noInputWithoutItsCharge(isShared: Bool) throws {
    var job = job()
    if isShared {
      job.privacy?.records?.form = .distributed
      job.privacy?.noise = .skellam
    }
    var plan = try plan(job)
    if isShared { plan.mechanism = try job.mechanism(kind: .training, of: plan, samplesReference: 1).encoded() }
    try pay(job, plan)
    try site.journal.record(.inputSent(context: plan.context, digest: GatedSite.digest(3)))
    try site.journal.record(.survivorsSigned(context: plan.context, survivors: [0, 1, 2, 3], hash: GatedSite.digest(4)))
    try site.journal.record(.revealed(context: plan.context))
    let whole = try Data(contentsOf: URL(fileURLWithPath: site.folder.path + "/journal"))
    var states = 0
    var last = ""
    for count in 0...whole.count {
      let copy = try TemporaryFolder()
      try whole.prefix(count).write(to: URL(fileURLWithPath: copy.path + "/journal"))
      guard let cut = try? Journal(directory: copy.path) else { continue }
      let attempt = cut.attempt(context: plan.context)
      // Nothing leaves unpaid, nothing is signed before it left, nothing revealed before it was signed.
      #expect(attempt?.input == nil || attempt?.charge == job.charge(for: plan))
      #expect(attempt?.survivors == nil || attempt?.input != nil)
      #expect(attempt?.isRevealed != true || attempt?.survivors != nil)
      #expect(cut.charges.count == (attempt?.charge == nil ? 0 : 1))
      let now =
        "\(attempt != nil) \(attempt?.charge != nil) \(attempt?.input != nil) \(attempt?.survivors != nil) \(attempt?.isRevealed == true)"
      if now != last { (states, last) = (states + 1, now) }
    }
    #expect(states == 6)
  }

  @Test("[RP-10] a plan sums weights alone: counts, losses, statistics and a census are refused")
  func weightsAlone() throws {
    let job = job()
    #expect(try refusal(plan(job), job) == nil)
    var plain = job
    plain.privacy = nil
    #expect(try refusal(plan(job, like: plain), job)?.code == .badMechanism)
    // Statistics beside the weights.
    var more = try plan(job)
    more.sections.append(VectorSection(name: "statistics", count: 8, bits: 32))
    #expect(refusal(more, job)?.code == .badMechanism)
    // Weights by counts.
    var weighted = job.encoding(kind: .training, sites: 5, samplesReference: 0)
    weighted.samplesReference = 40
    var other = try plan(job)
    other.mechanism = weighted.encoded()
    #expect(refusal(other, job)?.code == .badMechanism)
    #expect(try refusal(plan(job, round: 0), job)?.code == .policy)
    // Noise in the sum belongs to another unit, and this unit's steps are not charged for it.
    var sites = job
    sites.privacy?.records = nil
    #expect(try refusal(plan(job, like: sites), job)?.code == .badMechanism)
    #expect(try refusal(plan(sites, like: job), sites)?.code == .badMechanism)
  }

  @Test("[RP-09] a training is paid for once, and not beyond the job's epsilon or the site's limits")
  func payments() throws {
    let one = PrivacyAccount.epsilon(try #require(job().charge(for: plan(job()))), count: 1, delta: 1e-5)
    let two = PrivacyAccount.epsilon(try #require(job().charge(for: plan(job()))), count: 2, delta: 1e-5)
    #expect(one > 0 && two > one)
    let job = job(epsilon: two * 1.000001)
    for round: UInt32 in 1...2 {
      let plan = try plan(job, round: round)
      #expect(refusal(plan, job) == nil)
      try pay(job, plan)
    }
    // Another attempt with what was paid for costs nothing; one with a new training is beyond the promise.
    let again = try plan(job, round: 2, attempt: 1)
    #expect(refusal(again, job, isPaid: true) == nil)
    #expect(refusal(again, job)?.reason.contains("the job's epsilon") == true)
    var policy = SitePolicy()
    policy.epsilonMax.lifetime = two * 1.000001
    var other = job
    other.name = "others"
    #expect(try refusal(plan(other), other, isPaid: false, policy)?.reason.contains("lifetime") == true)
    #expect(try refusal(plan(other), other) == nil)
  }

  @Test("[RP-09] charges are read back as they were written, and nothing else is one") func entries() throws {
    let charge = try #require(job().charge(for: plan(job())))
    let entry = JournalEntry.charged(context: GatedSite.digest(1), charge: charge)
    #expect(JournalEntry(encoded: entry.encoded) == entry)
    for count in 0..<entry.encoded.count { #expect(JournalEntry(encoded: Array(entry.encoded.prefix(count))) == nil) }
    let none = PrivacyCharge(mechanism: charge.mechanism, shares: 0)
    #expect(JournalEntry(encoded: JournalEntry.charged(context: GatedSite.digest(1), charge: none).encoded) == nil)
    #expect(PrivacyAccount.epsilon([none], delta: 1e-5) == .infinity)
  }

  @Test func jobsAreAdmittedByTheirUnit() throws {
    func admit(_ edit: (inout SitePolicy) -> Void) -> Bool {
      var policy = SitePolicy()
      edit(&policy)
      return (try? PolicyGate(policy: policy).admit(job: job(), named: "garments", colluders: 1, journal: site.journal)) != nil
    }
    #expect(admit { $0.units = ["record"] } && admit { $0.mechanisms = ["discrete_gaussian"] })
    #expect(!admit { $0.units = ["site", "none"] } && !admit { $0.mechanisms = ["none"] } && !admit { $0.epsilonMax.job = 99 })
  }
}
