// U3: the sites whose masked inputs are in the sum, with the digests that they signed (spec/03-phases.md, phase 4). The hash of
// this set is what survivors sign, once; t signatures over one hash are what opens the shares.

struct SurvivorSet: Sendable {
  /// U3, ascending.
  let survivors: [SiteID]
  /// Of every member, in the order of `survivors`.
  let digests: [[UInt8]]
  let messages: [SignedMessage]
  /// H(ctx, U1, U2, U3, all input digests).
  let hash: [UInt8]

  func contains(_ site: SiteID) -> Bool { survivors.sortedContains(site) }

  /// - Throws: SA-03, SA-04, SA-05, SA-08, SA-62, SA-64, SA-70 for an input that cannot be in the sum, SA-73 below max(t, m_min).
  init(
    _ messages: [SignedMessage], whole: SurvivorsBody.Whole?, keyed: [SiteID], maskSet: MaskSet, _ scope: Scope
  ) throws(Refusal) {
    var seen: [SiteID: [UInt8]] = [:]
    for message in messages { seen[message.sender] = try SurvivorSet.header(message, maskSet: maskSet, scope).digest }
    if scope.isPartial, let whole, let viewer = scope.viewer, !whole.sites.sortedContains(viewer) {
      throw Refusal(.excluded, "this site is not among the survivors")
    }
    survivors = try scope.set(senders: messages.map(\.sender), stated: whole?.sites, within: maskSet.masked, .notSubset)
    try scope.requireEnough(survivors, scope.plan.inputsMin, .tooFewInputs, "inputs")
    digests = whole?.digests ?? survivors.compactMap { seen[$0] }
    for (site, digest) in zip(survivors, digests) where seen[site] != nil && seen[site] != digest {
      throw Refusal(.wrongMembers, "the digest of \(site) is not that of its header")
    }
    self.messages = messages
    hash = Transcript.survivors(
      scope.context, keyed: keyed, maskSet: maskSet.hash, masked: maskSet.masked, survivors: survivors, digests: digests)
  }

  static func header(_ message: SignedMessage, maskSet: MaskSet, _ scope: Scope) throws(Refusal) -> InputHeaderBody {
    guard maskSet.masked.sortedContains(message.sender) else {
      throw Refusal(.notSubset, "an input of \(message.sender), with whom nobody shares masks")
    }
    let header = try message.verified(InputHeaderBody.self, scope)
    guard header.maskSet == maskSet.hash else {
      throw Refusal(.otherMaskSet, "\(message.sender) masked its input for another set of sites")
    }
    guard header.payloadBytes == UInt64(scope.plan.payloadBytes) else {
      throw Refusal(
        .inputShape, "an input of \(header.payloadBytes) bytes; the plan's has \(scope.plan.payloadBytes)", culprit: message.sender)
    }
    return header
  }

  /// A survivor's signature over exactly this set.
  func check(_ signature: SignedMessage, _ scope: Scope) throws(Refusal) {
    guard contains(signature.sender), scope.circle.sortedContains(signature.sender) else {
      throw Refusal(.wrongMembers, "a signature of \(signature.sender), who is not among the survivors")
    }
    let body = try signature.verified(ConsistencyBody.self, scope)
    guard body.hash == hash else {
      throw Refusal(.signatureOnOtherSet, "\(signature.sender) signed other sets: the server showed two versions")
    }
  }
}
