// From a refusal at the server to evidence (spec/09-evidence.md). What is put together here goes out only if the check that a third party
// makes accepts it: a refusal that rests on the server's word alone gives none.

extension ServerSession {
  /// Evidence of what `site` broke with its message.
  func evidence(of refusal: Refusal, _ site: SiteID, _ bytes: [UInt8]) -> [ServerAction] {
    guard let message = try? SignedMessage(decoding: bytes), message.sender == site else { return [] }
    return firstShown(candidates(refusal.code, site, message))
  }

  /// Evidence against a dealer whose shares do not rebuild what it committed to.
  func evidence(against dealer: SiteID) -> [ServerAction] {
    guard let keys = keyList?.messages.first(where: { $0.sender == dealer }), let dealt = dealerList?.dealt[dealer] else { return [] }
    let holders = reveals.filter { $0.value.entries.contains { $0.dealer == dealer } }.keys.sorted().prefix(plan.threshold)
    let headers = dealt.headers.count == 1 ? dealt.headers : holders.compactMap(dealt.header)
    let shown = holders.compactMap { received[$0]?[.reveal]?.message }
    return firstShown([Evidence(.wrongDealer, dealer, plan: plan, [keys] + headers + shown)])
  }

  /// Evidence against a dealer that too few acknowledged.
  func evidence(ofNotAcknowledged dealer: SiteID, _ acknowledgements: [SignedMessage]) -> [ServerAction] {
    firstShown([Evidence(.notAcknowledged, dealer, plan: plan, acknowledgements, preimage: transcriptPreimage)])
  }

  /// A site's statement that its shares are gone counts at any time, from whoever was invited, dropped or not; with enough of them no input
  /// of the attempt can be opened by anybody (RF-03).
  func destroyed(_ bytes: [UInt8], _ site: SiteID) -> [ServerAction]? {
    guard !plan.isSparse, let message = try? SignedMessage(decoding: bytes), message.type == .destroyed, message.sender == site,
      (try? message.expect(context: context)) != nil, (try? message.verify(roster)) != nil,
      (try? message.open(DestroyedBody.self)) != nil
    else { return nil }
    guard destroyed.updateValue(message, forKey: site) == nil else { return [] }
    let gone = phase != .done && live.contains(site) ? drop(site, "the site destroyed its shares") + advance() : []
    guard destroyed.count == plan.sites.count - plan.threshold + plan.colluders + 1 else { return gone }
    let statements = destroyed.keys.sorted().compactMap { destroyed[$0] }
    return gone + [.evidence(Evidence(.unopened, nil, plan: plan, statements))]
  }

  /// For each site that may have sent an input and is no survivor: it is not in the sum, by t signatures (RF-02), checked as they came.
  func unopenedEvidence() -> [ServerAction] {
    guard !plan.isSparse, let survivorSet, let maskSet else { return [] }
    let signed = signatures.keys.sorted().prefix(plan.threshold).compactMap { signatures[$0] }
    return maskSet.masked.filter { !survivorSet.contains($0) }
      .map { .evidence(Evidence(.unopened, $0, plan: plan, signed, preimage: survivorsPreimage)) }
  }

  private func firstShown(_ candidates: [Evidence]) -> [ServerAction] {
    candidates.first { (try? $0.check(roster)) != nil }.map { [.evidence($0)] } ?? []
  }

  private func candidates(_ code: RefusalCode, _ site: SiteID, _ message: SignedMessage) -> [Evidence] {
    func claim(_ messages: [SignedMessage?], _ preimage: [UInt8] = [], as code: RefusalCode = code) -> Evidence {
      Evidence(code, site, plan: plan, messages.compactMap(\.self), preimage: preimage)
    }
    let before = received[site] ?? [:]
    switch code {
    case .malformed, .duplicateKey, .weakKey, .inputShape, .badSignature, .wrongContext, .wrongSender: return [claim([message])]
    case .envelopeAltered, .wrongMembers: return [claim([message], as: .envelopeAltered)]
    case .badCommitments: return ((try? message.open(SharesBody.self).headers) ?? []).map { claim([$0]) }
    case .badNonce: return [claim([before[.acceptance]?.message, message])]
    case .equivocation:
      let first = before[message.type]?.message
      guard message.type == .shares, let dealt = dealt[site] else { return [claim([first, message])] }
      let headers = (try? message.open(SharesBody.self).headers) ?? []
      return headers.flatMap { other in dealt.headers.map { claim([$0, other]) } } + [claim([message], as: .envelopeAltered)]
    case .bothShares:
      return [claim([message]), claim([before[.consistency]?.message, message], survivorsPreimage)]
    case .wrongShare: return [claim([before[.acknowledgement]?.message, message], transcriptPreimage)]
    default: return []
    }
  }

  private var transcriptPreimage: [UInt8] {
    guard !plan.isSparse, let keyList, let dealerList else { return [] }
    return Transcript.phases1And2Preimage(keys: keyList.messages, headers: dealerList.messages)
  }

  private var survivorsPreimage: [UInt8] {
    guard let keyList, let maskSet, let survivorSet else { return [] }
    return Transcript.survivorsPreimage(
      keyed: keyList.keyed, maskSet: maskSet.hash, masked: maskSet.masked, survivors: survivorSet.survivors,
      digests: survivorSet.digests)
  }
}
