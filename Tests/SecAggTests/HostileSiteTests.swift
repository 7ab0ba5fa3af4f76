// Sites that break rules, seen from the server: each is refused by name and dropped, and the others' sum is right.
import Masking
import Sodium
import Testing

@testable import SecAgg

@Suite struct HostileSiteTests {
  static let rogue = Fixture.site(2)

  /// Six sites (t = 5) of which one is dropped for breaking a rule; the remaining five finish, unless `code` is all there is to see.
  private func expectDropped(
    _ world: World, _ code: RefusalCode, survivorsWithout rogue: SiteID? = HostileSiteTests.rogue,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    world.run()
    let refusal = world.refusals.first { $0.0 == HostileSiteTests.rogue }?.1
    #expect(refusal?.code == code, "\(String(describing: refusal))", sourceLocation: sourceLocation)
    #expect(refusal?.culprit == HostileSiteTests.rogue, sourceLocation: sourceLocation)
    #expect(world.dropped.map(\.0) == [HostileSiteTests.rogue], sourceLocation: sourceLocation)
    guard let sum = world.sum else {
      Issue.record("no sum: \(String(describing: world.outcome))", sourceLocation: sourceLocation)
      return
    }
    #expect(sum.survivors == world.plan.sites.filter { $0 != rogue }, sourceLocation: sourceLocation)
    #expect(sum.sections == world.plainSum(sum.survivors), sourceLocation: sourceLocation)
  }

  /// Replaces the rogue's message of one type by one that it signs itself.
  private func world<Body: MessageBody>(
    _ type: Body.Type, sites: Int = 6, _ edit: @escaping (World, Body) throws -> Body
  ) throws -> World {
    let world = try World(sites)
    world.toServer = { [unowned world] site, sent, bytes in
      guard site == HostileSiteTests.rogue, sent == Body.type,
        let body = try? edit(world, SignedMessage(decoding: bytes).open(Body.self))
      else { return [bytes] }
      return [world.siteMessage(body, site).bytes]
    }
    return world
  }

  private func raw(_ type: MessageType, _ edit: @escaping (World, [UInt8]) -> [[UInt8]]) throws -> World {
    let world = try World(6)
    world.toServer = { [unowned world] site, sent, bytes in
      site == HostileSiteTests.rogue && sent == type ? edit(world, bytes) : [bytes]
    }
    return world
  }

  // MARK: Any message

  @Test("[SA-01] bytes that are no message") func noMessage() throws {
    expectDropped(try raw(.keys) { _, _ in [[1, 2, 3]] }, .malformed)
    expectDropped(try raw(.shares) { _, bytes in [bytes + [0]] }, .malformed)
    expectDropped(try raw(.acknowledgement) { _, bytes in [Array(bytes.dropLast())] }, .malformed)
    expectDropped(try raw(.keys) { _, _ in [[]] }, .malformed)
    expectDropped(try raw(.keys) { _, _ in [[UInt8](repeating: 1, count: SignedMessage.bytesMax + 1)] }, .malformed)
  }

  @Test("[SA-02] another version, or an extension") func unsupported() throws {
    expectDropped(try raw(.keys) { _, bytes in [[2] + bytes.dropFirst()] }, .unsupported)
    expectDropped(
      try raw(.acceptance) { _, bytes in
        var altered = bytes
        altered[SignedMessage.bytesMin - 65] = 1
        return [altered]
      }, .unsupported)
  }

  @Test("[SA-03] a signature that is not the sender's") func badSignature() throws {
    for type in [MessageType.acceptance, .keys, .shares, .acknowledgement, .inputHeader] {
      expectDropped(
        try raw(type) { _, bytes in
          var altered = bytes
          altered[altered.count - 1] ^= 0x20
          return [altered]
        }, .badSignature)
    }
  }

  @Test("[SA-04] a message of another attempt") func otherAttempt() throws {
    let other = try World(6, attempt: 2)
    other.run()
    for type in [MessageType.acceptance, .keys, .shares, .acknowledgement, .inputHeader] {
      let replay = try #require(other.log.first { !$0.toSite && $0.site == HostileSiteTests.rogue && other.type(of: $0.bytes) == type })
      expectDropped(try raw(type) { _, _ in [replay.bytes] }, .wrongContext)
    }
  }

