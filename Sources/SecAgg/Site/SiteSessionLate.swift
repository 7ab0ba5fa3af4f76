// Phases 4 and 5 at a site (spec/03-phases.md): one survivor set is signed, ever, and one share of each site is revealed, never
// both. Both are written to disk before they leave.
import Sodium

extension SiteSession {
  func receiveSurvivors(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let plan, let context, let keyList, let maskSet else { throw Refusal(.unexpected, "survivors before masks") }
    guard let own = ownInput else { throw Refusal(.excluded, "the survivors were fixed before this site's input") }
    let headers = try message.open(SurvivorsBody.self).headers
    let set = try SurvivorSet(
      headers, keyed: keyList.keyed, maskSet: maskSet, plan: plan, context: context, roster: roster)
    guard set.survivors.contains(site) else { throw Refusal(.excluded, "this site is not among the survivors") }
    guard set.messages.contains(own) else { throw Refusal(.ownDigestAltered, "the digest of this site's input is not its own") }
    if let onlySurvivors, set.survivors != onlySurvivors {
      throw Refusal(.otherSurvivors, "an earlier attempt on the same weights allows the survivors \(onlySurvivors.listed) only")
    }
    survivorSet = set
    phase = .consistency
    // From here on a resend of the input is never asked for, and the payload may go.
    answers[.acknowledgementList]?.actions = []
    return [
      .persist(.survivorsSigned(context: context, survivors: set.survivors, hash: set.hash)),
      .send(sign(ConsistencyBody(hash: set.hash), context).bytes),
    ]
  }

  func receiveSignatures(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let plan, let context, let maskSet, let survivorSet else { throw Refusal(.unexpected, "signatures before survivors") }
    let signatures = try message.open(SignatureListBody.self).signatures
    for signature in signatures {
      try SiteSession.check(signature, over: survivorSet, context: context, roster: roster)
    }
    // The senders are distinct: lists are strictly ascending.
    guard signatures.count >= plan.threshold else {
      throw Refusal(.tooFewSignatures, "\(signatures.count) signatures over the survivors; \(plan.threshold) are needed")
    }
    let entries = reveal(maskSet, survivorSet)
    heldShares = [:]
    phase = .reveal
    return [
      .persist(.revealed(context: context)),
      .send(sign(RevealBody(entries: entries), context).bytes),
    ]
  }

  /// A survivor's signature over exactly this set.
  static func check(
    _ signature: SignedMessage, over set: SurvivorSet, context: [UInt8], roster: RosterView
  ) throws(Refusal) {
    guard set.digests[signature.sender] != nil else {
      throw Refusal(.wrongMembers, "a signature of \(signature.sender), who is not among the survivors")
    }
    let body = try signature.verified(ConsistencyBody.self, context: context, roster: roster)
    guard body.hash == set.hash else {
      throw Refusal(.signatureOnOtherSet, "\(signature.sender) signed other sets: the server showed two versions")
    }
  }

  /// For a survivor the share of its self-mask, for a dropout that of its mask key: the kind follows from U3 alone, which is
  /// fixed by now, so that both shares of one site can never leave.
  private func reveal(_ maskSet: MaskSet, _ set: SurvivorSet) -> [RevealBody.Entry] {
    maskSet.masked.compactMap { dealer in
      guard let shares = heldShares[dealer] else { return nil }
      return set.digests[dealer] != nil
        ? .init(dealer: dealer, kind: .selfMask, share: shares.selfMask.exposed())
        : .init(dealer: dealer, kind: .maskKey, share: shares.maskKey.exposed())
    }
  }

  func receiveClosed(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let survivorSet, let threshold = plan?.threshold else { throw Refusal(.unexpected, "the end before the survivors") }
    let body = try message.open(ClosedBody.self)
    guard body.revealers.allSatisfy({ survivorSet.digests[$0] != nil }) else {
      throw Refusal(.wrongMembers, "a site revealed that is not among the survivors")
    }
    guard body.revealers.count >= threshold else {
      throw Refusal(.tooFewSignatures, "a sum needs the reveals of \(threshold) sites, the end names \(body.revealers.count)")
    }
    phase = .done
    destroySecrets()
    return [.completed]
  }
}
