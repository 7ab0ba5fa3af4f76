// Attempts over the sparse graph (spec/08-sparse-graph.md): honest ones with dropouts in every phase, and parties that lie.
import Sodium
import TestSupport
import Testing

@testable import SecAgg

@Suite struct SparseRoundTests {
  static let victim = Fixture.site(7)

  private func sparse(minimumSurvivors: Int? = nil) throws -> World {
    let world = try World(66, colluders: 3, minimumSurvivors: minimumSurvivors)
    #expect(world.plan.isSparse)
    return world
  }

  @Test("[SG-07] [SG-08] nobody drops: the sum is the plain sum") func honest() throws {
    for late in [false, true] {
      let world = try sparse()
      world.providesLate = late
      world.run()
      let sum = try #require(world.sum)
      #expect(sum.sections == world.plainSum(world.plan.sites) && sum.survivors == world.plan.sites)
      #expect(world.ends.values.allSatisfy { $0 == .completed } && world.ends.count == 66)
      #expect(world.phases == [.plan, .graph, .keys, .shares, .acknowledge, .maskedInput, .consistency, .reveal])
      // A site deals to its neighbours only, and masks with them only.
      let session = try #require(world.sites[Self.victim])
      #expect(session.ownHeaders.count == world.plan.neighbours && session.scope?.neighbours.count == world.plan.neighbours)
    }
  }

  @Test func dropoutsInEveryPhase() throws {
    for phase in [Phase.plan, .keys, .shares, .acknowledge, .maskedInput, .consistency, .reveal] {
      for notice in [World.Notice.vanished, .deadline] {
        let world = try sparse()
        world.notice = notice
        for index in [3, 40, 41] { world.deathPhase[Fixture.site(index)] = phase }
        world.run()
        let sum = try #require(world.sum, "three gone in \(phase)")
        #expect(sum.sections == world.plainSum(sum.survivors))
        #expect(sum.survivors.count == (phase > .maskedInput ? 66 : 63))
      }
    }
  }

  @Test func randomDropoutsOverThePhases() throws {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<12 {
      let world = try sparse()
      for _ in 0..<3 {
        let phases = [Phase.plan, .keys, .shares, .acknowledge, .maskedInput, .consistency, .reveal]
        world.deathPhase[Fixture.site(Int.random(in: 0..<66, using: &random))] = phases.randomElement(using: &random)
      }
      world.run()
      let sum = try #require(world.sum)
      #expect(sum.sections == world.plainSum(sum.survivors))
    }
  }

  @Test("[SG-06] more dropouts than the plan allows for") func tooMany() throws {
    let codes: [(Phase, RefusalCode)] = [
      (.plan, .tooFewAccepted), (.keys, .tooFewKeys), (.shares, .tooFewDealers), (.acknowledge, .tooFewAcknowledged),
      (.maskedInput, .tooFewInputs),
    ]
    for (phase, code) in codes {
      let world = try sparse()
      for index in 0..<4 { world.deathPhase[Fixture.site(index)] = phase }
      world.run()
      #expect(world.abortCode == code, "\(phase)")
    }
    // All neighbours of one site but six reveal nothing: its secrets cannot be rebuilt.
    let world = try sparse()
    var watched: Set<SiteID> = []
    world.toServer = { [unowned world] site, type, bytes in
      if type == .keys, watched.isEmpty { watched = Set(world.sites[site]?.scope?.neighbours.prefix(4) ?? []) }
      return type == .reveal && watched.contains(site) ? [] : [bytes]
    }
    world.run()
    #expect(world.abortCode == .tooFewShares)
  }

  @Test("[SA-23] a nonce that does not open its commitment ends the attempt and names its sender, silence does so on the server's word")
  func badNonce() throws {
    let rogue = Fixture.site(9)
    let lying = try sparse()
    lying.toServer = { [unowned lying] site, type, bytes in
      site == rogue && type == .graphNonce ? [lying.siteMessage(GraphNonceBody(nonce: BLAKE2b.hash([1])), rogue).bytes] : [bytes]
    }
    lying.run()
    guard case .aborted(let refusal) = lying.outcome else {
      Issue.record("a sum over a graph that somebody chose")
      return
    }
    #expect(refusal.code == .badNonce && refusal.culprit == rogue)
    let silent = try sparse()
    silent.deathPhase[rogue] = .graph
    silent.run()
    guard case .aborted(let end) = silent.outcome else {
      Issue.record("a sum over a graph that somebody chose")
      return
    }
    #expect(end.code == .badNonce && end.culprit == nil && end.reason.contains("\(rogue)"))
  }