  @Test("[SA-05] a message in another site's name; [SA-05] from who was not invited") func otherName() throws {
    expectDropped(
      try raw(.keys) { world, _ in
        let keys = KeysBody(maskKey: X25519.SecretKey().publicKey, channelKey: X25519.SecretKey().publicKey)
        return [world.siteMessage(keys, Fixture.site(1)).bytes]
      }, .wrongSender)
    let world = try World(6)
    world.run()
    let stranger = SiteID(77)
    for actions in [world.server.receive([1], from: stranger), world.server.receiveInput(chunk: [1], index: 0, of: 1, from: stranger)] {
      guard case .refuse(let refusal, stranger) = actions.first, actions.count == 1 else {
        Issue.record("a stranger was heard")
        continue
      }
      #expect(refusal.code == .wrongSender)
    }
  }

  @Test("[SA-06] a message before its phase, of the server's own type, or a piece without a header") func unexpected() throws {
    expectDropped(try raw(.keys) { world, _ in [world.siteMessage(ConsistencyBody(hash: BLAKE2b.hash([])), HostileSiteTests.rogue).bytes] }, .unexpected)
    expectDropped(try raw(.keys) { world, _ in [world.siteMessage(KeyListBody(keys: []), HostileSiteTests.rogue).bytes] }, .unexpected)
    expectDropped(try raw(.inputHeader) { _, _ in [] }, .unexpected)
  }

  @Test("[SA-07] two different messages where one may exist") func equivocation() throws {
    expectDropped(
      try raw(.keys) { world, bytes in
        let keys = KeysBody(maskKey: X25519.SecretKey().publicKey, channelKey: X25519.SecretKey().publicKey)
        return [bytes, world.siteMessage(keys, HostileSiteTests.rogue).bytes]
      }, .equivocation)
    expectDropped(
      try raw(.inputHeader) { world, bytes in
        guard let header = try? SignedMessage(decoding: bytes).open(InputHeaderBody.self) else { return [] }
        let other = InputHeaderBody(maskSet: header.maskSet, payloadBytes: header.payloadBytes, digest: BLAKE2b.hash([8]))
        return [bytes, world.siteMessage(other, HostileSiteTests.rogue).bytes]
      }, .equivocation)
  }

  @Test("a site that leaves is dropped with its own reason, before and after it knows ctx")
  func leaves() throws {
    for isUnaware in [true, false] {
      let world = try World(6)
      let context = isUnaware ? [UInt8](repeating: 0, count: 32) : world.plan.context
      let key = try #require(Keys.sites[HostileSiteTests.rogue])
      let refusal = SignedMessage(
        RefusalBody(Refusal(.policy, "at night only")), context: context, sender: HostileSiteTests.rogue, key: key)
      world.toServer = { site, _, bytes in site == HostileSiteTests.rogue ? [refusal.bytes] : [bytes] }
      world.run()
      #expect(world.dropped.first?.2 == "the site refused, SA-20: at night only")
      #expect(world.sum?.survivors.count == 5)
    }
  }

  // MARK: Phases 1 to 2b

  @Test("[SA-31] [SA-32] keys that are taken, equal, or of small order") func keys() throws {
    expectDropped(
      try world(KeysBody.self) { _, body in KeysBody(maskKey: body.maskKey, channelKey: body.maskKey) }, .duplicateKey)
    expectDropped(
      try world(KeysBody.self) { world, body in
        let copied = world.sites[Fixture.site(0)]?.secrets?.maskKey.publicKey ?? body.maskKey
        return KeysBody(maskKey: body.maskKey, channelKey: copied)
      }, .duplicateKey)
    let weak = try X25519.PublicKey([1] + [UInt8](repeating: 0, count: 31))
    expectDropped(try world(KeysBody.self) { _, body in KeysBody(maskKey: body.maskKey, channelKey: weak) }, .weakKey)
    expectDropped(try world(KeysBody.self) { _, body in KeysBody(maskKey: weak, channelKey: body.channelKey) }, .weakKey)
  }

  /// The same shares under an altered header.
  private func header(
    _ world: World, _ shares: SharesBody, keyList: [UInt8]? = nil, entries: ([ShareHeaderBody.Entry]) -> [ShareHeaderBody.Entry] = { $0 }
  ) throws -> SignedMessage {
    let header = try shares.header.open(ShareHeaderBody.self)
    return world.siteMessage(
      ShareHeaderBody(keyList: keyList ?? header.keyList, selfMaskRoot: header.selfMaskRoot, entries: entries(header.entries)),
      HostileSiteTests.rogue)
  }

