// What a site refuses although the protocol would allow it: every rule of the policy, of the job's pin, and of what was released before.
import Federation
import Foundation
import SecAgg
import Sodium
import Testing

@testable import Participant

@Suite struct PolicyGateTests {
  private let site: GatedSite
  private var roster: RosterView { site.roster }
  private var journal: Journal { site.journal }

  init() throws { site = try GatedSite() }

  private static func digest(_ value: UInt8) -> [UInt8] { GatedSite.digest(value) }

  private func job() -> JobPlan {
    JobPlan(
      name: "garments", model: "yolov5n", classes: ["shirt"], imageSize: 64, rounds: 5, parameterCount: 100, statisticCount: 10,
      layoutDigest: Self.digest(1), initialWeightsDigest: Self.digest(2))
  }

  private func plan(
    _ job: JobPlan, round: UInt32 = 1, attempt: UInt32 = 0, sites: [UInt32] = [0, 1, 2, 3, 4], weights: UInt8 = 2, reference: UInt64 = 40
  ) -> RoundPlan {
    let kind = RoundKind(round: round)
    let encoding = job.encoding(kind: kind, sites: sites.count, samplesReference: reference)
    return RoundPlan(
      job: job.name, round: round, attempt: attempt, roster: roster, sites: sites.map { SiteID($0) }, weightsDigest: Self.digest(weights),
      configurationDigest: job.digest, sections: job.sections(kind: kind, encoding: encoding), mechanism: encoding.encoded())
  }

  private func consider(
    _ plan: RoundPlan, _ job: JobPlan, policy: SitePolicy = SitePolicy(), kept: [UInt8]? = nil, minute: Int = 720
  ) throws(Refusal) -> PolicyGate.Permission {
    try PolicyGate(policy: policy).consider(plan, job: job, journal: journal, keptMechanism: kept, minute: minute)
  }

