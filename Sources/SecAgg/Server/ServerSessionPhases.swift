// When a phase is over at the server, what it fixed, and what opens the next one (spec/03-phases.md). A phase ends when every
// site that it waits for has answered or was dropped; the sets are then computed by the same code that the sites use.

extension ServerSession {
  /// Whose answers the current phase needs; ascending, dropped sites left out.
  var expected: [SiteID] {
    let members: [SiteID] =
      switch phase {
      case .plan, .keys: plan.sites
      case .shares: keyList?.keyed ?? []
      case .acknowledge: dealerList?.dealers ?? []
      case .maskedInput: maskSet?.masked ?? []
      case .consistency, .reveal: survivorSet?.survivors ?? []
      case .done: []
      }
    return members.filter(live.contains)
  }

  func hasAnswered(_ site: SiteID) -> Bool {
    switch phase {
    case .plan: received[site]?[.acceptance] != nil
    case .keys: received[site]?[.keys] != nil
    case .shares: received[site]?[.shares] != nil
    case .acknowledge: received[site]?[.acknowledgement] != nil
    case .maskedInput: inputs[site] != nil
    case .consistency: received[site]?[.consistency] != nil
    case .reveal: reveals[site] != nil
    // After the end a site may still need to be told of it.
    case .done: false
    }
  }

  /// Who can still contribute to this phase: an input, signature or reveal counts although its site vanished afterwards.
  private var possible: Int {
    let waiting = expected.count { !hasAnswered($0) }
    let answered =
      switch phase {
      case .maskedInput: inputs.count
      case .consistency: signatures.count
      case .reveal: reveals.count
      default: expected.count { hasAnswered($0) }
      }
    return waiting + answered
  }

  private var signatures: [SignedMessage] {
    (survivorSet?.survivors ?? []).compactMap { received[$0]?[.consistency] }
  }

  /// Closes phases for as long as nobody is awaited.
  func advance() -> [ServerAction] {
    var actions: [ServerAction] = []
    while phase != .done {
      let needed = phase == .maskedInput ? plan.inputsMin : plan.threshold
      guard possible >= needed else {
        return actions + abort(Refusal(shortage, "\(possible) sites are left in phase \(phase); \(needed) are needed"))
      }
      guard expected.allSatisfy(hasAnswered) else { return actions }
      do throws(Refusal) { actions += try close() } catch { return actions + abort(error) }
    }
    return actions
  }

  private var shortage: RefusalCode {
    switch phase {
    case .plan: .tooFewAccepted
    case .keys: .tooFewKeys
    case .shares: .tooFewDealers
    case .acknowledge: .tooFewAcknowledged
    case .maskedInput: .tooFewInputs
    case .consistency: .tooFewSignatures
    case .reveal, .done: .tooFewShares
    }
  }

  private func close() throws(Refusal) -> [ServerAction] {
    switch phase {
    case .plan: return open(.keys)
    case .keys: return try closeKeys()
    case .shares: return try closeShares()
    case .acknowledge: return try closeAcknowledgements()
    case .maskedInput: return try closeInputs()
    case .consistency: return closeConsistency()
    case .reveal: return try closeReveal()
    case .done: return []
    }
  }

  private func open(_ next: Phase) -> [ServerAction] {
    phase = next
    return [.phase(next, waitingFor: expected)]
  }

  private func collected(_ type: MessageType) -> [SignedMessage] {
    expected.compactMap { received[$0]?[type] }
  }

  private func closeKeys() throws(Refusal) -> [ServerAction] {
    let list = try KeyList(collected(.keys), plan: plan, context: context, roster: roster)
    keyList = list
    return send(KeyListBody(keys: list.messages), to: list.keyed) + open(.shares)
  }

