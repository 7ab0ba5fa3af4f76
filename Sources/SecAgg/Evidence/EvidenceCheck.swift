// When evidence holds (spec/09-evidence.md, "Claims"). Each claim is decided from messages that the culprit itself signed, and no party
// that keeps to the protocol ever signs what one of them asks for.
import Masking
import Sodium

struct EvidenceCheck {
  let evidence: Evidence
  let plan: RoundPlan
  let context: [UInt8]
  let roster: RosterView

  var culprit: SiteID { evidence.culprit ?? .server }

  /// What the culprit did, to follow its name.
  /// - Throws: where the messages do not show it.
  func finding() throws(Refusal) -> String {
    if let site = evidence.culprit, !plan.invites(site) { throw unshown("the accused was not invited") }
    if evidence.culprit == nil, EvidenceCheck.againstSites.contains(evidence.claim) { throw unshown("only a site can do that") }
    switch evidence.claim {
    case .malformed: return try malformed()
    case .equivocation: return try equivocation()
    case .badSignature, .wrongContext, .wrongSender: return try badEntry()
    case .badNonce: return try badNonce()
    case .duplicateKey: return try duplicateKey()
    case .weakKey: return try weakKey()
    case .envelopeAltered: return try envelopeAltered()
    case .badCommitments: return try badCommitments()
    case .notAcknowledged: return try notAcknowledged()
    case .inputShape: return try inputShape()
    case .bothShares: return try bothShares()
    case .wrongShare: return try wrongShare()
    case .wrongDealer: return try wrongDealer()
    case .unopened: return try unopened()
    default: throw unshown("\(evidence.claim.rawValue) is no claim that evidence is defined for")
    }
  }

  /// Claims that are never of the server.
  private static let againstSites: Set<RefusalCode> = [
    .badNonce, .weakKey, .envelopeAltered, .badCommitments, .notAcknowledged, .inputShape, .bothShares, .wrongShare, .wrongDealer,
  ]

  func unshown(_ reason: String) -> Refusal { Refusal(.notShown, reason) }

  /// A message of this attempt that `sender` signed.
  @discardableResult
  func signed(_ message: SignedMessage, by sender: SiteID) throws(Refusal) -> SignedMessage {
    guard message.sender == sender else { throw Refusal(.wrongSender, "a message that is not of whom the claim needs it") }
    try message.expect(context: context)
    try message.verify(roster)
    return message
  }

  func message(_ index: Int, of count: Int, by sender: SiteID) throws(Refusal) -> SignedMessage {
    guard evidence.messages.count == count else {
      throw unshown("\(evidence.messages.count) messages where the claim has \(count)")
    }
    return try signed(evidence.messages[index], by: sender)
  }

  // MARK: One message

  private func malformed() throws(Refusal) -> String {
    let message = try message(0, of: 1, by: culprit)
    do throws(Refusal) { try wellFormed(message) } catch {
      // Two shares of one dealer have a claim of their own.
      guard error.code == .malformed else { throw unshown("the body breaks \(error.code.rawValue), not the encoding") }
      return "signed a \(message.type.name) message whose body is not the encoding of one: \(error.reason)"
    }
    throw unshown("the message is well formed")
  }

  /// The body, read to its last byte; acceptances and keys are others in the sparse graph.
  private func wellFormed(_ message: SignedMessage) throws(Refusal) {
    let body = try message.open(message.type.body)
    if let reveal = body as? RevealBody { try reveal.requireKnown(components: plan.removableComponents) }
    let isOfSparse =
      switch body {
      case let acceptance as AcceptanceBody: acceptance.commitment != nil
      case let keys as KeysBody: keys.graphSeed != nil
      default: plan.isSparse
      }
    guard isOfSparse == plan.isSparse else { throw Refusal(.malformed, "it is of the other kind of graph") }
  }

  /// Who signs a list vouches for what it holds.
  private func badEntry() throws(Refusal) -> String {
    let list = try message(0, of: 1, by: culprit)
    for entry in try list.entries() {
      do throws(Refusal) {
        try entry.expect(context: context)
        try entry.verify(roster)
      } catch {
        guard error.code == evidence.claim else { continue }
        return "signed a \(list.type.name) message with an entry that it had to refuse: \(error.reason)"
      }
    }
    throw unshown("no entry of the list breaks \(evidence.claim.rawValue)")
  }

  private func duplicateKey() throws(Refusal) -> String {
    let message = try message(0, of: 1, by: culprit)
    guard message.type == (evidence.culprit == nil ? .keyList : .keys) else { throw unshown("keys are a site's, lists the server's") }
    if message.type == .keys {
      let keys = try message.open(KeysBody.self)
      guard keys.maskKey == keys.channelKey else { throw unshown("both keys differ") }
      return "signed one key for masks and channel"
    }
    let list = try message.open(KeyListBody.self)
    var seen: Set<X25519.PublicKey> = []
    for entry in list.keys {
      let keys = try entry.open(KeysBody.self)
      for key in [keys.maskKey, keys.channelKey] where !seen.insert(key).inserted {
        return "signed a list in which \(entry.sender) has a key that is in it already"
      }
    }
    throw unshown("all keys of the list differ")
  }

