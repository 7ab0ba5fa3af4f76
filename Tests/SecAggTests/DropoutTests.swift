// Every subset of dropouts in every phase, for every n up to 6: the right sum bit for bit, or the abort that the sets predict.
import TestSupport
import Testing

@testable import SecAgg

/// What must happen, by counting only: no cryptography, no state machine. [SA-22] [SA-30] [SA-40] [SA-51] [SA-73] [SA-80] [SA-84]
struct Prediction {
  var survivors: [SiteID] = []
  var code: RefusalCode?

  init(_ plan: RoundPlan, _ death: [SiteID: Phase]) {
    func alive(after phase: Phase) -> [SiteID] { plan.sites.filter { death[$0].map { $0 > phase } ?? true } }
    let shortages: [(Phase, RefusalCode)] = [
      (.plan, .tooFewAccepted), (.keys, .tooFewKeys), (.shares, .tooFewDealers), (.acknowledge, .tooFewAcknowledged),
      (.maskedInput, .tooFewInputs), (.consistency, .tooFewSignatures), (.reveal, .tooFewShares),
    ]
    for (phase, code) in shortages where alive(after: phase).count < (phase == .maskedInput ? plan.inputsMin : plan.threshold) {
      self.code = code
      return
    }
    survivors = alive(after: .maskedInput)
  }
}

@Suite struct DropoutTests {
  static let mortal: [Phase] = [.plan, .keys, .shares, .acknowledge, .maskedInput, .consistency, .reveal]

  private func check(
    _ count: Int, _ death: [SiteID: Phase], _ notice: World.Notice, pieces: Int = 0, minimumSurvivors: Int? = nil,
    late: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let world = try World(count, minimumSurvivors: minimumSurvivors, parameters: 3, statistics: 1)
    world.deathPhase = death
    world.notice = notice
    world.piecesBeforeDeath = pieces
    world.providesLate = late
    world.run()
    let expected = Prediction(world.plan, death)
    let story = "n \(count), deaths \(death.sorted { $0.key < $1.key }), \(notice)"
    if let code = expected.code {
      #expect(world.abortCode == code, "\(story)", sourceLocation: sourceLocation)
      // No site that lives on is left waiting.
      for site in world.server.live { #expect(world.code(site) == code, "\(story)", sourceLocation: sourceLocation) }
    } else {
      guard let sum = world.sum else {
        Issue.record("no sum: \(story)", sourceLocation: sourceLocation)
        return
      }
      #expect(sum.survivors == expected.survivors, "\(story)", sourceLocation: sourceLocation)
      #expect(sum.sections == world.plainSum(expected.survivors), "\(story)", sourceLocation: sourceLocation)
      for site in world.server.live { #expect(world.ends[site] == .completed, "\(story)", sourceLocation: sourceLocation) }
    }
    #expect(Set(world.dropped.map(\.0)).isSubset(of: Set(death.keys)), "\(story)", sourceLocation: sourceLocation)
  }

  @Test(arguments: 3...6, mortal) func everySubsetInEveryPhase(count: Int, phase: Phase) throws {
    let sites = Fixture.sites(count)
    for subset in 0..<(1 << count) {
      let death = Dictionary(
        uniqueKeysWithValues: sites.enumerated().filter { subset >> $0.offset & 1 == 1 }.map { ($0.element, phase) })
      // Both ways of noticing, in turns where there are many subsets.
      let notices: [World.Notice] = count < 5 ? [.vanished, .deadline] : subset.nonzeroBitCount % 2 == 0 ? [.vanished] : [.deadline]
      for notice in notices { try check(count, death, notice) }
    }
  }

  @Test(arguments: 3...6) func everySubsetWithHalfSentInputs(count: Int) throws {
    let sites = Fixture.sites(count)
    for subset in 1..<(1 << count) {
      let death = Dictionary(
        uniqueKeysWithValues: sites.enumerated().filter { subset >> $0.offset & 1 == 1 }.map { ($0.element, Phase.maskedInput) })
      try check(count, death, subset % 2 == 0 ? .vanished : .deadline, pieces: 1)
    }
  }

  @Test func everyAssignmentOfPhasesToThreeSites() throws {
    let fates: [Phase?] = [nil] + DropoutTests.mortal
    let sites = Fixture.sites(3)
    for code in 0..<(fates.count * fates.count * fates.count) {
      var death: [SiteID: Phase] = [:]
      var rest = code
      for site in sites {
        death[site] = fates[rest % fates.count]
        rest /= fates.count
      }
      try check(3, death, code % 2 == 0 ? .vanished : .deadline)
    }
  }

  @Test func mixedPhasesInLargerCohorts() throws {
    var random = SeededGenerator(seed: 20)
    for run in 0..<120 {
      let count = Int.random(in: 4...8, using: &random)
      var death: [SiteID: Phase] = [:]
      for site in Fixture.sites(count) where Int.random(in: 0..<4, using: &random) == 0 {
        death[site] = DropoutTests.mortal.randomElement(using: &random)
      }
      try check(
        count, death, run % 2 == 0 ? .vanished : .deadline, pieces: run % 3, minimumSurvivors: run % 5 == 0 ? count - 1 : nil,
        late: run % 7 == 0)
    }
  }

  /// An input that is complete stays in the sum although its site vanishes before U3 is fixed.
  @Test func aCompleteInputOutlivesItsSite() throws {
    let world = try World(5)
    let (gone, slow) = (Fixture.site(1), Fixture.site(4))
    world.deathPhase[slow] = .maskedInput
    world.perform(world.server.start())
    world.drain()
    world.perform(world.server.vanished(gone))
    world.perform(world.server.vanished(slow))
    // Three sites are left to sign and reveal, and t is four.
    #expect(world.abortCode == .tooFewSignatures)

    let lucky = try World(6)
    lucky.deathPhase[slow] = .maskedInput
    lucky.perform(lucky.server.start())
    lucky.drain()
    lucky.deathPhase = [:]
    lucky.perform(lucky.server.vanished(gone))
    lucky.perform(lucky.server.reconnected(slow))
    lucky.drain()
    let sum = try #require(lucky.sum)
    #expect(sum.survivors == lucky.plan.sites && !sum.revealers.contains(gone))
    #expect(sum.sections == lucky.plainSum(lucky.plan.sites))
  }

  /// [SA-90] An abort names who was missing and when, and says whose word that is.
  @Test(arguments: [World.Notice.vanished, .deadline]) func anAbortNamesTheMissing(notice: World.Notice) throws {
    let world = try World(5)
    world.deathPhase = [Fixture.site(0): .shares, Fixture.site(3): .maskedInput]
    world.notice = notice
    world.run()
    guard case .aborted(let refusal) = world.outcome else {
      Issue.record("there is no sum of three")
      return
    }
    #expect(refusal.code == .tooFewInputs && refusal.culprit == nil)
    #expect(refusal.reason.contains("site 3 in phase shares") && refusal.reason.contains("site 33 in phase masked-input"))
    #expect(refusal.reason.contains("the server's word"))
    if notice == .deadline { #expect(world.code(Fixture.site(3)) == .silent) }
  }
}
