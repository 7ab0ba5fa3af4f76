// What a site's message must be before it counts at the server (spec/03-phases.md, "The server"): signed by who sent it, of
// this attempt, due now, said once.

extension ServerSession {
  func process(_ message: SignedMessage, _ site: SiteID) throws(Refusal) -> [ServerAction] {
    guard message.sender == site else { throw Refusal(.wrongSender, "\(site) sent a message in the name of \(message.sender)") }
    try message.verify(roster)
    if message.type == .refusal { return try processRefusal(message, site) }
    try message.expect(context: context)
    guard let due = message.type.duePhase else { throw Refusal(.unexpected, "a \(message.type.name) message is never for the server") }
    if let first = received[site]?[message.type] {
      guard first.bytes == message.bytes else {
        throw Refusal(.equivocation, "a second, different \(message.type.name) message", culprit: site)
      }
      if message.type == .inputHeader { startUpload(site) }
      return []
    }
    // Keys follow the acceptance at once and may overtake the other sites' acceptances.
    let isEarlyKeys = message.type == .keys && phase == .plan && received[site]?[.acceptance] != nil
    guard due == phase || isEarlyKeys else {
      throw Refusal(.unexpected, "a \(message.type.name) message in phase \(phase)")
    }
    guard phase <= .keys || expected.contains(site) else {
      throw Refusal(.unexpected, "\(site) has no part in phase \(phase)")
    }
    try check(message, site)
    received[site, default: [:]][message.type] = message
    if message.type == .inputHeader { startUpload(site) }
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
    case .acceptance: _ = try message.open(AcceptanceBody.self)
    case .keys: try checkKeys(try message.open(KeysBody.self), site)
    case .shares: try checkShares(try message.open(SharesBody.self), site)
    case .acknowledgement: try checkAcknowledgement(message, site)
    case .inputHeader: try checkInputHeader(message)
    case .consistency: try checkConsistency(message)
    case .reveal: try checkReveal(try message.open(RevealBody.self), site)
    default: throw Refusal(.unexpected, "a \(message.type.name) message is never for the server")
    }
  }

  private func checkKeys(_ keys: KeysBody, _ site: SiteID) throws(Refusal) {
    guard keys.maskKey != keys.channelKey else { throw Refusal(.duplicateKey, "one key for masks and channel", culprit: site) }
    for (other, messages) in received where other != site {
      guard let others = try messages[.keys]?.open(KeysBody.self) else { continue }
      for key in [keys.maskKey, keys.channelKey] where key == others.maskKey || key == others.channelKey {
        throw Refusal(.duplicateKey, "a key that \(other) has shown before", culprit: site)
      }
    }
    for key in [keys.maskKey, keys.channelKey] where !WeakKeyProbe.accepts(key) {
      throw Refusal(.weakKey, "a key of small order: every shared secret would be zero", culprit: site)
    }
  }

  private func checkShares(_ shares: SharesBody, _ site: SiteID) throws(Refusal) {
    guard let keyList else { throw Refusal(.unexpected, "shares before keys") }
    guard shares.header.sender == site else { throw Refusal(.wrongSender, "the share header of another site", culprit: site) }
    let header = try DealerList.header(shares.header, keyList: keyList, context: context, roster: roster)
    let holders = keyList.keyed.filter { $0 != site }
    guard shares.envelopes.count == holders.count else {
      throw Refusal(.wrongMembers, "\(shares.envelopes.count) envelopes for \(holders.count) sites", culprit: site)
    }
    var envelopes = shares.envelopes[...]
    for entry in header.entries {
      let envelope = entry.holder == site ? [] : envelopes.popFirst() ?? []
      guard entry.envelope == Transcript.envelope(context, dealer: site, holder: entry.holder, envelope) else {
        throw Refusal(.envelopeAltered, "the envelope for \(entry.holder) is not the one that the header names", culprit: site)
      }
    }
  }

  private func checkAcknowledgement(_ message: SignedMessage, _ site: SiteID) throws(Refusal) {
    guard let dealerList else { throw Refusal(.unexpected, "an acknowledgement before shares") }
    let body = try MaskSet.acknowledgement(message, dealers: dealerList, context: context, roster: roster)
    guard body.dealers.contains(site) else {
      throw Refusal(.wrongMembers, "a site holds its own shares and acknowledges them", culprit: site)
    }
  }

  private func checkInputHeader(_ message: SignedMessage) throws(Refusal) {
    guard let maskSet else { throw Refusal(.unexpected, "an input before masks") }
    _ = try SurvivorSet.header(message, maskSet: maskSet, plan: plan, context: context, roster: roster)
  }

  private func checkConsistency(_ message: SignedMessage) throws(Refusal) {
    guard let survivorSet else { throw Refusal(.unexpected, "a signature before the survivors") }
    try SiteSession.check(message, over: survivorSet, context: context, roster: roster)
  }

  private func checkReveal(_ body: RevealBody, _ site: SiteID) throws(Refusal) {
    guard let survivorSet, let maskSet, let dealerList else { throw Refusal(.unexpected, "a reveal before the survivors") }
    try RevealCheck.check(
      body, holder: site, context: context, dealers: dealerList, maskSet: maskSet, survivors: survivorSet)
    reveals[site] = body
  }
}