  @Test("[SG-03] the nonce leaves for one list of commitments only, fresh each time") func oneNonce() throws {
    var nonces: Set<[UInt8]> = []
    for _ in 0..<2 {
      let world = try sparse()
      world.toSite = { [unowned world] site, type, bytes in
        site == Self.victim && type == .graphCommitments
          ? [bytes, bytes, world.serverMessage(GraphCommitmentsBody(hash: BLAKE2b.hash([3])))] : [bytes]
      }
      world.run()
      #expect(world.code(Self.victim) == .equivocation)
      let sent = world.log.filter { !$0.toSite && $0.site == Self.victim && world.type(of: $0.bytes) == .graphNonce }
      #expect(Set(sent.map(\.bytes)).count == 1)
      for message in sent { nonces.insert(try SignedMessage(decoding: message.bytes).open(GraphNonceBody.self).nonce) }
    }
    #expect(nonces.count == 2)
  }

  /// Runs with one list to the victim changed by the server.
  private func lie<Body: MessageBody>(_ type: Body.Type, _ edit: @escaping (World, Body) throws -> Body) throws -> RefusalCode? {
    let world = try sparse()
    world.toSite = { [unowned world] site, sent, bytes in
      guard site == Self.victim, sent == Body.type, let body = try? SignedMessage(decoding: bytes).open(Body.self),
        let edited = try? edit(world, body)
      else { return [bytes] }
      return [world.serverMessage(edited)]
    }
    world.run()
    if let sum = world.sum { #expect(sum.sections == world.plainSum(sum.survivors)) }
    return world.code(Self.victim)
  }

  @Test("[SA-24] [SA-22] nonces that are not those of the commitments") func nonces() throws {
    #expect(try lie(GraphNoncesBody.self) { GraphNoncesBody(entries: $1.entries.filter { $0.site != Self.victim }) } == .otherNonces)
    #expect(try lie(GraphNoncesBody.self) { GraphNoncesBody(entries: $1.entries.dropLast()) } == .otherNonces)
    #expect(
      try lie(GraphNoncesBody.self) { _, body in
        GraphNoncesBody(entries: body.entries.dropLast() + [.init(site: Fixture.site(65), nonce: BLAKE2b.hash([0]))])
      } == .otherNonces)
    #expect(
      try lie(GraphNoncesBody.self) { _, body in
        GraphNoncesBody(entries: body.entries + [.init(site: SiteID(99_999), nonce: BLAKE2b.hash([0]))])
      } == .otherNonces)
    // A list of few that was committed to.
    let world = try sparse()
    world.toSite = { [unowned world] site, type, bytes in
      guard site == Self.victim, let session = world.sites[site], let nonce = session.secrets?.nonce else { return [bytes] }
      let few = GraphNoncesBody(entries: [.init(site: site, nonce: nonce)])
      if type == .graphCommitments { return [world.serverMessage(GraphCommitmentsBody(hash: few.commitmentList(world.plan.context)))] }
      return type == .graphNonces ? [world.serverMessage(few)] : [bytes]
    }
    world.run()
    #expect(world.code(Self.victim) == .tooFewAccepted)
  }

  @Test("[SG-04] [SA-25] keys for another graph, at a site and at the server") func otherGraph() throws {
    #expect(
      try lie(KeyListBody.self) { world, body in
        let other = try #require(body.keys.first { $0.sender != Self.victim })
        let keys = try other.open(KeysBody.self)
        let forged = KeysBody(maskKey: keys.maskKey, channelKey: keys.channelKey, graphSeed: BLAKE2b.hash([5]))
        return KeyListBody(
          keys: body.keys.map { $0 == other ? world.siteMessage(forged, other.sender) : $0 }, set: body.set)
      } == .otherGraph)
    let world = try sparse()
    world.toServer = { [unowned world] site, type, bytes in
      guard site == Self.victim, type == .keys, let keys = try? SignedMessage(decoding: bytes).open(KeysBody.self) else { return [bytes] }
      return [
        world.siteMessage(
          KeysBody(maskKey: keys.maskKey, channelKey: keys.channelKey, graphSeed: BLAKE2b.hash([5])), site
        ).bytes
      ]
    }
    world.run()
    let sum = try #require(world.sum)
    #expect(!sum.keyed.contains(Self.victim) && sum.sections == world.plainSum(sum.survivors))
    #expect(world.refusals.contains { $0.0 == Self.victim && $0.1.code == .otherGraph })
  }

  @Test("[SG-05] lists without their set, without neighbours, with strangers") func lists() throws {
    let keys = try lie(KeyListBody.self) { KeyListBody(keys: $1.keys) }
    let hidden = try lie(KeyListBody.self) { KeyListBody(keys: $1.keys.dropLast(), set: $1.set) }
    let shares = try lie(ShareDeliveryBody.self) { ShareDeliveryBody(headers: $1.headers, envelopes: $1.envelopes) }
    let fewer = try lie(ShareDeliveryBody.self) {
      ShareDeliveryBody(headers: $1.headers.dropLast(), envelopes: $1.envelopes.dropLast(), set: $1.set)
    }
    let absent = try lie(ShareDeliveryBody.self) {
      ShareDeliveryBody(headers: $1.headers, envelopes: $1.envelopes, set: $1.set?.filter { $0 != Self.victim })
    }
    let acknowledgements = try lie(AcknowledgementListBody.self) { AcknowledgementListBody(acknowledgements: $1.acknowledgements) }
    let survivors = try lie(SurvivorsBody.self) { SurvivorsBody(headers: $1.headers) }
    for code in [keys, hidden, shares, fewer, absent, acknowledgements, survivors] { #expect(code == .wrongMembers) }
    let stranger = SiteID(5)
    #expect(try lie(KeyListBody.self) { KeyListBody(keys: $1.keys, set: ([stranger] + ($1.set ?? [])).sorted()) } == .wrongMembers)
    let whole: (SurvivorsBody) -> SurvivorsBody.Whole = { $0.whole ?? .init(sites: [], digests: []) }
    #expect(
      try lie(SurvivorsBody.self) { _, body in
        let digests = Array(repeating: BLAKE2b.hash([1]), count: whole(body).digests.count)
        return SurvivorsBody(headers: body.headers, whole: .init(sites: whole(body).sites, digests: digests))
      } == .wrongMembers)
    #expect(
      try lie(SurvivorsBody.self) { _, body in
        let index = try #require(whole(body).sites.firstIndex(of: Self.victim))
        var (sites, digests) = (whole(body).sites, whole(body).digests)
        sites.remove(at: index)
        digests.remove(at: index)
        return SurvivorsBody(headers: body.headers.filter { $0.sender != Self.victim }, whole: .init(sites: sites, digests: digests))
      } == .excluded)
    #expect(
      try lie(SurvivorsBody.self) { _, body in
        let sites = ([stranger] + whole(body).sites).sorted()
        let digests = [BLAKE2b.hash([1])] + whole(body).digests
        return SurvivorsBody(headers: body.headers, whole: .init(sites: sites, digests: digests))
      } == .notSubset)
  }

  @Test("[SG-06] sets that are too small, whole or near the site") func small() throws {
    func few(_ set: [SiteID]?, keep: Int) -> [SiteID] { Array((set ?? []).filter { $0 != Self.victim }.prefix(keep)) + [Self.victim] }
    #expect(
      try lie(KeyListBody.self) { _, body in
        let set = few(body.set, keep: 61).sorted()
        return KeyListBody(keys: body.keys.filter { set.sortedContains($0.sender) }, set: set)
      } == .tooFewKeys)
    // Enough in all and too few next to the site.
    var plan = try sparse().plan
    plan.minimumSurvivors = 30
    let graph = MaskGraph(plan: plan, seed: BLAKE2b.hash([4]), context: plan.context)
    let roster = Fixture.roster(66, colluders: 3)
    let scope = Scope(plan: plan, context: plan.context, roster: roster, graph: graph, viewer: Self.victim)
    let far = plan.sites.filter { !scope.neighbours.contains($0) }
    try scope.requireEnough((far + scope.neighbours.prefix(plan.threshold)).sorted(), 30, .tooFewInputs, "inputs")
    #expect(throws: Refusal.self) {
      try scope.requireEnough((far + scope.neighbours.prefix(plan.threshold - 1)).sorted(), 30, .tooFewInputs, "inputs")
    }
  }

  @Test("[SA-52] the site's own shares, which it counts itself") func ownAcknowledgements() throws {
    #expect(
      try lie(AcknowledgementListBody.self) { _, body in
        AcknowledgementListBody(acknowledgements: Array(body.acknowledgements.filter { $0.sender != Self.victim }.prefix(6)), set: body.set)
      } == .notAcknowledged)
  }

  @Test("[SG-08] [SA-80] [SA-81] t signatures of neighbours over one set, the site's own not counted") func signatures() throws {
    let world = try sparse()
    let needed = world.plan.threshold
    let code = try lie(SignatureListBody.self) { _, body in
      SignatureListBody(
        signatures: body.signatures.filter { $0.sender == Self.victim }
          + body.signatures.filter { $0.sender != Self.victim }.prefix(needed - 1))
    }
    // The list is out of order where the victim is not the lowest: then it is malformed, which is a refusal too.
    #expect(code == .tooFewSignatures || code == .malformed)
    #expect(
      try lie(SignatureListBody.self) { _, body in
        SignatureListBody(signatures: Array(body.signatures.filter { $0.sender != Self.victim }.prefix(needed - 1)))
      } == .tooFewSignatures)
    #expect(
      try lie(SignatureListBody.self) { world, body in
        let other = try #require(body.signatures.first { $0.sender != Self.victim })
        let forged = world.siteMessage(ConsistencyBody(hash: BLAKE2b.hash([9])), other.sender)
        return SignatureListBody(signatures: body.signatures.map { $0 == other ? forged : $0 })
      } == .signatureOnOtherSet)
  }

  @Test("[SG-09] [SA-14] the honest sites that a sparse sum assures") func honestSites() throws {
    let world = try World(66, colluders: 3, minimumHonest: 6)
    world.run()
    #expect(world.codes() == [.tooFewHonest] && world.abortCode == .tooFewAccepted)
  }

  @Test("[SA-85] a dealer in the sparse graph whose shares match their hashes and not each other") func wrongDealer() throws {
    let world = try sparse()
    let dealer = Fixture.site(20)
    world.toServer = { [unowned world] site, type, bytes in
      guard site == dealer, type == .shares else { return [bytes] }
      return [(try? self.redealt(world, dealer, bytes)) ?? bytes]
    }
    world.run()
    guard case .aborted(let refusal) = world.outcome else {
      Issue.record("a sum was released")
      return
    }
    #expect(refusal.code == .wrongDealer && refusal.culprit == dealer)
  }

  /// One holder gets random shares, with hashes that match them.
  private func redealt(_ world: World, _ dealer: SiteID, _ bytes: [UInt8]) throws -> [UInt8] {
    let context = world.plan.context
    let session = try #require(world.sites[dealer])
    let list = try #require(session.keyList)
    let channel = try #require(session.secrets?.channelKey)
    let body = try SignedMessage(decoding: bytes).open(SharesBody.self)
    let header = try body.headers[0].open(ShareHeaderBody.self)
    let holder = header.entries[0].holder
    let keys = try #require(list.keys[holder])
    let (one, two) = (Scalar.random(), Scalar.random())
    let envelope = try Channel.seal(
      Channel.plaintext(maskKeyShare: one, selfMaskShare: two), from: dealer, to: holder, own: channel, peer: keys.channelKey,
      context: context)
    let entry = ShareHeaderBody.Entry(
      holder: holder, maskKeyShare: Transcript.share(context, dealer: dealer, holder: holder, .maskKey, one),
      selfMaskShare: Transcript.share(context, dealer: dealer, holder: holder, .selfMask, two),
      envelope: Transcript.envelope(context, dealer: dealer, holder: holder, envelope))
    let signed = world.siteMessage(
      ShareHeaderBody(keyList: header.keyList, selfMaskRoot: header.selfMaskRoot, commitments: [], entries: [entry]), dealer)
    let envelopes = [envelope] + body.envelopes.dropFirst()
    return world.siteMessage(SharesBody(headers: [signed] + body.headers.dropFirst(), envelopes: envelopes), dealer).bytes
  }

  @Test("[SG-07] [SA-08] a dealer that tells its holders of two roots, or forgets one") func dealers() throws {
    for forgets in [false, true] {
      let world = try sparse()
      let dealer = Fixture.site(20)
      world.toServer = { [unowned world] site, type, bytes in
        guard site == dealer, type == .shares, let body = try? SignedMessage(decoding: bytes).open(SharesBody.self),
          let header = try? body.headers[0].open(ShareHeaderBody.self)
        else { return [bytes] }
        let other = world.siteMessage(
          ShareHeaderBody(keyList: header.keyList, selfMaskRoot: BLAKE2b.hash([2]), commitments: [], entries: header.entries), dealer)
        let headers = forgets ? body.headers.dropFirst() : [other] + body.headers.dropFirst()
        return [world.siteMessage(SharesBody(headers: Array(headers), envelopes: body.envelopes), dealer).bytes]
      }
      world.run()
      let sum = try #require(world.sum)
      #expect(!sum.masked.contains(dealer) && sum.sections == world.plainSum(sum.survivors))
      #expect(world.refusals.contains { $0.0 == dealer && $0.1.code == .wrongMembers })
    }
  }
}
