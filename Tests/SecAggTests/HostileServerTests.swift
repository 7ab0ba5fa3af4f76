// A server that signs whatever it likes: each trick that shipped systems fell for ends at the honest site with a named refusal
// and without a share, a signature or an input that it should not have given.
import Sodium
import Testing

@testable import SecAgg

@Suite struct HostileServerTests {
  static let victim = Fixture.site(0)
  static let accomplice = Fixture.site(4)

  /// Runs with the victim's message of one type replaced.
  private func run<Body: MessageBody>(
    _ type: Body.Type, sites count: Int = 5, _ edit: @escaping (World, Body) throws -> Body
  ) throws -> World {
    let world = try World(count)
    world.toSite = { [unowned world] site, sent, bytes in
      guard site == HostileServerTests.victim, sent == Body.type,
        let body = try? edit(world, SignedMessage(decoding: bytes).open(Body.self))
      else { return [bytes] }
      return [world.serverMessage(body)]
    }
    world.run()
    return world
  }

  private func expect(
    _ world: World, _ code: RefusalCode, culprit: SiteID? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard case .aborted(let refusal) = world.ends[HostileServerTests.victim] else {
      Issue.record("the victim went along", sourceLocation: sourceLocation)
      return
    }
    #expect(refusal.code == code && refusal.culprit == culprit, "\(refusal)", sourceLocation: sourceLocation)
    // [SA-122] Nothing secret is left, and nothing else is said.
    let session = world.sites[HostileServerTests.victim]
    #expect(session?.secrets == nil && session?.heldShares.isEmpty == true && session?.plainInput == nil, sourceLocation: sourceLocation)
    #expect(session?.receive([1, 2, 3]).isEmpty == true, sourceLocation: sourceLocation)
  }

  private func sent(_ type: MessageType, by world: World) -> Bool {
    world.log.contains { !$0.toSite && $0.site == HostileServerTests.victim && world.type(of: $0.bytes) == type }
  }

  // MARK: Keys

  @Test("[SA-03] keys that their site did not sign")
  func unauthenticatedKeys() throws {
    let world = try run(KeyListBody.self) { world, list in
      let fresh = KeysBody(maskKey: X25519.SecretKey().publicKey, channelKey: X25519.SecretKey().publicKey)
      let forged = SignedMessage(fresh, context: world.plan.context, sender: Fixture.site(2), key: Keys.server)
      return KeyListBody(keys: list.keys.map { $0.sender == Fixture.site(2) ? forged : $0 })
    }
    expect(world, .badSignature)
    #expect(!sent(.shares, by: world))
  }

  @Test("[SA-31] two sites with one key")
  func duplicateKeys() throws {
    for index in [0, 3] {
      let world = try run(KeyListBody.self) { world, list in
        let copied = world.siteMessage(try list.keys[index].open(KeysBody.self), HostileServerTests.accomplice)
        return KeyListBody(keys: list.keys.dropLast() + [copied])
      }
      expect(world, .duplicateKey, culprit: HostileServerTests.accomplice)
    }
  }

  @Test("[SA-31] one key for masks and channel")
  func oneKeyForBoth() throws {
    let world = try run(KeyListBody.self) { world, list in
      let key = X25519.SecretKey().publicKey
      let message = world.siteMessage(KeysBody(maskKey: key, channelKey: key), HostileServerTests.accomplice)
      return KeyListBody(keys: list.keys.dropLast() + [message])
    }
    expect(world, .duplicateKey, culprit: HostileServerTests.accomplice)
  }

  @Test("[SA-32] a key of small order: the mask with it would be public", arguments: [true, false])
  func weakKeys(isMaskKey: Bool) throws {
    for first: UInt8 in [0, 1] {
      let world = try run(KeyListBody.self) { world, list in
        let weak = try X25519.PublicKey([first] + [UInt8](repeating: 0, count: 31))
        let good = X25519.SecretKey().publicKey
        let body = isMaskKey ? KeysBody(maskKey: weak, channelKey: good) : KeysBody(maskKey: good, channelKey: weak)
        return KeyListBody(keys: list.keys.dropLast() + [world.siteMessage(body, HostileServerTests.accomplice)])
      }
      expect(world, .weakKey, culprit: HostileServerTests.accomplice)
      #expect(!sent(.shares, by: world))
    }
  }

  @Test("[SA-30] fewer keys than t")
  func fewKeys() throws {
    expect(try run(KeyListBody.self) { _, list in KeyListBody(keys: Array(list.keys.prefix(3))) }, .tooFewKeys)
  }

  @Test("[SA-08] a list of keys without the site's own, or with a newer one of its own")
  func ownKeysMissing() throws {
    expect(try run(KeyListBody.self) { _, list in KeyListBody(keys: Array(list.keys.dropFirst())) }, .wrongMembers)
    let world = try run(KeyListBody.self) { world, list in
      let other = KeysBody(maskKey: X25519.SecretKey().publicKey, channelKey: X25519.SecretKey().publicKey)
      return KeyListBody(keys: [world.siteMessage(other, HostileServerTests.victim)] + list.keys.dropFirst())
    }
    expect(world, .wrongMembers)
  }

