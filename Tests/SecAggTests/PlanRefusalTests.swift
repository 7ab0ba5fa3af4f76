// Plans that no honest party takes part in, refused by the validation and by a site to which the server signed them.
import Sodium
import Testing

@testable import SecAgg

@Suite struct PlanRefusalTests {
  struct BadPlan: Sendable, CustomTestStringConvertible {
    let code: RefusalCode
    let what: String
    let edit: @Sendable (inout RoundPlan) -> Void
    var testDescription: String { "[\(code.rawValue)] \(what)" }
  }

  static func mechanism(_ sites: Int, _ edit: (inout EncodingParameters) -> Void) -> [UInt8] {
    var encoding = Fixture.encoding(sites)
    edit(&encoding)
    return encoding.encoded()
  }

  // [SA-10] [SA-11] [SA-12] [SA-13] [SA-15] [SA-16] [SA-17] [SA-18] [SA-19]; the fixture has five sites and one colluder.
  static let badPlans: [BadPlan] = [
    BadPlan(code: .rosterDiffers, what: "another roster") { $0.rosterDigest[0] ^= 1 },
    BadPlan(code: .badCohort, what: "two sites") { $0.sites = Array($0.sites.prefix(2)) },
    BadPlan(code: .badCohort, what: "a site that the roster does not know") { $0.sites[4] = SiteID(9999) },
    BadPlan(code: .cohortTooLarge, what: "129 sites in the complete graph") { plan in
      plan.sites = Fixture.sites(129)
      plan.neighbours = 128
    },
    BadPlan(code: .cohortTooLarge, what: "10,001 sites") { $0.sites = (0..<10_001).map { SiteID($0) } },
    BadPlan(code: .badParameters, what: "a sparse graph for which there is no degree") { $0.sites = Fixture.sites(65) },
    BadPlan(code: .wrongThreshold, what: "a lower threshold") { $0.threshold -= 1 },
    BadPlan(code: .wrongThreshold, what: "a higher threshold") { $0.threshold += 1 },
    BadPlan(code: .wrongColluders, what: "colluders shrunk with the cohort") { plan in
      plan.colluders = 0
      plan.threshold = RoundPlan.threshold(sites: 5, colluders: 0)
    },
    BadPlan(code: .wrongColluders, what: "as many colluders as sites") { $0.colluders = 5 },
    BadPlan(code: .cohortTooLarge, what: "a sparse graph of five") { $0.neighbours = 3 },
    BadPlan(code: .badParameters, what: "more neighbours than there are") { $0.neighbours = 5 },
    BadPlan(code: .badParameters, what: "no survivors needed") { $0.minimumSurvivors = 0 },
    BadPlan(code: .badParameters, what: "more survivors than sites") { $0.minimumSurvivors = 6 },
    BadPlan(code: .badParameters, what: "a digest of 31 bytes") { $0.weightsDigest.removeLast() },
    BadPlan(code: .badParameters, what: "no configuration digest") { $0.configurationDigest = [] },
    BadPlan(code: .badParameters, what: "a job without a name") { $0.job = "" },
    BadPlan(code: .badParameters, what: "a job's name with a line break") { $0.job = "a\nb" },
    BadPlan(code: .badParameters, what: "a job's name of 257 bytes") { $0.job = String(repeating: "x", count: 257) },
    BadPlan(code: .badLayout, what: "no sections") { $0.sections = [] },
    BadPlan(code: .badLayout, what: "an empty section") { $0.sections[0] = VectorSection(name: "parameters", count: 0, bits: 20) },
    BadPlan(code: .badLayout, what: "other bits") { $0.sections[0] = VectorSection(name: "parameters", count: 5, bits: 19) },
    BadPlan(code: .badLayout, what: "33 bits") { $0.sections[0] = VectorSection(name: "parameters", count: 5, bits: 33) },
    BadPlan(code: .badLayout, what: "a name in capitals") { $0.sections[0] = VectorSection(name: "Parameters", count: 5, bits: 20) },
    BadPlan(code: .badLayout, what: "two sections of one name") { $0.sections[1] = $0.sections[0] },
    BadPlan(code: .badLayout, what: "sections out of order") { $0.sections.swapAt(0, 1) },
    BadPlan(code: .badLayout, what: "too many coordinates") { plan in
      plan.sections[0] = VectorSection(name: "parameters", count: RoundPlan.coordinatesMax, bits: 20)
    },
    BadPlan(code: .wrapBound, what: "bounded for four sites, five invited") { $0.mechanism = mechanism(4) { _ in } },
    BadPlan(code: .wrapBound, what: "four bits for five sites") { plan in
      plan.mechanism = mechanism(5) { $0.parameterBits = 4 }
      plan.sections[0] = VectorSection(name: "parameters", count: 5, bits: 4)
    },
    BadPlan(code: .badMechanism, what: "no mechanism") { $0.mechanism = [] },
    BadPlan(code: .badMechanism, what: "bytes after the mechanism") { $0.mechanism.append(0) },
    BadPlan(code: .badMechanism, what: "an unknown version") { $0.mechanism[0] = 2 },
    BadPlan(code: .badMechanism, what: "an unknown noise mechanism") { $0.mechanism[2] = UInt8(ascii: "N") },
    BadPlan(code: .badMechanism, what: "a range of infinity") { plan in plan.mechanism = mechanism(5) { $0.parameterRange = .infinity } },
    BadPlan(code: .badMechanism, what: "a range that is no number") { plan in plan.mechanism = mechanism(5) { $0.statisticsRange = .nan } },
    BadPlan(code: .badMechanism, what: "a negative range") { plan in plan.mechanism = mechanism(5) { $0.parameterRange = -1 } },
    BadPlan(code: .badMechanism, what: "a range so small that w/range is infinite, which would trap when rounded") { plan in
      plan.mechanism = mechanism(5) { $0.parameterRange = 5e-324 }
    },
    BadPlan(code: .badMechanism, what: "two scalars of one name") { plan in
      plan.mechanism = mechanism(5) { $0.scalars[0] = $0.scalars[2] }
    },
    BadPlan(code: .badMechanism, what: "a fractional largest count") { plan in
      plan.mechanism = mechanism(5) { $0.scalars[0] = ScalarSpec(name: "weight", range: 1.5, isCount: true) }
    },
  ]

