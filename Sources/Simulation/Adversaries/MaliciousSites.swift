// Sites that run the real code and lie on the wire, each with its own key: at least one, at most n_C of them.
import SecAgg
import Sodium

enum SitePitfall: String, CaseIterable {
  case badEnvelope = "site-bad-envelope"
  case badCommitment = "site-bad-commitment"
  case mutedAcknowledgement = "site-muted-acknowledgement"
  case twoKeys = "site-two-keys"
  case weakKey = "site-weak-key"
  case stolenKey = "site-stolen-key"
  case otherPayload = "site-other-payload"
  case badPadding = "site-bad-padding"
  case shuffledPieces = "site-shuffled-pieces"
  case bothShares = "site-both-shares"
  case wrongShare = "site-wrong-share"
  case foreignName = "site-foreign-name"
  case otherSurvivors = "site-other-survivors"
  case silent = "site-silent"
  case badNonce = "site-bad-nonce"
  case noNonce = "site-no-nonce"
  case nonsense = "site-nonsense"

  var needsSparse: Bool { [.badNonce, .noNonce].contains(self) }

  var what: String {
    switch self {
    case .badEnvelope: "deals shares that some holders cannot open, and signs for them"
    case .badCommitment: "commits to another polynomial than it deals"
    case .mutedAcknowledgement: "acknowledges nobody but itself"
    case .twoKeys: "shows two sets of keys"
    case .weakKey: "shows a key of small order"
    case .stolenKey: "shows another site's key as its own"
    case .otherPayload: "sends another input than it signed for"
    case .badPadding: "sets bits beyond the last word"
    case .shuffledPieces: "sends the pieces of its input out of order"
    case .bothShares: "reveals both shares of a site"
    case .wrongShare: "reveals shares that it was not dealt"
    case .foreignName: "speaks in another site's name"
    case .otherSurvivors: "signs another survivor set"
    case .silent: "is silent from some phase on, and keeps its connection"
    case .badNonce: "shows a nonce that it did not commit to"
    case .noNonce: "commits to a nonce and never shows it"
    case .nonsense: "alters what it signs at random"
    }
  }
}

final class MaliciousSites: Adversary {
  let pitfall: SitePitfall
  private var random: SeededRandom
  private var members: Set<SiteID> = []
  private var silentFrom = Phase.plan

  init(_ pitfall: SitePitfall, seed: UInt64) {
    self.pitfall = pitfall
    random = SeededRandom(seed, "malicious sites")
  }

  var name: String { pitfall.rawValue }
  var isServer: Bool { false }

  func colluders(of sites: [SiteID], _ options: SimulationOptions) -> Set<SiteID> {
    let most = max(1, options.colludersOrDefault)
    members = Set(sites.shuffled(using: &random).prefix(1 + Int(random.next() % UInt64(most))))
    silentFrom = [Phase.plan, .keys, .shares, .acknowledge, .maskedInput, .consistency, .reveal][Int(random.next() % 7)]
    return members
  }

  func fromSite(_ packet: Packet, _ site: SimulatedSite, _ simulation: Simulation) -> [Packet] {
    guard members.contains(site.id), let plan = site.plan else { return [packet] }
    switch packet {
    case .piece(let bytes, let index, let count): return piece(bytes, index, count, plan)
    case .message(let bytes): return message(bytes, site, plan.context).map { .message($0) }
    case .goodbye: return [packet]
    }
  }

  private func piece(_ bytes: [UInt8], _ index: Int, _ count: Int, _ plan: RoundPlan) -> [Packet] {
    var bytes = bytes
    var place = index
    switch pitfall {
    case .otherPayload where index == 0: bytes[0] ^= 1
    case .badPadding where index == count - 1: bytes[bytes.count - 1] |= 0x80
    case .shuffledPieces: place = count - 1 - index + (count == 1 ? 1 : 0)
    case .silent where silentFrom <= .maskedInput: return []
    default: break
    }
    return [.piece(bytes, index: place, count: count)]
  }

