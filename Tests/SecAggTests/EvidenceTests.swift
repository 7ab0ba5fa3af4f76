// Evidence by itself (spec/09): what is no evidence, what shows nothing, and that nobody innocent is ever shown. The hostile sites, dealers
// and servers of the other suites make the good cases.
import Masking
import Sodium
import Testing

@testable import SecAgg

@Suite struct EvidenceTests {
  let roster = Fixture.roster(6, colluders: 1)
  let plan: RoundPlan
  let rogue = Fixture.site(2)

  init() { plan = Fixture.plan(6, roster: Fixture.roster(6, colluders: 1)) }

  private func signed(_ body: some MessageBody, by site: SiteID? = nil, _ context: [UInt8]? = nil) -> SignedMessage {
    let sender = site ?? rogue
    let key = sender == .server ? Keys.server : key(sender)
    return SignedMessage(body, context: context ?? plan.context, sender: sender, key: key)
  }

  private func key(_ site: SiteID) -> Ed25519.SigningKey { Keys.sites[site] ?? Keys.server }

  private func code(_ evidence: Evidence, _ roster: RosterView? = nil) -> RefusalCode? {
    do throws(Refusal) {
      _ = try evidence.check(roster ?? self.roster)
      return nil
    } catch { return error.code }
  }

  private let two = [ConsistencyBody(hash: BLAKE2b.hash([1])), ConsistencyBody(hash: BLAKE2b.hash([2]))]

  @Test("[EV-01] bytes that are no evidence") func encoding() throws {
    let evidence = Evidence(.equivocation, rogue, plan: plan, two.map { signed($0) }, preimage: [1, 2])
    #expect(code(evidence) == nil)
    let bytes = evidence.encoded()
    #expect(try Evidence(decoding: bytes) == evidence)
    for count in stride(from: 0, to: bytes.count, by: 7) {
      #expect(throws: Refusal.self) { try Evidence(decoding: Array(bytes.prefix(count))) }
    }
    for bad in [bytes + [0], [0] + bytes, [UInt8](repeating: 0, count: Evidence.bytesMax + 1)] {
      #expect(throws: Refusal.self) { try Evidence(decoding: bad) }
    }
    var unknown = bytes
    let at = Transcript.label("evidence").count + 1
    unknown.replaceSubrange(at..<at + 5, with: Array("SA-99".utf8))
    #expect(throws: Refusal.self) { try Evidence(decoding: unknown) }
  }

  @Test("[EV-02] another roster, or a key that is another's in it") func otherRoster() {
    let evidence = Evidence(.equivocation, rogue, plan: plan, two.map { signed($0) })
    let other = RosterView(digest: BLAKE2b.hash([7]), colluders: 1, siteKeys: roster.siteKeys, serverKey: roster.serverKey)
    #expect(code(evidence, other) == .rosterDiffers)
    var keys = roster.siteKeys
    keys[rogue] = keys[Fixture.site(3)]
    #expect(code(evidence, RosterView(digest: roster.digest, colluders: 1, siteKeys: keys, serverKey: roster.serverKey)) == .badSignature)
  }

  @Test("[EV-03] messages of another attempt, of another site, or of none") func foreignMessages() {
    let foreign = two.map { signed($0, by: nil, BLAKE2b.hash([3])) }
    #expect(code(Evidence(.equivocation, rogue, plan: plan, foreign)) == .wrongContext)
    #expect(code(Evidence(.equivocation, Fixture.site(1), plan: plan, two.map { signed($0) })) == .wrongSender)
    #expect(code(Evidence(.equivocation, nil, plan: plan, two.map { signed($0) })) == .wrongSender)
    #expect(code(Evidence(.equivocation, SiteID(77), plan: plan, two.map { signed($0) })) == .notShown)
    var forged = two.map { signed($0) }
    forged[1] = SignedMessage(two[1], context: plan.context, sender: rogue, key: key(Fixture.site(1)))
    #expect(code(Evidence(.equivocation, rogue, plan: plan, forged)) == .badSignature)
  }

