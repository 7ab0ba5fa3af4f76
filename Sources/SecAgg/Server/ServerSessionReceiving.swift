// What a site's message must be before it counts at the server (spec/03-phases.md, "The server"): signed by who sent it, of
// this attempt, due now, said once.

import Sodium

extension ServerSession {
  func process(_ message: SignedMessage, _ site: SiteID) throws(Refusal) -> [ServerAction] {
    guard message.sender == site else { throw Refusal(.wrongSender, "\(site) sent a message in the name of \(message.sender)") }
    try message.verify(roster)
    if message.type == .refusal { return try processRefusal(message, site) }
    try message.expect(context: context)
    guard let due = message.type.duePhase else { throw Refusal(.unexpected, "a \(message.type.name) message is never for the server") }
    let digest = BLAKE2b.hash(message.bytes)
    if let first = received[site]?[message.type] {
      guard first.digest == digest else {
        throw Refusal(.equivocation, "a second, different \(message.type.name) message", culprit: site)
      }
      if message.type == .inputHeader { startUpload(site, message) }
      return []
    }
    // In the complete graph keys follow the acceptance at once and may overtake the other sites' acceptances.
    let isEarlyKeys = message.type == .keys && phase == .plan && !plan.isSparse && answered.contains(site)
    guard due == phase || isEarlyKeys else {
      throw Refusal(.unexpected, "a \(message.type.name) message in phase \(phase)")
    }
    guard isEarlyKeys || awaited.contains(site) else {
      throw Refusal(.unexpected, "\(site) has no part in phase \(phase)")
    }
    try check(message, site)
    received[site, default: [:]][message.type] = Received(digest: digest, message: message.type == .shares ? nil : message)
    switch message.type {
    case .inputHeader: startUpload(site, message)
    case .consistency: signatures[site] = message
    case .reveal: break
    default: if isEarlyKeys { earlyKeys[site] = message } else { collected[site] = message }
    }
    // An input counts when its payload is complete.
    if !isEarlyKeys, message.type != .inputHeader { answer(site) }
    return advance()
  }

  /// A site that leaves is dropped with its own reason. Before it read the plan it knows no context.
  private func processRefusal(_ message: SignedMessage, _ site: SiteID) throws(Refusal) -> [ServerAction] {
    let refusal = try message.open(RefusalBody.self).refusal
    let isUnaware = phase == .plan && received[site] == nil && message.context.allSatisfy { $0 == 0 }
    guard message.context == context || isUnaware else {
      throw Refusal(.wrongContext, "a refusal belongs to another attempt")
    }
    guard phase != .done else { return [] }
    return drop(site, "the site refused, \(refusal.code.rawValue): \(refusal.reason)") + advance()
  }

  /// The content, against the sets that are fixed by now.
  private func check(_ message: SignedMessage, _ site: SiteID) throws(Refusal) {
    switch message.type {
    case .acceptance:
      guard (try message.open(AcceptanceBody.self).commitment != nil) == plan.isSparse else {
        throw Refusal(.malformed, "an acceptance of another kind of graph", culprit: site)
      }
    case .graphNonce: try checkNonce(try message.open(GraphNonceBody.self), site)
    case .keys: try checkKeys(try message.open(KeysBody.self), site)
    case .shares: try checkShares(try message.open(SharesBody.self), site)
    case .acknowledgement: try checkAcknowledgement(message, site)
    case .inputHeader: try checkInputHeader(message)
    case .consistency: try checkConsistency(message)
    case .reveal: try checkReveal(try message.open(RevealBody.self), site)
    default: throw Refusal(.unexpected, "a \(message.type.name) message is never for the server")
    }
  }

  private func checkNonce(_ body: GraphNonceBody, _ site: SiteID) throws(Refusal) {
    guard commitments[site] == Transcript.nonceCommitment(context, site, body.nonce) else {
      throw Refusal(.badNonce, "the nonce of \(site) is not the one that it committed to", culprit: site)
    }
  }

  private func checkKeys(_ keys: KeysBody, _ site: SiteID) throws(Refusal) {
    guard (keys.graphSeed == nil) == (scope.graph.seed == nil) else {
      throw Refusal(.malformed, "the keys of \(site) are of another kind of graph", culprit: site)
    }
    guard keys.graphSeed == scope.graph.seed else {
      throw Refusal(.otherGraph, "the keys of \(site) are for another graph", culprit: site)
    }
    guard keys.maskKey != keys.channelKey else { throw Refusal(.duplicateKey, "one key for masks and channel", culprit: site) }
    for key in [keys.maskKey, keys.channelKey] {
      if let other = seenKeys[key], other != site {
        throw Refusal(.duplicateKey, "a key that \(other) has shown before", culprit: site)
      }
      guard WeakKeyProbe.accepts(key) else {
        throw Refusal(.weakKey, "a key of small order: every shared secret would be zero", culprit: site)
      }
    }
    for key in [keys.maskKey, keys.channelKey] { seenKeys[key] = site }
  }

  private func checkShares(_ shares: SharesBody, _ site: SiteID) throws(Refusal) {
    guard let keyList else { throw Refusal(.unexpected, "shares before keys") }
    guard shares.headers.allSatisfy({ $0.sender == site }) else {
      throw Refusal(.wrongSender, "the share header of another site", culprit: site)
    }
    let holders = keyList.holders(of: site, scope.graph)
    let dealt = try DealtShares(shares.headers, holders: holders, keyList: keyList, scope)
    let others = holders.filter { $0 != site }
    guard shares.envelopes.count == others.count else {
      throw Refusal(.wrongMembers, "\(shares.envelopes.count) envelopes for \(others.count) sites", culprit: site)
    }
    for (holder, envelope) in zip(others, shares.envelopes) {
      guard dealt.entries[holder]?.envelope == Transcript.envelope(context, dealer: site, holder: holder, envelope) else {
        throw Refusal(.envelopeAltered, "the envelope for \(holder) is not the one that the header names", culprit: site)
      }
    }
    let own = dealt.entries[site]?.envelope
    guard own == nil || own == Transcript.envelope(context, dealer: site, holder: site, []) else {
      throw Refusal(.envelopeAltered, "the envelope for \(site) itself is not empty", culprit: site)
    }
    self.dealt[site] = dealt
    envelopes[site] = shares.envelopes
  }

  private func checkAcknowledgement(_ message: SignedMessage, _ site: SiteID) throws(Refusal) {
    guard let dealerList else { throw Refusal(.unexpected, "an acknowledgement before shares") }
    let body = try MaskSet.acknowledgement(message, dealers: dealerList, scope)
    guard scope.graph.seed != nil || body.dealers.contains(site) else {
      throw Refusal(.wrongMembers, "a site holds its own shares and acknowledges them", culprit: site)
    }
  }

  private func checkInputHeader(_ message: SignedMessage) throws(Refusal) {
    guard let maskSet else { throw Refusal(.unexpected, "an input before masks") }
    _ = try SurvivorSet.header(message, maskSet: maskSet, scope)
  }

  private func checkConsistency(_ message: SignedMessage) throws(Refusal) {
    guard let survivorSet else { throw Refusal(.unexpected, "a signature before the survivors") }
    try survivorSet.check(message, scope)
  }

  private func checkReveal(_ body: RevealBody, _ site: SiteID) throws(Refusal) {
    guard let survivorSet, let maskSet, let dealerList else { throw Refusal(.unexpected, "a reveal before the survivors") }
    try RevealCheck.check(body, holder: site, dealers: dealerList, maskSet: maskSet, survivors: survivorSet, scope)
    reveals[site] = body
  }
}
