// The hostile server, continued: survivors, signatures, and the frame of messages.
import Sodium
import Testing

@testable import SecAgg

extension HostileServerTests {
  // MARK: Survivors and reveal

  private func survivors(_ edit: @escaping (World, [SignedMessage]) throws -> [SignedMessage]) throws -> World {
    let world = try run(SurvivorsBody.self) { world, body in SurvivorsBody(headers: try edit(world, body.headers)) }
    #expect(!sent(.consistency, by: world) && !sent(.reveal, by: world))
    return world
  }

  @Test("[SA-71] a site outside U3 neither signs nor reveals")
  func excluded() throws {
    expect(try survivors { _, headers in Array(headers.dropFirst()) }, .excluded)
    // Also where U3 was fixed before its input was even there.
    let world = try World(6)
    world.consider = { site, session in session.accept() }
    world.perform(world.server.start())
    let early = try #require(world.sites[HostileServerTests.victim])
    world.drain()
    #expect(early.phase == .done)
  }

  @Test("[SA-72] another digest in the site's name")
  func ownDigest() throws {
    let world = try survivors { world, headers in
      let own = try headers[0].open(InputHeaderBody.self)
      let other = InputHeaderBody(maskSet: own.maskSet, payloadBytes: own.payloadBytes, digest: BLAKE2b.hash([3]))
      return [world.siteMessage(other, HostileServerTests.victim)] + headers.dropFirst()
    }
    expect(world, .ownDigestAltered)
  }

  @Test("[SA-73] a sum of two, or of fewer than t")
  func fewSurvivors() throws {
    for count in [1, 2, 3] { expect(try survivors { _, headers in Array(headers.prefix(count)) }, .tooFewInputs) }
  }

  @Test("[SA-73] fewer than m_min, where that is above t")
  func fewerThanMinimum() throws {
    let world = try World(6, minimumSurvivors: 6)
    world.toSite = { [unowned world] site, type, bytes in
      guard type == .survivors, let body = try? SignedMessage(decoding: bytes).open(SurvivorsBody.self) else { return [bytes] }
      return [world.serverMessage(SurvivorsBody(headers: Array(body.headers.prefix(5))))]
    }
    world.run()
    #expect(world.code(HostileServerTests.victim) == .tooFewInputs)
  }

  @Test("[SA-70] a survivor with whom nobody shares masks")
  func stranger() throws {
    let world = try World(8)
    let stranger = Fixture.site(7)
    world.deathPhase[stranger] = .shares
    world.toSite = { [unowned world] site, type, bytes in
      guard type == .survivors, let body = try? SignedMessage(decoding: bytes).open(SurvivorsBody.self),
        let header = try? body.headers[0].open(InputHeaderBody.self)
      else { return [bytes] }
      return [world.serverMessage(SurvivorsBody(headers: body.headers + [world.siteMessage(header, stranger)]))]
    }
    world.run()
    #expect(world.codes() == [.notSubset])
  }

  @Test("[SA-62] [SA-64] survivors with other sizes or masks")
  func otherInputs() throws {
    let size = try survivors { world, headers in
      let header = try headers[4].open(InputHeaderBody.self)
      let other = InputHeaderBody(maskSet: header.maskSet, payloadBytes: 1, digest: header.digest)
      return headers.dropLast() + [world.siteMessage(other, HostileServerTests.accomplice)]
    }
    expect(size, .inputShape, culprit: HostileServerTests.accomplice)
    #expect(size.accusations.map(\.claim) == [.inputShape] && size.accusations[0].culprit == HostileServerTests.accomplice)
    let masks = try survivors { world, headers in
      let header = try headers[4].open(InputHeaderBody.self)
      let other = InputHeaderBody(maskSet: BLAKE2b.hash([1]), payloadBytes: header.payloadBytes, digest: header.digest)
      return headers.dropLast() + [world.siteMessage(other, HostileServerTests.accomplice)]
    }
    expect(masks, .otherMaskSet)
  }

