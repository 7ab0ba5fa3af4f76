// Sites that break rules, seen from the server: each is refused by name and dropped, and the others' sum is right.
import Sodium
import Testing

@testable import SecAgg

@Suite struct HostileSiteTests {
  static let rogue = Fixture.site(2)

  /// Six sites (t = 5) of which one is dropped for breaking a rule; the remaining five finish, unless `code` is all there is to see.
  func expectDropped(
    _ world: World, _ code: RefusalCode, shows claim: RefusalCode? = nil, survivorsWithout rogue: SiteID? = HostileSiteTests.rogue,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    world.run()
    let refusal = world.refusals.first { $0.0 == HostileSiteTests.rogue }?.1
    #expect(refusal?.code == code, "\(String(describing: refusal))", sourceLocation: sourceLocation)
    #expect(refusal?.culprit == HostileSiteTests.rogue, sourceLocation: sourceLocation)
    #expect(world.dropped.map(\.0) == [HostileSiteTests.rogue], sourceLocation: sourceLocation)
    #expect(world.accusations.map(\.claim) == (claim.map { [$0] } ?? []), sourceLocation: sourceLocation)
    #expect(world.accusations.allSatisfy { $0.culprit == HostileSiteTests.rogue }, sourceLocation: sourceLocation)
    guard let sum = world.sum else {
      Issue.record("no sum: \(String(describing: world.outcome))", sourceLocation: sourceLocation)
      return
    }
    #expect(sum.survivors == world.plan.sites.filter { $0 != rogue }, sourceLocation: sourceLocation)
    #expect(sum.sections == world.plainSum(sum.survivors), sourceLocation: sourceLocation)
  }

  /// Replaces the rogue's message of one type by one that it signs itself.
  func world<Body: MessageBody>(
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

  func raw(_ type: MessageType, _ edit: @escaping (World, [UInt8]) -> [[UInt8]]) throws -> World {
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
    expectDropped(
      try raw(.keys) { world, _ in [world.siteMessage(ConsistencyBody(hash: BLAKE2b.hash([])), HostileSiteTests.rogue).bytes] },
      .unexpected)
    expectDropped(try raw(.keys) { world, _ in [world.siteMessage(KeyListBody(keys: []), HostileSiteTests.rogue).bytes] }, .unexpected)
    expectDropped(try raw(.inputHeader) { _, _ in [] }, .unexpected)
  }

  @Test("[SA-07] two different messages where one may exist") func equivocation() throws {
    expectDropped(
      try raw(.keys) { world, bytes in
        let keys = KeysBody(maskKey: X25519.SecretKey().publicKey, channelKey: X25519.SecretKey().publicKey)
        return [bytes, world.siteMessage(keys, HostileSiteTests.rogue).bytes]
      }, .equivocation, shows: .equivocation)
    expectDropped(
      try raw(.inputHeader) { world, bytes in
        guard let header = try? SignedMessage(decoding: bytes).open(InputHeaderBody.self) else { return [] }
        let other = InputHeaderBody(maskSet: header.maskSet, payloadBytes: header.payloadBytes, digest: BLAKE2b.hash([8]))
        return [bytes, world.siteMessage(other, HostileSiteTests.rogue).bytes]
      }, .equivocation, shows: .equivocation)
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
      try world(KeysBody.self) { _, body in KeysBody(maskKey: body.maskKey, channelKey: body.maskKey) }, .duplicateKey, shows: .duplicateKey
    )
    expectDropped(
      try world(KeysBody.self) { world, body in
        let copied = world.sites[Fixture.site(0)]?.secrets?.maskKey.publicKey ?? body.maskKey
        return KeysBody(maskKey: body.maskKey, channelKey: copied)
      }, .duplicateKey)
    let weak = try X25519.PublicKey([1] + [UInt8](repeating: 0, count: 31))
    expectDropped(try world(KeysBody.self) { _, body in KeysBody(maskKey: body.maskKey, channelKey: weak) }, .weakKey, shows: .weakKey)
    expectDropped(try world(KeysBody.self) { _, body in KeysBody(maskKey: weak, channelKey: body.channelKey) }, .weakKey, shows: .weakKey)
  }

  /// The same shares under an altered header.
  private func header(
    _ world: World, _ shares: SharesBody, keyList: [UInt8]? = nil,
    commitments: ([ShareHeaderBody.Commitment]) -> [ShareHeaderBody.Commitment] = { $0 },
    entries: ([ShareHeaderBody.Entry]) -> [ShareHeaderBody.Entry] = { $0 }
  ) throws -> SignedMessage {
    let header = try shares.headers[0].open(ShareHeaderBody.self)
    return world.siteMessage(
      ShareHeaderBody(
        keyList: keyList ?? header.keyList, selfMaskRoot: header.selfMaskRoot, commitments: commitments(header.commitments),
        entries: entries(header.entries)),
      HostileSiteTests.rogue)
  }

  @Test("[SA-08] [SA-41] [SA-50] [SA-05] shares for other holders, envelopes without their hash, over other keys, of another dealer")
  func shares() throws {
    expectDropped(
      try world(SharesBody.self) { world, body in
        SharesBody(headers: [try self.header(world, body, entries: { $0.dropLast() })], envelopes: body.envelopes)
      }, .wrongMembers, shows: .envelopeAltered)
    expectDropped(
      try world(SharesBody.self) { _, body in SharesBody(headers: body.headers, envelopes: body.envelopes.dropLast()) }, .wrongMembers,
      shows: .envelopeAltered)
    expectDropped(
      try world(SharesBody.self) { _, body in SharesBody(headers: body.headers, envelopes: body.envelopes.reversed()) }, .envelopeAltered,
      shows: .envelopeAltered)
    expectDropped(
      try world(SharesBody.self) { world, body in
        SharesBody(headers: [try self.header(world, body, keyList: BLAKE2b.hash([]))], envelopes: body.envelopes)
      }, .transcriptDiffers)
    expectDropped(
      try world(SharesBody.self) { world, body in
        let inner = try body.headers[0].open(ShareHeaderBody.self)
        return SharesBody(headers: [world.siteMessage(inner, Fixture.site(1))], envelopes: body.envelopes)
      }, .wrongSender)
  }

  @Test("[SA-42] commitments that are too few, none, or no points")
  func commitments() throws {
    func dealing(_ edit: @escaping ([ShareHeaderBody.Commitment]) -> [ShareHeaderBody.Commitment]) throws -> World {
      try world(SharesBody.self) { world, body in
        SharesBody(headers: [try self.header(world, body, commitments: edit)], envelopes: body.envelopes)
      }
    }
    expectDropped(try dealing { $0.dropLast() }, .badCommitments, shows: .badCommitments)
    expectDropped(try dealing { _ in [] }, .badCommitments, shows: .badCommitments)
    expectDropped(try dealing { $0 + $0.prefix(1) }, .badCommitments, shows: .badCommitments)
    let noPoint = [UInt8](repeating: 0xff, count: 32)
    expectDropped(
      try dealing { $0.dropLast() + [.init(maskKey: $0[0].maskKey, selfMask: noPoint)] }, .badCommitments, shows: .badCommitments)
    expectDropped(
      try dealing { $0.dropLast() + [.init(maskKey: noPoint, selfMask: $0[0].selfMask)] }, .badCommitments, shows: .badCommitments)
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
}