  private func message(_ bytes: [UInt8], _ site: SimulatedSite, _ context: [UInt8]) -> [[UInt8]] {
    let lie = { (body: any MessageBody) in SignedMessage(body, context: context, sender: site.id, key: site.key).bytes }
    switch pitfall {
    case .badEnvelope, .badCommitment: return [bytes.body(SharesBody.self).flatMap { redealt($0, site, context) } ?? bytes]
    case .mutedAcknowledgement:
      guard let body = bytes.body(AcknowledgementBody.self) else { return [bytes] }
      return [lie(AcknowledgementBody(transcript: body.transcript, dealers: body.dealers.filter { $0 == site.id }))]
    case .twoKeys:
      guard let body = bytes.body(KeysBody.self) else { return [bytes] }
      return [bytes, lie(KeysBody(maskKey: body.channelKey, channelKey: body.maskKey, graphSeed: body.graphSeed))]
    case .weakKey, .stolenKey: return [otherKey(bytes, lie) ?? bytes]
    case .bothShares, .wrongShare: return [otherReveal(bytes, lie) ?? bytes]
    case .foreignName:
      guard random.happens(0.3), let message = try? SignedMessage(decoding: bytes) else { return [bytes] }
      let name = SiteID(site.id.rawValue ^ 4)
      return [SignedMessage(type: message.type, body: message.body, context: context, sender: name, key: site.key).bytes]
    case .otherSurvivors: return bytes.messageType == .consistency ? [lie(ConsistencyBody(hash: random.bytes(32)))] : [bytes]
    case .silent: return (bytes.messageType?.duePhase).map { $0 >= silentFrom } == true ? [] : [bytes]
    case .badNonce: return bytes.messageType == .graphNonce ? [lie(GraphNonceBody(nonce: random.bytes(32)))] : [bytes]
    case .noNonce: return bytes.messageType == .graphNonce ? [] : [bytes]
    case .nonsense: return random.happens(0.3) ? [altered(bytes, site) ?? bytes] : [bytes]
    case .otherPayload, .badPadding, .shuffledPieces: return [bytes]
    }
  }

  /// A key that everybody can compute a secret with, or one that this site saw: its own, from the attempt before it, or another's.
  private func otherKey(_ bytes: [UInt8], _ lie: (any MessageBody) -> [UInt8]) -> [UInt8]? {
    guard let body = bytes.body(KeysBody.self) else { return nil }
    let weak = try? X25519.PublicKey([1] + [UInt8](repeating: 0, count: 31))
    let key = pitfall == .weakKey ? weak ?? body.channelKey : body.channelKey
    return lie(KeysBody(maskKey: key, channelKey: body.channelKey, graphSeed: body.graphSeed))
  }

  private func otherReveal(_ bytes: [UInt8], _ lie: (any MessageBody) -> [UInt8]) -> [UInt8]? {
    guard let body = bytes.body(RevealBody.self), let last = body.entries.last else { return nil }
    let changed =
      pitfall == .bothShares
      ? RevealBody.Entry(dealer: last.dealer, kind: last.kind == .selfMask ? .maskKey : .selfMask, share: last.share)
      : RevealBody.Entry(dealer: last.dealer, kind: last.kind, share: random.bytes(31) + [0])
    return lie(RevealBody(entries: body.entries.dropLast() + [changed]))
  }

  /// Shares of which every third cannot be opened or, with other commitments, fits nothing; the site's own session believes that it
  /// said so.
  private func redealt(_ body: SharesBody, _ site: SimulatedSite, _ context: [UInt8]) -> [UInt8]? {
    var envelopes = body.envelopes
    var headers: [SignedMessage] = []
    var next = 0
    for message in body.headers {
      guard let header = try? message.open(ShareHeaderBody.self) else { return nil }
      let entries = header.entries.map { entry in
        guard entry.holder != site.id, next < envelopes.count else { return entry }
        defer { next += 1 }
        guard pitfall == .badEnvelope, next % 3 == 0 else { return entry }
        envelopes[next][0] ^= 1
        let hash = Transcript.envelope(context, dealer: site.id, holder: entry.holder, envelopes[next])
        return .init(
          holder: entry.holder, maskKeyShare: entry.maskKeyShare, selfMaskShare: entry.selfMaskShare, envelope: hash,
          noiseShares: entry.noiseShares)
      }
      // Points all of them, in another order.
      let commitments = pitfall == .badCommitment ? Array(header.commitments.reversed()) : header.commitments
      let lie = ShareHeaderBody(
        keyList: header.keyList, selfMaskRoot: header.selfMaskRoot, commitments: commitments, entries: entries,
        noiseRoots: header.noiseRoots)
      headers.append(SignedMessage(lie, context: context, sender: site.id, key: site.key))
    }
    site.session?.ownHeaders = headers
    return SignedMessage(SharesBody(headers: headers, envelopes: envelopes), context: context, sender: site.id, key: site.key).bytes
  }

  private func altered(_ bytes: [UInt8], _ site: SimulatedSite) -> [UInt8]? {
    guard let message = try? SignedMessage(decoding: bytes), !message.body.isEmpty else { return nil }
    var body = message.body
    body[Int(random.next() % UInt64(body.count))] ^= 1 << UInt8(random.next() & 7)
    return SignedMessage(type: message.type, body: body, context: message.context, sender: site.id, key: site.key).bytes
  }
}