  @Test("[SA-81] U3 shown differently to different sites: nobody reveals")
  func splitSurvivors() throws {
    let world = try World(6)
    world.toSite = { [unowned world] site, type, bytes in
      guard type == .survivors, site <= Fixture.site(2), let body = try? SignedMessage(decoding: bytes).open(SurvivorsBody.self)
      else { return [bytes] }
      return [world.serverMessage(SurvivorsBody(headers: Array(body.headers.dropLast())))]
    }
    world.run()
    #expect(world.abortCode == .tooFewSignatures)
    #expect(world.refusals.contains { $0.1.code == .signatureOnOtherSet })
    #expect(!world.log.contains { !$0.toSite && world.type(of: $0.bytes) == .reveal })
  }

  private func signatures(_ edit: @escaping (World, [SignedMessage]) throws -> [SignedMessage]) throws -> World {
    let world = try run(SignatureListBody.self) { world, body in SignatureListBody(signatures: try edit(world, body.signatures)) }
    #expect(!sent(.reveal, by: world))
    return world
  }

  @Test("[SA-80] fewer than t signatures") func fewSignatures() throws {
    expect(try signatures { _, list in Array(list.prefix(3)) }, .tooFewSignatures)
    expect(try signatures { _, _ in [] }, .tooFewSignatures)
  }

  @Test("[SA-81] a signature over other sets") func otherSignature() throws {
    let world = try signatures { world, list in
      list.dropLast() + [world.siteMessage(ConsistencyBody(hash: BLAKE2b.hash([5])), HostileServerTests.accomplice)]
    }
    expect(world, .signatureOnOtherSet)
  }

  @Test("[SA-03] a forged signature; [SA-01] one counted twice") func forgedSignature() throws {
    let forged = try signatures { world, list in
      let body = try list[0].open(ConsistencyBody.self)
      return list.dropLast() + [SignedMessage(body, context: world.plan.context, sender: HostileServerTests.accomplice, key: Keys.server)]
    }
    expect(forged, .badSignature)
    expect(try signatures { _, list in [list[0], list[1], list[2], list[2]] }, .malformed)
  }

  @Test("[SA-07] after it signed one U3, a site signs and reveals for no other: never both shares")
  func secondSurvivorSet() throws {
    let world = try World(6)
    world.toSite = { [unowned world] site, type, bytes in
      guard site == HostileServerTests.victim, type == .survivors,
        let body = try? SignedMessage(decoding: bytes).open(SurvivorsBody.self)
      else { return [bytes] }
      return [bytes, world.serverMessage(SurvivorsBody(headers: Array(body.headers.dropLast())))]
    }
    world.run()
    expect(world, .equivocation)
    #expect(world.accusations.map(\.claim) == [.equivocation] && world.accusations[0].culprit == nil)
    #expect(!sent(.reveal, by: world))
    #expect(world.log.count { !$0.toSite && $0.site == HostileServerTests.victim && world.type(of: $0.bytes) == .consistency } == 1)
  }

  @Test("[SA-07] two signed key lists") func twoKeyLists() throws {
    let world = try World(6)
    world.toSite = { [unowned world] site, type, bytes in
      guard type == .keyList, let body = try? SignedMessage(decoding: bytes).open(KeyListBody.self) else { return [bytes] }
      return [bytes, world.serverMessage(KeyListBody(keys: Array(body.keys.dropLast())))]
    }
    world.run()
    #expect(world.codes() == [.equivocation])
    #expect(world.accusations.count == 6 && world.accusations.allSatisfy { $0.claim == .equivocation && $0.culprit == nil })
  }

  @Test("[SA-74] a second attempt on the same weights with another U3: the difference would be one site")
  func differencing() throws {
    let world = try World(6)
    let former = world.plan.sites
    world.deathPhase[Fixture.site(5)] = .maskedInput
    world.consider = { _, session in session.accept(onlySurvivors: former) }
    world.run()
    #expect(world.codes() == [.otherSurvivors] && world.sum == nil)
    let same = try World(6, attempt: 2)
    same.consider = { _, session in session.accept(onlySurvivors: former) }
    same.run()
    #expect(try #require(same.sum).survivors == former)
  }

  // MARK: The frame

  @Test("[SA-04] a message of another attempt") func otherAttempt() throws {
    let (world, other) = (try World(5), try World(5, attempt: 2))
    other.run()
    let list = try #require(other.log.first { $0.toSite && $0.site == HostileServerTests.victim && other.type(of: $0.bytes) == .keyList })
    world.toSite = { site, type, bytes in type == .keyList ? [list.bytes] : [bytes] }
    world.run()
    #expect(world.code(HostileServerTests.victim) == .wrongContext)
  }

