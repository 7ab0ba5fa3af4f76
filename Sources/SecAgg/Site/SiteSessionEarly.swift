// Phases 0 to 2 at a site (spec/03-phases.md): the plan, fresh keys, and shares of both roots for every site with keys.
import Masking
import Sodium

extension SiteSession {
  func receivePlan(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    let plan = try message.open(PlanBody.self).plan
    // The refusal of a bad plan names its context, so that the server knows which attempt it lost this site for.
    let context = plan.context
    guard message.context == context else { throw Refusal(.wrongContext, "the message's context is not its plan's") }
    self.context = context
    try plan.validate(for: site, roster: roster, minimumHonest: minimumHonest)
    self.plan = plan
    planStage = .considered
    return [.consider(plan)]
  }

  func acceptPlan(_ context: [UInt8]) -> [SiteAction] {
    planStage = .accepted
    phase = .keys
    let maskRoot = MaskRoot.random()
    let secrets = SiteSecrets(
      maskRoot: maskRoot, selfMaskRoot: .random(), maskKey: maskRoot.maskKey(owner: site.rawValue, context: context),
      channelKey: X25519.SecretKey())
    self.secrets = secrets
    let keys = sign(KeysBody(maskKey: secrets.maskKey.publicKey, channelKey: secrets.channelKey.publicKey), context)
    ownKeys = keys
    let answer: [SiteAction] = [.send(sign(AcceptanceBody(), context).bytes), .send(keys.bytes)]
    answers[.plan]?.actions = answer
    return [.persist(.contextUsed(context: context))] + answer
  }

  func receiveKeys(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let plan, let context, let secrets else { throw Refusal(.unexpected, "keys before a plan") }
    let list = try KeyList(try message.open(KeyListBody.self).keys, plan: plan, context: context, roster: roster)
    guard let own = ownKeys, list.messages.contains(own) else {
      throw Refusal(.wrongMembers, "the list of keys does not hold this site's own")
    }
    try checkAgreement(with: list, secrets)
    keyList = list
    let shares = try deal(plan, list, secrets, context)
    phase = .shares
    return [.send(shares.bytes)]
  }

  /// No shared secret may be all zero: its mask would be known to everybody.
  private func checkAgreement(with list: KeyList, _ secrets: SiteSecrets) throws(Refusal) {
    for peer in list.keyed where peer != site {
      guard let keys = list.keys[peer] else { continue }
      guard (try? secrets.maskKey.sharedSecret(with: keys.maskKey)) != nil,
        (try? secrets.channelKey.sharedSecret(with: keys.channelKey)) != nil
      else { throw Refusal(.weakKey, "the shared secret with \(peer) is all zero", culprit: peer) }
    }
  }

  private func deal(
    _ plan: RoundPlan, _ list: KeyList, _ secrets: SiteSecrets, _ context: [UInt8]
  ) throws(Refusal) -> SignedMessage {
    let maskKeyShares = try split(secrets.maskRoot, plan)
    let selfMaskShares = try split(secrets.selfMaskRoot, plan)
    var entries: [ShareHeaderBody.Entry] = []
    var envelopes: [[UInt8]] = []
    for holder in list.keyed {
      guard let point = plan.point(of: holder), let keys = list.keys[holder] else { continue }
      let shares = HeldShares(maskKey: maskKeyShares[Int(point) - 1].value, selfMask: selfMaskShares[Int(point) - 1].value)
      var envelope: [UInt8] = []
      if holder == site {
        heldShares[site] = shares
      } else {
        envelope = try Channel.seal(
          maskKeyShare: shares.maskKey, selfMaskShare: shares.selfMask, from: site, to: holder, own: secrets.channelKey,
          peer: keys.channelKey, context: context)
        envelopes.append(envelope)
      }
      entries.append(
        .init(
          holder: holder, maskKeyShare: Transcript.share(context, dealer: site, holder: holder, .maskKey, shares.maskKey),
          selfMaskShare: Transcript.share(context, dealer: site, holder: holder, .selfMask, shares.selfMask),
          envelope: Transcript.envelope(context, dealer: site, holder: holder, envelope)))
    }
    let root = Transcript.root(context, dealer: site, secrets.selfMaskRoot.scalar)
    let header = sign(ShareHeaderBody(keyList: list.hash, selfMaskRoot: root, entries: entries), context)
    ownHeader = header
    return sign(SharesBody(header: header, envelopes: envelopes), context)
  }

  private func split(_ root: MaskRoot, _ plan: RoundPlan) throws(Refusal) -> [ShamirShare] {
    do { return try ShamirShare.split(root.scalar, threshold: plan.threshold, count: plan.sites.count) } catch {
      throw Refusal(.badParameters, error.reason)
    }
  }
}