  @Test(arguments: badPlans) func isRefusedBeforeAnybodyTakesPart(bad: BadPlan) throws {
    let world = try World(5)
    var plan = world.plan
    bad.edit(&plan)
    do throws(Refusal) {
      try plan.validate(for: Fixture.site(0), roster: world.roster, minimumHonest: 3)
      Issue.record("the plan is valid")
    } catch {
      #expect(error.code == bad.code, "\(error.reason)")
    }
    #expect(throws: Refusal.self) { try ServerSession(plan: plan, roster: world.roster, signingKey: Keys.server) }
    // A server that signs it all the same is refused by the site, by name, without a trap.
    let message = SignedMessage(PlanBody(plan: plan), context: plan.context, sender: .server, key: Keys.server)
    let site = try #require(world.sites[Fixture.site(0)])
    let actions = site.receive(message.bytes)
    guard case .aborted(let refusal) = actions.last else {
      Issue.record("the site did not refuse")
      return
    }
    #expect(refusal.code == bad.code || refusal.code == .malformed)
    #expect(actions.count == 2 && site.phase == .done)
  }

  @Test("[SA-11] a list of sites out of order, or with one twice")
  func cohortOrder() throws {
    let world = try World(5)
    for edit in [{ (plan: inout RoundPlan) in plan.sites.swapAt(0, 1) }, { $0.sites[1] = $0.sites[0] }] {
      var plan = world.plan
      edit(&plan)
      do throws(Refusal) { try plan.validate() } catch { #expect(error.code == .badCohort) }
      #expect(throws: Refusal.self) { try RoundPlan(decoding: plan.encoded()) }
    }
  }

  @Test("[SA-11] a site that is not invited")
  func notInvited() throws {
    let world = try World(6)
    var plan = Fixture.plan(5, roster: world.roster)
    plan.job = "other"
    let message = SignedMessage(PlanBody(plan: plan), context: plan.context, sender: .server, key: Keys.server)
    world.perform(world.sites[Fixture.site(5)]?.receive(message.bytes) ?? [], at: Fixture.site(5))
    #expect(world.code(Fixture.site(5)) == .badCohort)
  }

  @Test("[SA-14] a cohort shrunk until colluders could outnumber the honest")
  func shrunkCohort() throws {
    // Four sites and one colluder: t = 3, of whom two are honest.
    let world = try World(4, colluders: 1, minimumHonest: 3)
    world.run()
    #expect(world.codes() == [.tooFewHonest])
    #expect(world.abortCode == .tooFewAccepted)
  }

  @Test(
    "[SA-20] [SA-21] a refusal of the driver ends the attempt for the site, and the others go on",
    arguments: [RefusalCode.policy, .contextUsed])
  func driverRefuses(code: RefusalCode) throws {
    let world = try World(6)
    let unwilling = Fixture.site(3)
    world.consider = { site, session in
      site == unwilling ? session.refuse(Refusal(code, "not on this hardware")) : session.accept()
    }
    world.run()
    let sum = try #require(world.sum)
    #expect(sum.survivors == world.plan.sites.filter { $0 != unwilling })
    #expect(sum.sections == world.plainSum(sum.survivors))
    let drop = try #require(world.dropped.first)
    #expect(world.dropped.count == 1 && drop.0 == unwilling && drop.2.contains("not on this hardware") && drop.2.contains(code.rawValue))
    #expect(world.code(unwilling) == code)
  }

  @Test(
    "t = max((n + n_C)/2 + 1, 2n/3 + 1), rounded down inside",
    arguments: [
      (3, 0, 3), (4, 0, 3), (5, 1, 4), (6, 1, 5), (7, 2, 5), (8, 1, 6), (10, 3, 7), (64, 21, 43), (6, 5, 6), (5, 4, 5),
    ]) func threshold(n: Int, colluders: Int, t: Int)
  {
    #expect(RoundPlan.threshold(sites: n, colluders: colluders) == t)
    // Two sets of t sites share an honest one.
    #expect(2 * t - n > colluders)
  }

  @Test("[SA-02] another version, suite or an extension in the plan")
  func unsupported() throws {
    let bytes = try World(5).plan.encoded()
    var version = bytes
    version[1] = 2
    var suite = bytes
    suite[4] ^= 1
    var extended = bytes
    extended[extended.count - 1] = 1
    for altered in [version, suite, extended + [7]] {
      do throws(Refusal) { _ = try RoundPlan(decoding: altered) } catch { #expect(error.code == .unsupported) }
    }
    #expect(try RoundPlan(decoding: bytes) == World(5).plan)
  }

  @Test("[SA-102] every field of a plan changes ctx")
  func contextCoversEverything() throws {
    let plan = try World(5).plan
    var contexts: Set<[UInt8]> = [plan.context]
    let edits: [(inout RoundPlan) -> Void] = [
      { $0.job += "x" }, { $0.round += 1 }, { $0.attempt += 1 }, { $0.rosterDigest[31] ^= 1 }, { $0.sites.removeLast() },
      { $0.colluders += 1 }, { $0.threshold += 1 }, { $0.neighbours += 1 }, { $0.minimumSurvivors += 1 },
      { $0.weightsDigest[0] ^= 1 }, { $0.configurationDigest[0] ^= 1 }, { $0.sections.removeLast() },
      { $0.sections[0] = VectorSection(name: "parameters", count: 6, bits: 20) },
      { $0.sections[0] = VectorSection(name: "parameters", count: 5, bits: 21) },
      { $0.sections[0] = VectorSection(name: "parameterz", count: 5, bits: 20) }, { $0.mechanism[10] ^= 1 },
    ]
    for edit in edits {
      var other = plan
      edit(&other)
      #expect(contexts.insert(other.context).inserted)
    }
  }
}
