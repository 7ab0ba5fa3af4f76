// Dealers whose shares are wrong: found by a holder (who then does not acknowledge), or at the end (and then named).
import Masking
import Sodium
import Testing

@testable import SecAgg

@Suite struct BadDealerTests {
  static let dealer = Fixture.site(3)

  /// The dealer signs shares of which those for `holders` were replaced; its own session believes that it said so.
  private func deal(
    _ world: World, badFor holders: Set<SiteID>, hashesMatch: Bool
  ) {
    world.toServer = { [unowned world] site, type, bytes in
      guard site == BadDealerTests.dealer, type == .shares, let session = world.sites[site], let list = session.keyList,
        let channel = session.secrets?.channelKey, let body = try? SignedMessage(decoding: bytes).open(SharesBody.self),
        let header = try? body.headers[0].open(ShareHeaderBody.self)
      else { return [bytes] }
      let context = world.plan.context
      var envelopes: [[UInt8]] = []
      var kept = body.envelopes[...]
      var entries: [ShareHeaderBody.Entry] = []
      for entry in header.entries {
        var entry = entry
        if entry.holder != site, let original = kept.popFirst() {
          var envelope = original
          if holders.contains(entry.holder), let keys = list.keys[entry.holder] {
            let (one, two) = (Scalar.random(), Scalar.random())
            envelope =
              (try? Channel.seal(
                Channel.plaintext(maskKeyShare: one, selfMaskShare: two), from: site, to: entry.holder, own: channel, peer: keys.channelKey,
                context: context)) ?? original
            entry = .init(
              holder: entry.holder,
              maskKeyShare: hashesMatch
                ? Transcript.share(context, dealer: site, holder: entry.holder, .maskKey, one) : entry.maskKeyShare,
              selfMaskShare: hashesMatch
                ? Transcript.share(context, dealer: site, holder: entry.holder, .selfMask, two) : entry.selfMaskShare,
              envelope: Transcript.envelope(context, dealer: site, holder: entry.holder, envelope))
          }
          envelopes.append(envelope)
        }
        entries.append(entry)
      }
      let signed = world.siteMessage(
        ShareHeaderBody(
          keyList: header.keyList, selfMaskRoot: header.selfMaskRoot, commitments: header.commitments, entries: entries), site)
      session.ownHeaders = [signed]
      return [world.siteMessage(SharesBody(headers: [signed], envelopes: envelopes), site).bytes]
    }
  }

  @Test("[SA-111] one bad share: its holder does not acknowledge it, masks with the dealer all the same, and the sum is right")
  func oneBadShare() throws {
    // Eight sites, t = 6: seven acknowledgements remain.
    for isDealerGone in [false, true] {
      let world = try World(8)
      deal(world, badFor: [Fixture.site(0)], hashesMatch: false)
      if isDealerGone { world.deathPhase[BadDealerTests.dealer] = .maskedInput }
      world.run()
      let sum = try #require(world.sum)
      #expect(sum.masked == world.plan.sites)
      #expect(sum.survivors == world.plan.sites.filter { !isDealerGone || $0 != BadDealerTests.dealer })
      #expect(sum.sections == world.plainSum(sum.survivors))
      let held = try #require(world.server.maskSet?.held[Fixture.site(0)])
      #expect(!held.contains(BadDealerTests.dealer) && held.count == 7)
    }
  }

  @Test("[SA-52] bad shares for more than n - t: the dealer is in nobody's U2 and is told so")
  func manyBadShares() throws {
    let world = try World(8)
    deal(world, badFor: Set(Fixture.sites(3)), hashesMatch: false)
    world.run()
    let sum = try #require(world.sum)
    #expect(sum.survivors == world.plan.sites.filter { $0 != BadDealerTests.dealer } && sum.masked == sum.survivors)
    #expect(sum.sections == world.plainSum(sum.survivors))
    #expect(world.code(BadDealerTests.dealer) == .notAcknowledged)
    #expect(world.accusations.map(\.claim) == [.notAcknowledged] && world.accusations.first?.culprit == BadDealerTests.dealer)
  }

  @Test("[SS-06] shares that match their hashes and not the commitments: found by their holder, and the sum is right")
  func sharesOffThePolynomial() throws {
    for isDealerGone in [false, true] {
      let world = try World(8)
      deal(world, badFor: [Fixture.site(0)], hashesMatch: true)
      if isDealerGone { world.deathPhase[BadDealerTests.dealer] = .maskedInput }
      world.run()
      let sum = try #require(world.sum)
      #expect(sum.sections == world.plainSum(sum.survivors) && sum.masked == world.plan.sites)
      #expect(world.server.maskSet?.held[Fixture.site(0)]?.contains(BadDealerTests.dealer) == false)
    }
  }