  private func expectRefused(
    _ plan: RoundPlan, _ job: JobPlan, policy: SitePolicy = SitePolicy(), kept: [UInt8]? = nil, minute: Int = 720,
    code: RefusalCode = .policy,
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: Refusal.self, sourceLocation: location) { try consider(plan, job, policy: policy, kept: kept, minute: minute) }
    do {
      _ = try consider(plan, job, policy: policy, kept: kept, minute: minute)
    } catch {
      #expect(error.code == code, sourceLocation: location)
    }
  }

  /// Writes a whole attempt into the journal, up to its reveal.
  private func release(_ plan: RoundPlan, survivors: [UInt32]) throws {
    let context = plan.context
    try journal.record(
      .contextUsed(
        job: plan.job, round: plan.round, attempt: plan.attempt, kind: RoundKind(round: plan.round).rawValue, context: context,
        weights: plan.weightsDigest))
    try journal.record(.inputSent(context: context, digest: Self.digest(3)))
    try journal.record(.survivorsSigned(context: context, survivors: survivors, hash: Self.digest(4)))
    try journal.record(.revealed(context: context))
  }

  @Test func anHonestPlanIsAccepted() throws {
    #expect(try consider(plan(job()), job()) == PolicyGate.Permission())
    #expect(try consider(plan(job(), round: 0), job()) == PolicyGate.Permission())
  }

  @Test func thePlanMustBeTheJobs() throws {
    let job = job()
    var other = plan(job)
    other.job = "others"
    expectRefused(other, job)
    other = plan(job)
    other.configurationDigest = Self.digest(9)
    expectRefused(other, job)
    expectRefused(plan(job, round: 6, weights: 5), job)
    // The first rounds start from the weights that the job is pinned to.
    expectRefused(plan(job, round: 0, weights: 5), job)
    expectRefused(plan(job, round: 1, weights: 5), job)
  }

  @Test func theEncodingIsTheJobsAlone() throws {
    let job = job()
    var wide = job
    wide.quantisation.parameterRange = 0.001
    var forged = plan(job)
    forged.mechanism = wide.encoding(kind: .training, sites: 5, samplesReference: 40).encoded()
    expectRefused(forged, job, code: .badMechanism)
    forged = plan(job)
    forged.sections = Array(forged.sections.dropLast())
    expectRefused(forged, job, code: .badMechanism)
    forged = plan(job)
    forged.mechanism = plan(job, round: 0).mechanism
    expectRefused(forged, job, code: .badMechanism)
    forged = plan(job)
    forged.mechanism = [1, 2, 3]
    expectRefused(forged, job, code: .badMechanism)
    expectRefused(plan(job, reference: 0), job, code: .badMechanism)
  }

  @Test func thePolicyBounds() throws {
    let job = job()
    var policy = SitePolicy()
    policy.minimumSites = 6
    expectRefused(plan(job), job, policy: policy)
    policy = SitePolicy()
    policy.updateBytesMax = plan(job).payloadBytes - 1
    expectRefused(plan(job), job, policy: policy)
    policy.updateBytesMax = plan(job).payloadBytes
    #expect(throws: Never.self) { try consider(plan(job), job, policy: policy) }
    policy = SitePolicy()
    policy.trainingHours = .init(from: 1_320, until: 360)
    expectRefused(plan(job), job, policy: policy, minute: 720)
    #expect(throws: Never.self) { try consider(plan(job), job, policy: policy, minute: 5) }
  }

  @Test func anAttemptIsAcceptedOnce() throws {
    let job = job()
    let plan = plan(job)
    try journal.record(
      .contextUsed(job: plan.job, round: 1, attempt: 0, kind: 1, context: plan.context, weights: plan.weightsDigest))
    expectRefused(plan, job, code: .contextUsed)
    // The same number under another context, as a server that lost its state would make it.
    expectRefused(self.plan(job, reference: 41), job, code: .contextUsed)
    // Nothing was released: the next attempt is free.
    #expect(try consider(self.plan(job, attempt: 1), job) == PolicyGate.Permission())
  }

  /// A process that no longer holds the integers that left gives no others, whether this site revealed anything or not.
  @Test func anInputThatLeftIsNotReplaced() throws {
    let job = job()
    let first = plan(job)
    try journal.record(
      .contextUsed(job: first.job, round: 1, attempt: 0, kind: 1, context: first.context, weights: first.weightsDigest))
    #expect(throws: Never.self) { try consider(plan(job, attempt: 1), job) }
    try journal.record(.inputSent(context: first.context, digest: Self.digest(7)))
    let again = plan(job, attempt: 1)
    expectRefused(again, job)
    #expect(try consider(again, job, kept: again.mechanism) == PolicyGate.Permission())
    // Another grid is other integers.
    expectRefused(plan(job, attempt: 1, reference: 41), job, kept: again.mechanism)
    // Other weights are another round; the census sums something else.
    #expect(throws: Never.self) { try consider(plan(job, round: 2, weights: 9), job) }
    #expect(throws: Never.self) { try consider(plan(job, round: 0), job) }
    var policy = SitePolicy()
    policy.retryWithoutDP = true
    #expect(throws: Never.self) { try consider(again, job, policy: policy) }
  }

  @Test func roundsDoNotGoBack() throws {
    let job = job()
    try release(plan(job, round: 3, weights: 6), survivors: [0, 1, 2, 3])
    expectRefused(plan(job, round: 2, weights: 5), job)
    expectRefused(plan(job, round: 3, attempt: 1, weights: 7), job)
    #expect(throws: Never.self) { try consider(plan(job, round: 4, weights: 7), job) }
  }

  @Test func theSameWeightsGiveNoSecondSum() throws {
    let job = job()
    let first = plan(job)
    try release(first, survivors: [0, 1, 2, 3])
    let again = plan(job, attempt: 1)
    expectRefused(again, job)
    expectRefused(plan(job, round: 2), job)
    // The very same integers over the very same survivors tell nothing new.
    #expect(try consider(again, job, kept: again.mechanism).onlySurvivors == [0, 1, 2, 3].map { SiteID($0) })
    expectRefused(plan(job, attempt: 1, sites: [0, 1, 2, 4]), job, kept: again.mechanism)
    expectRefused(plan(job, attempt: 1, reference: 41), job, kept: again.mechanism)
    var policy = SitePolicy()
    policy.retryWithoutDP = true
    #expect(try consider(again, job, policy: policy) == PolicyGate.Permission())
    // A census sums something else.
    var other = job
    other.name = "another job"
    #expect(throws: Never.self) { try consider(plan(other, round: 0), other) }
    expectRefused(plan(other), other)
  }

  // MARK: the job

  private func admit(_ job: JobPlan, named: String = "garments", policy: SitePolicy = SitePolicy()) throws(ParticipantError) {
    try PolicyGate(policy: policy).admit(job: job, named: named, colluders: 1, journal: journal)
  }

  @Test func jobsAreAdmittedByThePolicy() throws {
    let job = job()
    #expect(throws: Never.self) { try admit(job) }
    #expect(throws: ParticipantError.self) { try admit(job, named: "another") }
    let edits: [(inout SitePolicy) -> Void] = [
      { $0.models = ["yolov5s"] }, { $0.roundsMax = 4 }, { $0.colludersMax = 0 }, { $0.updateBytesMax = 100 },
      { $0.epsilonMax.lifetime = 1 }, { $0.units = ["site"] }, { $0.mechanisms = ["discrete_gaussian"] },
    ]
    for edit in edits {
      var policy = SitePolicy()
      edit(&policy)
      #expect { try admit(job, policy: policy) } throws: { ($0 as? ParticipantError)?.code == .policy }
    }
  }

  @Test func aJobKeepsItsFirstWeightsAndConfiguration() throws {
    let job = job()
    try journal.record(.jobPinned(job: job.name, weights: job.initialWeightsDigest, configuration: job.digest))
    #expect(throws: Never.self) { try admit(job) }
    var other = job
    other.training.learningRate = 0.5
    #expect { try admit(other) } throws: { ($0 as? ParticipantError)?.code == .policy }
    other = job
    other.initialWeightsDigest = Self.digest(77)
    #expect { try admit(other) } throws: { ($0 as? ParticipantError)?.code == .policy }
  }

  @Test func rulesOfTheFile() throws {
    let rules = ["max_epsilon: {job: 1.0}": "max_epsilon", "mechanisms: [gaussian]": "mechanisms", "units: [site]": "units"]
    for (text, rule) in rules {
      let config = try SiteConfig.parse(
        "server: 127.0.0.1:7443\nroster: r\nconsortium_key: k\nidentity: i\ndata: d\npolicy:\n  \(text)\n  max_colluders: 2\n")
      let policy = SitePolicy(config.policy)
      #expect(policy.privacyRule == rule)
      #expect(policy.colludersMax == 2)
    }
    let plain = try SiteConfig.parse(
      "server: 127.0.0.1:7443\nroster: r\nconsortium_key: k\nidentity: i\ndata: d\npolicy: {mechanisms: [none, gaussian], units: [none]}\n")
    #expect(SitePolicy(plain.policy).privacyRule == nil)
  }
}
