// When a phase is over at the server, what it fixed, and what opens the next one (spec/03-phases.md). A phase ends when every
// site that it waits for has answered or was dropped; the sets are then computed by the same code that the sites use.

extension ServerSession {
  /// Whose answers the current phase needs; ascending, dropped sites left out.
  var expected: [SiteID] { members.filter(live.contains) }

  private var members: [SiteID] {
    switch phase {
    case .plan, .commitments: plan.sites
    case .graph: commitments.keys.sorted()
    case .keys: plan.isSparse ? commitments.keys.sorted() : plan.sites
    case .shares: keyList?.keyed ?? []
    case .acknowledge: dealerList?.dealers ?? []
    case .maskedInput: maskSet?.masked ?? []
    case .consistency, .reveal: survivorSet?.survivors ?? []
    case .done: []
    }
  }

  func hasAnswered(_ site: SiteID) -> Bool { answered.contains(site) }

  func answer(_ site: SiteID) {
    awaited.remove(site)
    answered.insert(site)
  }

  /// Closes phases for as long as nobody is awaited.
  func advance() -> [ServerAction] {
    var actions: [ServerAction] = []
    while phase != .done {
      let possible = awaited.count + answered.count
      guard possible >= needed else {
        let reason = "\(possible) sites are left in phase \(phase); \(needed) are needed"
        return actions + abort(Refusal(shortage, reason, culprit: nonceBreaker))
      }
      guard awaited.isEmpty else { return actions }
      do throws(Refusal) { actions += try close() } catch {
        let dealer = error.code == .wrongDealer ? error.culprit : nil
        return actions + (dealer.map(evidence(against:)) ?? []) + abort(error)
      }
    }
    return actions
  }

  /// How many sites the current phase needs.
  private var needed: Int {
    switch phase {
    case .plan, .commitments, .keys, .shares, .acknowledge: plan.membersMin
    // Whoever could be left out here could choose between two graphs (SA-23).
    case .graph: commitments.count
    case .maskedInput: plan.inputsMin
    case .consistency, .reveal, .done: plan.threshold
    }
  }

  private var shortage: RefusalCode {
    switch phase {
    case .plan, .commitments: .tooFewAccepted
    case .graph: .badNonce
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
    case .plan, .commitments: return try closePlan()
    case .graph: return try closeGraph()
    case .keys: return try closeKeys()
    case .shares: return try closeShares()
    case .acknowledge: return try closeAcknowledgements()
    case .maskedInput: return try closeInputs()
    case .consistency: return closeConsistency()
    case .reveal: return try closeReveal()
    case .done: return []
    }
  }

  /// Opens a phase. Who answered it already: keys come with the acceptance.
  private func open(_ next: Phase) -> [ServerAction] {
    phase = next
    collected = next == .keys ? earlyKeys : [:]
    earlyKeys = [:]
    let waiting = expected
    answered = Set(waiting.filter { collected[$0] != nil })
    awaited = Set(waiting).subtracting(answered)
    return [.phase(next, waitingFor: waiting)]
  }

  /// What the phase collected of those who are still there, ascending.
  private var messages: [SignedMessage] { answered.sorted().compactMap { collected[$0] } }

  /// Those of a phase's messages that one site gets to see.
  private func visible(_ messages: [SignedMessage], to site: SiteID) -> [SignedMessage] {
    guard scope.graph.seed != nil else { return messages }
    let circle = scope.graph.circle(of: site)
    return messages.filter { circle.sortedContains($0.sender) }
  }

  /// One message for all in the complete graph, one for each in the sparse one.
  private func send<Body: MessageBody>(to sites: [SiteID], _ body: (SiteID) -> Body) -> [ServerAction] {
    guard scope.graph.seed != nil else { return sites.first.map { send(body($0), to: sites) } ?? [] }
    return sites.flatMap { send(body($0), to: [$0]) }
  }

  /// The whole set behind a list, where the list is of a neighbourhood.
  private func whole(_ sites: [SiteID]) -> [SiteID]? { scope.graph.seed == nil ? nil : sites }

  private func closePlan() throws(Refusal) -> [ServerAction] {
    guard plan.isSparse else { return open(.keys) }
    let sites = answered.sorted()
    for message in messages { commitments[message.sender] = try message.open(AcceptanceBody.self).commitment }
    let hash = Transcript.commitmentList(context, sites, sites.compactMap { commitments[$0] })
    return send(GraphCommitmentsBody(hash: hash), to: sites) + open(.graph)
  }

  private func closeGraph() throws(Refusal) -> [ServerAction] {
    var entries: [GraphNoncesBody.Entry] = []
    for message in messages { entries.append(.init(site: message.sender, nonce: try message.open(GraphNonceBody.self).nonce)) }
    let body = GraphNoncesBody(entries: entries)
    let graph = MaskGraph(plan: plan, seed: body.seed(context), context: context)
    scope = Scope(plan: plan, context: context, roster: roster, graph: graph, viewer: nil)
    return send(body, to: entries.map(\.site).filter(live.contains)) + open(.keys)
  }