  private func closeShares() throws(Refusal) -> [ServerAction] {
    guard let keyList else { throw Refusal(.unexpected, "shares before keys") }
    var bodies: [SiteID: SharesBody] = [:]
    for message in collected(.shares) { bodies[message.sender] = try message.open(SharesBody.self) }
    let headers = bodies.keys.sorted().compactMap { bodies[$0]?.header }
    let list = try DealerList(headers, keyList: keyList, plan: plan, context: context, roster: roster)
    dealerList = list
    var actions: [ServerAction] = []
    for holder in list.dealers {
      let envelopes = list.dealers.filter { $0 != holder }.compactMap { dealer in
        bodies[dealer].flatMap { ServerSession.envelope(of: $0, from: dealer, to: holder, keyList.keyed) }
      }
      actions += send(ShareDeliveryBody(headers: list.messages, envelopes: envelopes), to: [holder])
    }
    return actions + open(.acknowledge)
  }

  private static func envelope(
    of shares: SharesBody, from dealer: SiteID, to holder: SiteID, _ keyed: [SiteID]
  ) -> [UInt8]? {
    guard let index = keyed.filter({ $0 != dealer }).firstIndex(of: holder), shares.envelopes.indices.contains(index)
    else { return nil }
    return shares.envelopes[index]
  }

  private func closeAcknowledgements() throws(Refusal) -> [ServerAction] {
    guard let dealerList else { throw Refusal(.unexpected, "acknowledgements before shares") }
    let list = collected(.acknowledgement)
    let set = try MaskSet(list, dealers: dealerList, plan: plan, context: context, roster: roster)
    maskSet = set
    var actions: [ServerAction] = []
    for site in dealerList.dealers where live.contains(site) && !set.masked.contains(site) {
      let refusal = Refusal(.notAcknowledged, "fewer than \(plan.threshold) sites could open the shares of \(site)", culprit: site)
      actions += send(RefusalBody(refusal), to: [site]) + drop(site, "\(refusal.code.rawValue): \(refusal.reason)")
    }
    let members = set.masked.filter(live.contains)
    return actions + send(AcknowledgementListBody(acknowledgements: set.messages), to: members) + open(.maskedInput)
  }

  private func closeInputs() throws(Refusal) -> [ServerAction] {
    guard let keyList, let maskSet else { throw Refusal(.unexpected, "inputs before masks") }
    let headers = inputs.keys.sorted().compactMap { inputs[$0] }
    let set = try SurvivorSet(
      headers, keyed: keyList.keyed, maskSet: maskSet, plan: plan, context: context, roster: roster)
    survivorSet = set
    let present = set.survivors.filter(live.contains)
    return send(SurvivorsBody(headers: set.messages), to: present) + open(.consistency)
  }

  private func closeConsistency() -> [ServerAction] {
    let list = SignatureListBody(signatures: signatures)
    return send(list, to: (survivorSet?.survivors ?? []).filter(live.contains)) + open(.reveal)
  }

  private func closeReveal() throws(Refusal) -> [ServerAction] {
    guard let keyList, let dealerList, let maskSet, let survivorSet else { throw Refusal(.unexpected, "a reveal before masks") }
    let recovery = Recovery(
      plan: plan, context: context, keyList: keyList, dealers: dealerList, maskSet: maskSet, survivors: survivorSet,
      reveals: reveals)
    var total = sum
    sum = []
    try recovery.unmask(&total)
    let packed = try PackedSections.pack(total, plan.sections)
    let digest = Transcript.sum(context, packed: packed)
    let signed = signatures.map { ($0.sender, $0.bytes) }
    let result = RoundSum(
      context: context, sections: total, invited: plan.sites, keyed: keyList.keyed, masked: maskSet.masked,
      survivors: survivorSet.survivors, revealers: reveals.keys.sorted(), inputDigests: survivorSet.digests,
      signatures: Dictionary(uniqueKeysWithValues: signed), digest: digest)
    reveals = [:]
    let present = survivorSet.survivors.filter(live.contains)
    phase = .done
    return send(ClosedBody(sumDigest: digest, revealers: result.revealers), to: present) + [.finished(result)]
  }
}