  @Test("[EV-04] one message twice, types of which there may be several, too many, too few") func noContradiction() {
    let same = signed(two[0])
    for messages in [[same, same], [same], [], [same, signed(two[1]), same]] {
      #expect(code(Evidence(.equivocation, rogue, plan: plan, messages)) == .notShown)
    }
    let refusals = [RefusalBody(Refusal(.policy, "a")), RefusalBody(Refusal(.policy, "b"))].map { signed($0) }
    #expect(code(Evidence(.equivocation, rogue, plan: plan, refusals)) == .notShown)
    let deliveries = [[], [[UInt8](repeating: 0, count: 80)]].map { ShareDeliveryBody(headers: [], envelopes: $0) }
    #expect(code(Evidence(.equivocation, nil, plan: plan, deliveries.map { signed($0, by: .server) })) == .notShown)
  }

  @Test("[EV-04] the messages of a whole honest round show nothing, whatever is claimed of them")
  func honestRound() throws {
    let world = try World(6)
    world.run()
    let sum = try #require(world.sum)
    let messages = world.log.compactMap { try? SignedMessage(decoding: $0.bytes) }
    let keyList = try #require(world.server.keyList)
    let dealers = try #require(world.server.dealerList)
    let maskSet = try #require(world.server.maskSet)
    let survivors = try #require(world.server.survivorSet)
    let preimages = [
      [], Transcript.phases1And2Preimage(keys: keyList.messages, headers: dealers.messages),
      Transcript.survivorsPreimage(
        keyed: keyList.keyed, maskSet: maskSet.hash, masked: maskSet.masked, survivors: sum.survivors, digests: survivors.digests),
    ]
    for culprit in [nil, Fixture.site(0), Fixture.site(3)] {
      let own = messages.filter { $0.sender == culprit ?? .server } + dealers.messages.filter { $0.sender == culprit }
      let acknowledgements = messages.filter { $0.type == .acknowledgement }
      let reveals = messages.filter { $0.type == .reveal }
      let keys = own.filter { $0.type == .keys }
      let headers = own.filter { $0.type == .shareHeader }
      let pairs = own.flatMap { first in own.map { [first, $0] } }
      let lists = own.map { [$0] } + pairs + [acknowledgements, keys + headers + reveals.prefix(world.plan.threshold)]
      for claim in RefusalCode.allCases {
        for preimage in preimages {
          for list in lists {
            let evidence = Evidence(claim, culprit, plan: world.plan, list, preimage: preimage)
            #expect(throws: Refusal.self, "\(claim) \(list.map(\.type))") { try evidence.check(world.roster) }
          }
        }
      }
    }
  }

  @Test("[EV-04] a site that truly did not acknowledge is no evidence as long as it may be the only liar") func fewObjectors() throws {
    let world = try World(6)
    let dealer = Fixture.site(3)
    world.toServer = { [unowned world] site, type, bytes in
      guard site == Fixture.site(0), type == .acknowledgement,
        let body = try? SignedMessage(decoding: bytes).open(AcknowledgementBody.self)
      else { return [bytes] }
      let others = AcknowledgementBody(transcript: body.transcript, dealers: body.dealers.filter { $0 != dealer })
      return [world.siteMessage(others, site).bytes]
    }
    world.run()
    let keyList = try #require(world.server.keyList)
    let dealers = try #require(world.server.dealerList)
    let acknowledgements = try #require(world.server.maskSet).messages
    let preimage = Transcript.phases1And2Preimage(keys: keyList.messages, headers: dealers.messages)
    let evidence = Evidence(.notAcknowledged, dealer, plan: world.plan, acknowledgements, preimage: preimage)
    #expect(throws: Refusal.self) { try evidence.check(world.roster) }
    #expect(world.accusations.isEmpty)
  }

  @Test("[EV-04] [SA-01] a body that is none") func malformed() {
    let broken = SignedMessage(type: .consistency, body: [1, 2, 3], context: plan.context, sender: rogue, key: key(rogue))
    #expect(code(Evidence(.malformed, rogue, plan: plan, [broken])) == nil)
    let seeded = signed(AcceptanceBody(commitment: BLAKE2b.hash([])))
    #expect(code(Evidence(.malformed, rogue, plan: plan, [seeded])) == nil)
    #expect(code(Evidence(.malformed, rogue, plan: plan, [signed(AcceptanceBody())])) == .notShown)
  }
}