  @Test("[SA-08] [SA-41] [SA-50] [SA-05] shares for other holders, envelopes without their hash, over other keys, of another dealer")
  func shares() throws {
    expectDropped(
      try world(SharesBody.self) { world, body in
        SharesBody(header: try self.header(world, body) { $0.dropLast() }, envelopes: body.envelopes)
      }, .wrongMembers)
    expectDropped(
      try world(SharesBody.self) { _, body in SharesBody(header: body.header, envelopes: body.envelopes.dropLast()) }, .wrongMembers)
    expectDropped(
      try world(SharesBody.self) { _, body in SharesBody(header: body.header, envelopes: body.envelopes.reversed()) }, .envelopeAltered)
    expectDropped(
      try world(SharesBody.self) { world, body in
        SharesBody(header: try self.header(world, body, keyList: BLAKE2b.hash([])), envelopes: body.envelopes)
      }, .transcriptDiffers)
    expectDropped(
      try world(SharesBody.self) { world, body in
        let inner = try body.header.open(ShareHeaderBody.self)
        return SharesBody(header: world.siteMessage(inner, Fixture.site(1)), envelopes: body.envelopes)
      }, .wrongSender)
  }

  @Test("[SA-50] [SA-08] acknowledgements of another transcript, of strangers, or without the site itself")
  func acknowledgements() throws {
    expectDropped(
      try world(AcknowledgementBody.self, sites: 8) { _, body in
        AcknowledgementBody(transcript: BLAKE2b.hash([]), dealers: body.dealers)
      }, .transcriptDiffers)
    expectDropped(
      try world(AcknowledgementBody.self, sites: 8) { _, body in
        AcknowledgementBody(transcript: body.transcript, dealers: body.dealers + [SiteID(9999)])
      }, .wrongMembers)
    expectDropped(
      try world(AcknowledgementBody.self, sites: 8) { _, body in
        AcknowledgementBody(transcript: body.transcript, dealers: body.dealers.filter { $0 != HostileSiteTests.rogue })
      }, .wrongMembers)
  }

  // MARK: Phase 3

  @Test("[SA-64] [SA-62] [SA-61] inputs for other masks, of another size, with another digest") func inputHeaders() throws {
    expectDropped(
      try world(InputHeaderBody.self) { _, body in
        InputHeaderBody(maskSet: BLAKE2b.hash([]), payloadBytes: body.payloadBytes, digest: body.digest)
      }, .otherMaskSet)
    expectDropped(
      try world(InputHeaderBody.self) { _, body in
        InputHeaderBody(maskSet: body.maskSet, payloadBytes: .max, digest: body.digest)
      }, .inputShape)
    expectDropped(
      try world(InputHeaderBody.self) { _, body in
        InputHeaderBody(maskSet: body.maskSet, payloadBytes: body.payloadBytes, digest: BLAKE2b.hash([]))
      }, .inputDigest)
  }

  @Test("[SA-113] [SA-61] [SA-62] an altered, short or long payload leaves no trace in the sum", arguments: [
    RefusalCode.inputDigest, .inputShape, .inputShape,
  ].enumerated().map { ($0.offset, $0.element) })
  func payloads(kind: Int, code: RefusalCode) throws {
    let world = try World(6)
    world.payload = { site, payload in
      guard site == HostileSiteTests.rogue else { return payload }
      switch kind {
      case 0: return payload.dropLast() + [payload.last.map { $0 ^ 1 } ?? 0]
      case 1: return payload.dropLast()
      default: return payload + [0]
      }
    }
    expectDropped(world, code)
  }

  @Test("[SA-62] padding that is not zero, though signed") func padding() throws {
    let world = try World(6)
    // 5 coordinates of 20 bits: 12.5 bytes.
    func dirty(_ payload: [UInt8]) -> [UInt8] {
      var payload = payload
      payload[12] |= 0x80
      return payload
    }
    world.payload = { site, payload in site == HostileSiteTests.rogue ? dirty(payload) : payload }
    world.toServer = { [unowned world] site, type, bytes in
      guard site == HostileSiteTests.rogue, type == .inputHeader,
        let header = try? SignedMessage(decoding: bytes).open(InputHeaderBody.self),
        let sending = world.siteActions[site]?.last(where: { if case .sendInput = $0 { true } else { false } }),
        case .sendInput(_, let payload) = sending
      else { return [bytes] }
      let digest = Transcript.input(world.plan.context, site, dirty(payload))
      return [
        world.siteMessage(InputHeaderBody(maskSet: header.maskSet, payloadBytes: header.payloadBytes, digest: digest), site).bytes
      ]
    }
    expectDropped(world, .inputShape)
  }