  @Test("[SA-04] keys of another attempt: a replay, or a site that was shown other weights")
  func replayedKeys() throws {
    for edit in [{ (plan: inout RoundPlan) in plan.attempt += 1 }, { $0.weightsDigest[0] ^= 1 }] {
      let world = try run(KeyListBody.self) { world, list in
        var other = world.plan
        edit(&other)
        let body = try list.keys[4].open(KeysBody.self)
        guard let key = Keys.sites[HostileServerTests.accomplice] else { return list }
        let replayed = SignedMessage(body, context: other.context, sender: HostileServerTests.accomplice, key: key)
        return KeyListBody(keys: list.keys.dropLast() + [replayed])
      }
      expect(world, .wrongContext)
    }
  }

  // MARK: Shares and acknowledgements

  @Test("[SA-41] an altered envelope")
  func alteredEnvelope() throws {
    let world = try run(ShareDeliveryBody.self) { _, body in
      var envelopes = body.envelopes
      envelopes[1][5] ^= 1
      return ShareDeliveryBody(headers: body.headers, envelopes: envelopes)
    }
    expect(world, .envelopeAltered)
  }

  @Test("[SA-41] envelopes in another order; [SA-08] one too few")
  func swappedEnvelopes() throws {
    let swapped = try run(ShareDeliveryBody.self) { _, body in
      ShareDeliveryBody(headers: body.headers, envelopes: body.envelopes.reversed())
    }
    expect(swapped, .envelopeAltered)
    let short = try run(ShareDeliveryBody.self) { _, body in
      ShareDeliveryBody(headers: body.headers, envelopes: body.envelopes.dropLast())
    }
    expect(short, .wrongMembers)
  }

  @Test("[SA-40] fewer dealers than t; [SA-08] without the site's own header")
  func fewDealers() throws {
    let few = try run(ShareDeliveryBody.self) { _, body in
      ShareDeliveryBody(headers: Array(body.headers.prefix(3)), envelopes: Array(body.envelopes.prefix(2)))
    }
    expect(few, .tooFewDealers)
    let other = try run(ShareDeliveryBody.self) { _, body in
      ShareDeliveryBody(headers: Array(body.headers.dropFirst()), envelopes: body.envelopes)
    }
    expect(other, .wrongMembers)
  }

  @Test("[SA-50] a dealer that was shown other keys")
  func otherKeyList() throws {
    let world = try run(ShareDeliveryBody.self) { world, body in
      let header = try body.headers[4].open(ShareHeaderBody.self)
      let other = ShareHeaderBody(
        keyList: BLAKE2b.hash([9]), selfMaskRoot: header.selfMaskRoot, entries: header.entries)
      return ShareDeliveryBody(
        headers: body.headers.dropLast() + [world.siteMessage(other, HostileServerTests.accomplice)], envelopes: body.envelopes)
    }
    expect(world, .transcriptDiffers)
  }

  @Test("[SA-50] an acknowledgement of other messages")
  func otherTranscript() throws {
    let world = try run(AcknowledgementListBody.self) { world, body in
      let dealers = try body.acknowledgements[4].open(AcknowledgementBody.self).dealers
      let other = AcknowledgementBody(transcript: BLAKE2b.hash([9]), dealers: dealers)
      return AcknowledgementListBody(
        acknowledgements: body.acknowledgements.dropLast() + [world.siteMessage(other, HostileServerTests.accomplice)])
    }
    expect(world, .transcriptDiffers)
    #expect(!sent(.inputHeader, by: world))
  }

  @Test("[SA-51] acknowledgements withheld")
  func fewAcknowledgements() throws {
    let world = try run(AcknowledgementListBody.self) { _, body in
      AcknowledgementListBody(acknowledgements: Array(body.acknowledgements.prefix(3)))
    }
    expect(world, .tooFewAcknowledged)
    #expect(!sent(.inputHeader, by: world))
  }

  @Test("[SA-52] the site's own shares are not acknowledged")
  func ownSharesUnacknowledged() throws {
    let world = try run(AcknowledgementListBody.self) { world, body in
      AcknowledgementListBody(
        acknowledgements: try body.acknowledgements.map { message in
          guard message.sender != HostileServerTests.victim else { return message }
          let ack = try message.open(AcknowledgementBody.self)
          let without = AcknowledgementBody(
            transcript: ack.transcript, dealers: ack.dealers.filter { $0 != HostileServerTests.victim })
          return world.siteMessage(without, message.sender)
        })
    }
    expect(world, .notAcknowledged)
    #expect(!sent(.inputHeader, by: world))
  }

  @Test("[SA-64] two views of U2 never meet: the inputs name the set that they were masked for")
  func twoViewsOfTheMaskSet() throws {
    // Eight sites, t = 6. Seven acknowledge only seven dealers in the version that the victim sees.
    let world = try run(AcknowledgementListBody.self, sites: 8) { world, body in
      AcknowledgementListBody(
        acknowledgements: try body.acknowledgements.map { message in
          guard message.sender != HostileServerTests.victim else { return message }
          let ack = try message.open(AcknowledgementBody.self)
          return world.siteMessage(
            AcknowledgementBody(transcript: ack.transcript, dealers: ack.dealers.filter { $0 != Fixture.site(7) }), message.sender)
        })
    }
    // The honest part of the server sees it at once; the sum is that of the other seven, for whom masks cancel.
    #expect(world.refusals.first?.1.code == .otherMaskSet)
    let sum = try #require(world.sum)
    #expect(sum.survivors == world.plan.sites.filter { $0 != HostileServerTests.victim })
    #expect(sum.sections == world.plainSum(sum.survivors))
  }

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
