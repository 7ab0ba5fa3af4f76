// What shows that an input can be opened by nobody any more, and nothing else (spec/09, "Refunds").
import Sodium
import Testing

@testable import SecAgg

@Suite struct RefundTests {
  private func unopened(_ world: World) -> [Evidence] { world.evidence.filter { $0.claim == .unopened } }

  @Test("[RF-01] [RF-03] an attempt that ends before any reveal: all say that their shares are gone, and that is evidence for all")
  func abortedAttempt() throws {
    for phase in [Phase.shares, .acknowledge, .maskedInput, .consistency] {
      let world = try World(6)
      // t = 5 of six: with two gone there is no sum, and n − t + n_C + 1 = 3 statements are there.
      for site in Fixture.sites(2) { world.deathPhase[site] = phase }
      world.run()
      world.drain()
      #expect(world.sum == nil)
      let shown = try #require(unopened(world).last, "\(phase)")
      #expect(shown.culprit == nil && shown.messages.count == 3 && shown.messages.allSatisfy { $0.type == .destroyed })
      // Two statements leave enough shares for a root.
      let few = Evidence(.unopened, nil, plan: world.plan, Array(shown.messages.dropLast()))
      #expect(throws: Refusal.self) { try few.check(world.roster) }
      let twice = Evidence(.unopened, nil, plan: world.plan, few.messages + few.messages.prefix(1))
      #expect(throws: Refusal.self) { try twice.check(world.roster) }
    }
  }

  @Test("[RF-01] no statement after a reveal, from a site that did not accept, or where the sum came")
  func noStatement() throws {
    let world = try World(6)
    world.run()
    world.drain()
    let types = world.log.compactMap { world.type(of: $0.bytes) }
    #expect(world.sum != nil && !types.contains(.destroyed))
    // The end is a bad one, after the site revealed.
    let late = try World(6)
    late.toSite = { [unowned late] _, type, bytes in
      guard type == .closed else { return [bytes] }
      return [late.serverMessage(ClosedBody(sumDigest: BLAKE2b.hash([]), revealers: []))]
    }
    late.run()
    late.drain()
    #expect(!late.log.contains { late.type(of: $0.bytes) == .destroyed } && late.codes() == [.tooFewSignatures])
    let unwilling = try World(6)
    unwilling.consider = { _, session in session.refuse(Refusal(.policy, "not today")) }
    unwilling.run()
    unwilling.drain()
    #expect(!unwilling.log.contains { unwilling.type(of: $0.bytes) == .destroyed })
  }

  @Test("[RF-02] t signatures over survivors without a site show that its input stays closed, and no other's")
  func droppedSite() throws {
    let world = try World(6)
    let gone = Fixture.site(3)
    world.deathPhase[gone] = .maskedInput
    world.run()
    let sum = try #require(world.sum)
    #expect(!sum.survivors.contains(gone))
    let shown = try #require(unopened(world).first)
    #expect(unopened(world).count == 1 && shown.culprit == gone && shown.messages.count == world.plan.threshold)
    for other in [Fixture.site(0), nil] {
      let wrong = Evidence(.unopened, other, plan: world.plan, shown.messages, preimage: shown.preimage)
      #expect(throws: Refusal.self) { try wrong.check(world.roster) }
    }
    let few = Evidence(.unopened, gone, plan: world.plan, Array(shown.messages.dropLast()), preimage: shown.preimage)
    #expect(throws: Refusal.self) { try few.check(world.roster) }
    let mixed = few.messages + [world.siteMessage(DestroyedBody(), gone)]
    #expect(throws: Refusal.self) {
      try Evidence(.unopened, gone, plan: world.plan, mixed, preimage: shown.preimage).check(world.roster)
    }
  }

  @Test("[RF-04] an abort by itself, and a statement of another attempt, are evidence of nothing")
  func nothingElse() throws {
    let world = try World(6)
    let refusals = Fixture.sites(6).map { world.siteMessage(RefusalBody(Refusal(.policy, "gone")), $0) }
    #expect(throws: Refusal.self) { try Evidence(.unopened, nil, plan: world.plan, refusals).check(world.roster) }
    let other = try World(6, attempt: 2)
    let foreign = Fixture.sites(6).map { other.siteMessage(DestroyedBody(), $0) }
    #expect(throws: Refusal.self) { try Evidence(.unopened, nil, plan: world.plan, foreign).check(world.roster) }
    // A site that is still there and says so is dropped; said twice, it counts once.
    _ = world.server.start()
    let words = world.siteMessage(DestroyedBody(), Fixture.site(1)).bytes
    let first = world.server.receive(words, from: Fixture.site(1))
    #expect(first.contains { if case .dropped(let site, _, _) = $0 { site == Fixture.site(1) } else { false } })
    #expect(world.server.receive(words, from: Fixture.site(1)).isEmpty)
  }
}