  @Test("[SA-63] pieces out of order, repeated, or of a changing count") func pieces() throws {
    for (index, count) in [(1, 4), (-1, 4), (0, 0), (0, -3), (4, 4), (0, 1 << 40), (Int.max, Int.max), (Int.min, 1)] {
      let world = try World(6)
      world.deathPhase[HostileSiteTests.rogue] = .maskedInput
      world.piecesBeforeDeath = 0
      world.perform(world.server.start())
      world.drain()
      let header = try #require(world.sites[HostileSiteTests.rogue]?.ownInput)
      world.perform(world.server.receive(header.bytes, from: HostileSiteTests.rogue))
      world.perform(world.server.receiveInput(chunk: [0], index: index, of: count, from: HostileSiteTests.rogue))
      world.drain()
      expectDropped(world, .chunkOrder)
    }
    let world = try World(6)
    world.deathPhase[HostileSiteTests.rogue] = .maskedInput
    world.piecesBeforeDeath = 1
    world.perform(world.server.start())
    world.drain()
    world.perform(world.server.receiveInput(chunk: [0], index: 1, of: 9, from: HostileSiteTests.rogue))
    world.drain()
    expectDropped(world, .chunkOrder)
  }

  @Test("[SA-65] what a dropped site sends is refused and destroyed: both halves of its masks cannot meet")
  func late() throws {
    let world = try World(6)
    var held: [[UInt8]] = []
    world.toServer = { site, type, bytes in
      guard site == HostileSiteTests.rogue, type == .inputHeader else { return [bytes] }
      held.append(bytes)
      return []
    }
    var payload: [UInt8] = []
    world.payload = { site, bytes in
      if site == HostileSiteTests.rogue { payload = bytes }
      return site == HostileSiteTests.rogue ? [] : bytes
    }
    world.perform(world.server.start())
    world.drain()
    #expect(world.server.phase == .maskedInput && held.count == 1)
    world.perform(world.server.deadlinePassed(.maskedInput))
    #expect(world.server.phase == .consistency)
    world.perform(world.server.receive(held[0], from: HostileSiteTests.rogue))
    world.perform(world.server.receiveInput(chunk: payload, index: 0, of: 1, from: HostileSiteTests.rogue))
    world.perform(world.server.reconnected(HostileSiteTests.rogue))
    #expect(world.refusals.count == 3 && world.refusals.allSatisfy { $0.1.code == .late && $0.0 == HostileSiteTests.rogue })
    #expect(world.server.uploads.isEmpty)
    world.drain()
    let sum = try #require(world.sum)
    #expect(sum.survivors.count == 5 && sum.sections == world.plainSum(sum.survivors))
    #expect(world.code(HostileSiteTests.rogue) == .silent)
  }

  // MARK: Phases 4 and 5

  @Test("[SA-81] a signature over other sets") func consistency() throws {
    expectDropped(
      try world(ConsistencyBody.self) { _, _ in ConsistencyBody(hash: BLAKE2b.hash([])) }, .signatureOnOtherSet, survivorsWithout: nil)
  }

  @Test("[SA-82] both shares of one site, or the one that must stay secret") func bothShares() throws {
    expectDropped(
      try world(RevealBody.self) { _, body in
        let first = body.entries[0]
        return RevealBody(entries: [first, .init(dealer: first.dealer, kind: .maskKey, share: first.share)] + body.entries.dropFirst())
      }, .bothShares, survivorsWithout: nil)
    expectDropped(
      try world(RevealBody.self) { _, body in
        RevealBody(entries: body.entries.map { .init(dealer: $0.dealer, kind: .maskKey, share: $0.share) })
      }, .bothShares, survivorsWithout: nil)
  }

  @Test("[SA-83] a share that was not dealt, or no scalar") func wrongShare() throws {
    for share in [Scalar.order, [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0xff, count: 32)] {
      expectDropped(
        try world(RevealBody.self) { _, body in
          RevealBody(entries: [.init(dealer: body.entries[0].dealer, kind: body.entries[0].kind, share: share)] + body.entries.dropFirst())
        }, .wrongShare, survivorsWithout: nil)
    }
  }

  @Test("[SA-08] a reveal that leaves a dealer out") func withheldShare() throws {
    expectDropped(
      try world(RevealBody.self) { _, body in RevealBody(entries: Array(body.entries.dropFirst())) }, .wrongMembers,
      survivorsWithout: nil)
  }
}
