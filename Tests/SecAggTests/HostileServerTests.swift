// A server that signs whatever it likes: each trick that shipped systems fell for ends at the honest site with a named refusal
// and without a share, a signature or an input that it should not have given.
import Sodium
import Testing

@testable import SecAgg

@Suite struct HostileServerTests {
  static let victim = Fixture.site(0)
  static let accomplice = Fixture.site(4)

  /// Runs with the victim's message of one type replaced.
  func run<Body: MessageBody>(
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

  func expect(
    _ world: World, _ code: RefusalCode, culprit: SiteID? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard case .aborted(let refusal) = world.ends[HostileServerTests.victim] else {
      Issue.record("the victim went along", sourceLocation: sourceLocation)
      return
    }
    #expect(refusal.code == code && refusal.culprit == culprit, "\(refusal)", sourceLocation: sourceLocation)
    // [SA-122] Nothing secret is left, and nothing else is said.
    let session = world.sites[HostileServerTests.victim]
    #expect(session?.secrets == nil && session?.heldShares == nil && session?.plainInput == nil, sourceLocation: sourceLocation)
    #expect(session?.receive([1, 2, 3]).isEmpty == true, sourceLocation: sourceLocation)
  }

  func sent(_ type: MessageType, by world: World) -> Bool {
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
    #expect(world.accusations.map(\.claim) == [.badSignature] && world.accusations[0].culprit == nil)
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
      // Which of the two copied is not shown; that the server let both pass is.
      #expect(world.accusations.map(\.claim) == [.duplicateKey] && world.accusations[0].culprit == nil)
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
    #expect(world.accusations.map(\.claim) == [.duplicateKey] && world.accusations[0].culprit == HostileServerTests.accomplice)
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
      #expect(world.accusations.map(\.claim) == [.weakKey] && world.accusations[0].culprit == HostileServerTests.accomplice)
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
        keyList: BLAKE2b.hash([9]), selfMaskRoot: header.selfMaskRoot, commitments: header.commitments, entries: header.entries)
      return ShareDeliveryBody(
        headers: body.headers.dropLast() + [world.siteMessage(other, HostileServerTests.accomplice)], envelopes: body.envelopes)
    }
    expect(world, .transcriptDiffers)
  }

  @Test("[SA-42] a dealer's header without commitments, and [SA-08] a set behind a whole list")
  func noCommitments() throws {
    let world = try run(ShareDeliveryBody.self) { world, body in
      let header = try body.headers[4].open(ShareHeaderBody.self)
      let other = ShareHeaderBody(
        keyList: header.keyList, selfMaskRoot: header.selfMaskRoot, commitments: [], entries: header.entries)
      return ShareDeliveryBody(
        headers: body.headers.dropLast() + [world.siteMessage(other, HostileServerTests.accomplice)], envelopes: body.envelopes)
    }
    expect(world, .badCommitments, culprit: HostileServerTests.accomplice)
    expect(try run(KeyListBody.self) { KeyListBody(keys: $1.keys, set: $0.plan.sites) }, .wrongMembers)
    expect(
      try run(ShareDeliveryBody.self) { ShareDeliveryBody(headers: $1.headers, envelopes: $1.envelopes, set: $0.plan.sites) },
      .wrongMembers)
    expect(
      try run(AcknowledgementListBody.self) { AcknowledgementListBody(acknowledgements: $1.acknowledgements, set: $0.plan.sites) },
      .wrongMembers)
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
}