  private func closeKeys() throws(Refusal) -> [ServerAction] {
    let list = try KeyList(messages, set: nil, scope)
    keyList = list
    seenKeys = [:]
    let lists = send(to: list.keyed) { KeyListBody(keys: visible(list.messages, to: $0), set: whole(list.keyed)) }
    return lists + open(.shares)
  }

  private func closeShares() throws(Refusal) -> [ServerAction] {
    guard let keyList else { throw Refusal(.unexpected, "shares before keys") }
    // Whoever dealt and was dropped since is no dealer.
    dealt = dealt.filter { answered.contains($0.key) }
    let list = try DealerList(dealt, set: nil, keyList: keyList, scope)
    dealerList = list
    let deliveries = list.dealers.flatMap { holder in
      let dealers = scope.graph.holders(of: holder).filter(list.dealers.sortedContains)
      let headers = dealers.compactMap { dealt[$0]?.header(for: holder) }
      let envelopes = dealers.filter { $0 != holder }.compactMap { envelope(from: $0, to: holder) }
      return send(ShareDeliveryBody(headers: headers, envelopes: envelopes, set: whole(list.dealers)), to: [holder])
    }
    envelopes = [:]
    return deliveries + open(.acknowledge)
  }

  private func envelope(from dealer: SiteID, to holder: SiteID) -> [UInt8]? {
    let index = dealt[dealer]?.holders.filter { $0 != dealer }.sortedIndex(of: holder)
    return index.flatMap { envelopes[dealer]?[$0] }
  }

  private func closeAcknowledgements() throws(Refusal) -> [ServerAction] {
    guard let dealerList else { throw Refusal(.unexpected, "acknowledgements before shares") }
    let set = try MaskSet(messages, set: nil, dealers: dealerList, scope)
    maskSet = set
    var actions: [ServerAction] = []
    for site in dealerList.dealers where live.contains(site) && !set.masked.sortedContains(site) {
      let refusal = Refusal(.notAcknowledged, "fewer than \(plan.threshold) sites could open the shares of \(site)", culprit: site)
      actions += evidence(ofNotAcknowledged: site, set.messages)
      actions += send(RefusalBody(refusal), to: [site]) + drop(site, "\(refusal.code.rawValue): \(refusal.reason)")
    }
    let members = set.masked.filter(live.contains)
    let lists = send(to: members) {
      AcknowledgementListBody(acknowledgements: visible(set.messages, to: $0), set: whole(set.masked))
    }
    return actions + lists + open(.maskedInput)
  }

  private func closeInputs() throws(Refusal) -> [ServerAction] {
    guard let keyList, let maskSet else { throw Refusal(.unexpected, "inputs before masks") }
    let headers = inputs.keys.sorted().compactMap { inputs[$0] }
    let set = try SurvivorSet(headers, whole: nil, keyed: keyList.keyed, maskSet: maskSet, scope)
    survivorSet = set
    let all = scope.graph.seed == nil ? nil : SurvivorsBody.Whole(sites: set.survivors, digests: set.digests)
    let lists = send(to: set.survivors.filter(live.contains)) {
      SurvivorsBody(headers: visible(set.messages, to: $0), whole: all)
    }
    return lists + open(.consistency)
  }

  private func closeConsistency() -> [ServerAction] {
    let all = signatures.keys.sorted().compactMap { signatures[$0] }
    let lists = send(to: (survivorSet?.survivors ?? []).filter(live.contains)) {
      SignatureListBody(signatures: visible(all, to: $0))
    }
    return lists + unopenedEvidence() + open(.reveal)
  }

  private func closeReveal() throws(Refusal) -> [ServerAction] {
    guard let keyList, let dealerList, let maskSet, let survivorSet else { throw Refusal(.unexpected, "a reveal before masks") }
    let recovery = Recovery(
      scope: scope, keyList: keyList, dealers: dealerList, maskSet: maskSet, survivors: survivorSet, reveals: reveals)
    var total = sum
    sum = []
    try recovery.unmask(&total, workers)
    let packed = try PackedSections.pack(total, plan.sections)
    let digest = Transcript.sum(context, packed: packed)
    let result = RoundSum(
      context: context, sections: total, invited: plan.sites, keyed: keyList.keyed, masked: maskSet.masked,
      survivors: survivorSet.survivors, revealers: reveals.keys.sorted(),
      inputDigests: Dictionary(uniqueKeysWithValues: zip(survivorSet.survivors, survivorSet.digests)),
      signatures: signatures.mapValues(\.bytes), digest: digest)
    reveals = [:]
    let present = survivorSet.survivors.filter(live.contains)
    phase = .done
    awaited = []
    return send(ClosedBody(sumDigest: digest, revealers: result.revealers), to: present) + [.finished(result)]
  }
}