  private func weakKey() throws(Refusal) -> String {
    let keys = try message(0, of: 1, by: culprit).open(KeysBody.self)
    guard ![keys.maskKey, keys.channelKey].allSatisfy(WeakKeyProbe.accepts) else { throw unshown("neither key is of small order") }
    return "signed a key of small order: every shared secret would be zero"
  }

  private func envelopeAltered() throws(Refusal) -> String {
    let shares = try message(0, of: 1, by: culprit).open(SharesBody.self)
    var entries: [ShareHeaderBody.Entry] = []
    for header in shares.headers { entries += try signed(header, by: culprit).open(ShareHeaderBody.self).entries }
    let others = entries.filter { $0.holder != culprit }
    guard others.count == shares.envelopes.count else {
      return "signed \(shares.envelopes.count) envelopes for \(others.count) holders"
    }
    for (entry, envelope) in zip(others, shares.envelopes)
    where entry.envelope != Transcript.envelope(context, dealer: culprit, holder: entry.holder, envelope) {
      return "signed an envelope for \(entry.holder) that is not the one that its own header names"
    }
    throw unshown("the envelopes are those of the header")
  }

  private func badCommitments() throws(Refusal) -> String {
    let header = try message(0, of: 1, by: culprit).open(ShareHeaderBody.self)
    guard header.commitments.count == (plan.isSparse ? 0 : plan.threshold) else {
      return "signed \(header.commitments.count) commitments to its polynomials"
    }
    let points = header.commitments.flatMap { [$0.maskKey, $0.selfMask] }
    guard !points.allSatisfy({ (try? RistrettoPoint($0)) != nil }) else { throw unshown("the commitments are points") }
    return "signed a commitment that is no point"
  }

  private func inputShape() throws(Refusal) -> String {
    let header = try message(0, of: 1, by: culprit).open(InputHeaderBody.self)
    guard header.payloadBytes != UInt64(plan.payloadBytes) else { throw unshown("the input has the plan's size") }
    return "signed an input of \(header.payloadBytes) bytes; the plan's has \(plan.payloadBytes)"
  }

  // MARK: Two messages

  private func equivocation() throws(Refusal) -> String {
    let (first, second) = (try message(0, of: 2, by: culprit), try message(1, of: 2, by: culprit))
    guard first.type == second.type, first.bytes != second.bytes, first.signedPart != second.signedPart else {
      throw unshown("the two messages do not contradict each other")
    }
    if first.type == .shareHeader {
      guard try contradict(first.open(ShareHeaderBody.self), second.open(ShareHeaderBody.self)) else {
        throw unshown("headers for two holders do not contradict each other")
      }
    } else {
      guard first.type.isSaidOnce(isSparse: plan.isSparse), (first.type.duePhase == nil) == (evidence.culprit == nil) else {
        throw unshown("there may be more than one \(first.type.name) message of one sender")
      }
    }
    return "signed two different \(first.type.name) messages in one attempt"
  }

  /// In the sparse graph each holder has its own header; all of them speak of one list of keys and one root.
  private func contradict(_ one: ShareHeaderBody, _ other: ShareHeaderBody) -> Bool {
    guard plan.isSparse else { return true }
    return one.keyList != other.keyList || one.selfMaskRoot != other.selfMaskRoot
      || one.entries.map(\.holder) == other.entries.map(\.holder)
  }

  private func badNonce() throws(Refusal) -> String {
    let accepted = try message(0, of: 2, by: culprit).open(AcceptanceBody.self)
    let shown = try message(1, of: 2, by: culprit).open(GraphNonceBody.self)
    guard let commitment = accepted.commitment, commitment != Transcript.nonceCommitment(context, culprit, shown.nonce) else {
      throw unshown("the nonce opens its commitment")
    }
    return "showed another nonce than it had committed to"
  }
}

extension SignedMessage {
  /// Everything but the signature: two signatures over one text contradict nothing.
  var signedPart: ArraySlice<UInt8> { bytes.dropLast(signature.count) }

  /// The messages inside a message.
  func entries() throws(Refusal) -> [SignedMessage] {
    switch type {
    case .keyList: try open(KeyListBody.self).keys
    case .shares: try open(SharesBody.self).headers
    case .shareDelivery: try open(ShareDeliveryBody.self).headers
    case .acknowledgementList: try open(AcknowledgementListBody.self).acknowledgements
    case .survivors: try open(SurvivorsBody.self).headers
    case .signatureList: try open(SignatureListBody.self).signatures
    default: []
    }
  }
}

extension MessageType {
  /// Whether one signer has one message of this type at most in an attempt, whoever receives it. In the sparse graph each site gets a list
  /// of its own, and everywhere each its own shares.
  func isSaidOnce(isSparse: Bool) -> Bool {
    switch self {
    case .acceptance, .graphNonce, .keys, .shares, .acknowledgement, .inputHeader, .consistency, .reveal: true
    case .destroyed: false
    case .graphCommitments, .graphNonces, .closed: true
    case .keyList, .acknowledgementList, .survivors, .signatureList: !isSparse
    case .plan, .shareHeader, .shareDelivery, .refusal: false
    }
  }
}
