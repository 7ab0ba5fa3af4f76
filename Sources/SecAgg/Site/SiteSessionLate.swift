// Phases 4 and 5 at a site (spec/03-phases.md): one survivor set is signed, ever, and one share of each site is revealed, never
// both. Both are written to disk before they leave.
import Sodium

extension SiteSession {
  func receiveSurvivors(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let scope, let keyList, let maskSet else { throw Refusal(.unexpected, "survivors before masks") }
    guard let own = ownInput else { throw Refusal(.excluded, "the survivors were fixed before this site's input") }
    let context = scope.context
    let body = try message.open(SurvivorsBody.self)
    let set = try SurvivorSet(body.headers, whole: body.whole, keyed: keyList.keyed, maskSet: maskSet, scope)
    guard set.contains(site) else { throw Refusal(.excluded, "this site is not among the survivors") }
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
    guard let scope, let maskSet, let survivorSet else { throw Refusal(.unexpected, "signatures before survivors") }
    let signatures = try message.open(SignatureListBody.self).signatures
    for signature in signatures { try survivorSet.check(signature, scope) }
    // The senders are distinct: lists are strictly ascending. In the sparse graph a site's own signature does not count.
    let count = scope.isPartial ? signatures.count { $0.sender != site } : signatures.count
    guard count >= scope.plan.threshold else {
      throw Refusal(.tooFewSignatures, "\(count) signatures over the survivors; \(scope.plan.threshold) are needed")
    }
    let entries = reveal(maskSet, survivorSet, scope)
    heldShares = nil
    phase = .reveal
    return [
      .persist(.revealed(context: scope.context)),
      .send(sign(RevealBody(entries: entries), scope.context).bytes),
    ]
  }

  /// For a survivor the share of its self-mask and those of its noise that is too much, for a dropout that of its mask key: the kinds
  /// follow from U3 alone, which is fixed by now, so that both shares of one site, or noise that must stay, can never be shown.
  private func reveal(_ maskSet: MaskSet, _ set: SurvivorSet, _ scope: Scope) -> [RevealBody.Entry] {
    let dealers = scope.isPartial ? maskSet.partners(of: site, scope.graph) : maskSet.masked
    return dealers.flatMap { dealer in
      scope.due(of: dealer, set.survivors).compactMap { kind in
        heldShares?.exposed(kind, of: dealer).map { .init(dealer: dealer, kind: kind, share: $0) }
      }
    }
  }

  func receiveClosed(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let survivorSet, let threshold = plan?.threshold else { throw Refusal(.unexpected, "the end before the survivors") }
    let body = try message.open(ClosedBody.self)
    guard body.revealers.isSortedSubset(of: survivorSet.survivors) else {
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