  @Test("[SA-85] shares of another root, with commitments that fit them: no sum, and the dealer is named")
  func anotherRoot() throws {
    for isDealerGone in [false, true] {
      let world = try World(6)
      world.toServer = { [unowned world] site, type, bytes in
        guard site == BadDealerTests.dealer, type == .shares else { return [bytes] }
        return [(try? self.otherRoot(world, bytes)) ?? bytes]
      }
      if isDealerGone { world.deathPhase[BadDealerTests.dealer] = .maskedInput }
      world.run()
      guard case .aborted(let refusal) = world.outcome else {
        Issue.record("a sum was released")
        continue
      }
      #expect(refusal.code == .wrongDealer && refusal.culprit == BadDealerTests.dealer)
      #expect(world.accusations.map(\.claim) == [.wrongDealer] && world.accusations.first?.culprit == BadDealerTests.dealer)
    }
  }

  /// The dealer's message with shares of a root that is not its keys'; everything fits but the root.
  private func otherRoot(_ world: World, _ bytes: [UInt8]) throws -> [UInt8] {
    let dealer = BadDealerTests.dealer
    let (plan, context) = (world.plan, world.plan.context)
    let session = try #require(world.sites[dealer])
    let list = try #require(session.keyList)
    let channel = try #require(session.secrets?.channelKey)
    let header = try SignedMessage(decoding: bytes).open(SharesBody.self).headers[0].open(ShareHeaderBody.self)
    let points = list.keyed.compactMap(plan.point)
    let deals = try (0..<2).map { _ in try ShamirDeal(.random(), threshold: plan.threshold, points: points, commits: true) }
    var entries: [ShareHeaderBody.Entry] = []
    var envelopes: [[UInt8]] = []
    for (index, holder) in list.keyed.enumerated() {
      let (one, two) = (deals[0].share(index), deals[1].share(index))
      let keys = try #require(list.keys[holder])
      let plaintext = Channel.plaintext(maskKeyShare: one, selfMaskShare: two)
      var envelope: [UInt8] = []
      if holder == dealer {
        session.heldShares?.store(plaintext, of: dealer)
      } else {
        envelope = try Channel.seal(plaintext, from: dealer, to: holder, own: channel, peer: keys.channelKey, context: context)
        envelopes.append(envelope)
      }
      entries.append(
        .init(
          holder: holder, maskKeyShare: Transcript.share(context, dealer: dealer, holder: holder, .maskKey, one),
          selfMaskShare: Transcript.share(context, dealer: dealer, holder: holder, .selfMask, two),
          envelope: Transcript.envelope(context, dealer: dealer, holder: holder, envelope)))
    }
    let commitments = zip(deals[0].commitments, deals[1].commitments).map { commitment in
      ShareHeaderBody.Commitment(maskKey: commitment.0.bytes, selfMask: commitment.1.bytes)
    }
    let signed = world.siteMessage(
      ShareHeaderBody(keyList: header.keyList, selfMaskRoot: header.selfMaskRoot, commitments: commitments, entries: entries), dealer)
    session.ownHeaders = [signed]
    return world.siteMessage(SharesBody(headers: [signed], envelopes: envelopes), dealer).bytes
  }

  @Test("[SA-84] a dealer of whom too few holders are left")
  func tooFewShares() throws {
    let world = try World(8)
    deal(world, badFor: [Fixture.site(0)], hashesMatch: false)
    // Six reveal, and one of them holds no share of the dealer.
    world.deathPhase = [Fixture.site(6): .reveal, Fixture.site(7): .reveal]
    world.run()
    guard case .aborted(let refusal) = world.outcome else {
      Issue.record("five shares rebuild nothing")
      return
    }
    #expect(refusal.code == .tooFewShares && refusal.reason.contains("5 shares of site 33"))
  }

  @Test("[SA-91] the server closes an attempt from outside")
  func cancelled() throws {
    let world = try World(5)
    world.providesLate = true
    world.perform(world.server.start())
    world.drain()
    world.perform(world.server.cancel(Refusal(.over, "the server shuts down")))
    world.drain()
    #expect(world.abortCode == .over && world.codes() == [.over] && world.ends.count == 5)
    #expect(world.server.cancel(Refusal(.over, "again")).isEmpty)
  }

  @Test("the server refuses to start with a key that is not the roster's")
  func foreignServerKey() throws {
    let world = try World(5)
    let key = try #require(Keys.sites[Fixture.site(0)])
    #expect(throws: Refusal.self) { try ServerSession(plan: world.plan, roster: world.roster, signingKey: key) }
  }
}