  @Test("[SA-04] a frame whose ctx is not its plan's") func otherContext() throws {
    let world = try World(5)
    let message = SignedMessage(PlanBody(plan: world.plan), context: BLAKE2b.hash([1]), sender: .server, key: Keys.server)
    #expect(SiteSession.plan(in: message.bytes, roster: world.roster) == nil)
    world.perform(world.sites[HostileServerTests.victim]?.receive(message.bytes) ?? [], at: HostileServerTests.victim)
    #expect(world.code(HostileServerTests.victim) == .wrongContext)
  }

  @Test("[SA-03] a plan that the server did not sign; [SA-05] one that a site sent")
  func unsignedPlan() throws {
    for (sender, code) in [(SiteID.server, RefusalCode.badSignature), (Fixture.site(1), .wrongSender)] {
      let world = try World(5)
      let key = try #require(Keys.sites[Fixture.site(1)])
      let message = SignedMessage(PlanBody(plan: world.plan), context: world.plan.context, sender: sender, key: key)
      #expect(SiteSession.plan(in: message.bytes, roster: world.roster) == nil)
      world.perform(world.sites[HostileServerTests.victim]?.receive(message.bytes) ?? [], at: HostileServerTests.victim)
      #expect(world.code(HostileServerTests.victim) == code)
    }
  }

  @Test("[SA-06] messages before their phase, and types that are never for a site")
  func outOfOrder() throws {
    let world = try World(5)
    world.run()
    let types: [MessageType] = [.keyList, .shareDelivery, .acknowledgementList, .survivors, .signatureList, .closed]
    for type in types {
      let late = try #require(world.log.first { $0.toSite && $0.site == HostileServerTests.victim && world.type(of: $0.bytes) == type })
      let fresh = try World(5)
      let session = try #require(fresh.sites[HostileServerTests.victim])
      fresh.perform(session.receive(late.bytes), at: HostileServerTests.victim)
      #expect(fresh.code(HostileServerTests.victim) == .unexpected)
    }
    let odd = try World(5)
    odd.perform(odd.sites[HostileServerTests.victim]?.receive(odd.serverMessage(AcceptanceBody())) ?? [], at: HostileServerTests.victim)
    #expect(odd.code(HostileServerTests.victim) == .unexpected)
  }

  @Test("[SA-60] [SA-66] [SA-06] inputs of another shape, twice, or before the plan")
  func inputs() throws {
    let world = try World(5)
    let session = try #require(world.sites[HostileServerTests.victim])
    for (edit, code) in [
      ({ (input: inout [[UInt32]]) in input[0].removeLast() }, RefusalCode.badInput), ({ $0.removeLast() }, .badInput),
      ({ $0[0][0] = 1 << 20 }, .badInput),
    ] {
      let world = try World(5)
      let session = try #require(world.sites[HostileServerTests.victim])
      world.perform(world.server.start())
      world.providesLate = true
      world.drain()
      var input = try #require(world.inputs[HostileServerTests.victim])
      edit(&input)
      world.perform(session.provide(input: input), at: HostileServerTests.victim)
      #expect(world.code(HostileServerTests.victim) == code)
    }
    world.perform(session.provide(input: world.inputs[HostileServerTests.victim] ?? []), at: HostileServerTests.victim)
    #expect(world.code(HostileServerTests.victim) == .unexpected)
    let again = try World(5)
    again.consider = { site, session in session.accept() + session.provide(input: again.inputs[site] ?? []) }
    again.perform(again.server.start())
    again.drain()
    #expect(again.codes() == [.inputAgain])
  }

  @Test("[SA-126] the keys of two attempts on one plan have nothing in common")
  func freshKeys() throws {
    let (one, two) = (try World(5), try World(5))
    for world in [one, two] {
      world.perform(world.server.start())
      world.drain()
    }
    let keys = [one, two].flatMap { world in world.sites.values.compactMap { $0.ownKeys?.body } }
    #expect(keys.count == 10 && Set(keys).count == 10)
  }
}
