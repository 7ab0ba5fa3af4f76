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
    guard let plan else { return [] }
    planStage = .accepted
    let maskRoot = MaskRoot(random.scalar(.maskRoot))
    let secrets = SiteSecrets(
      maskRoot: maskRoot, selfMaskRoot: MaskRoot(random.scalar(.selfMaskRoot)),
      noiseRoots: (0..<plan.removableComponents).map { _ in MaskRoot(random.scalar(.noiseRoot)) },
      maskKey: maskRoot.maskKey(owner: site.rawValue, context: context), channelKey: random.channelKey(),
      nonce: plan.isSparse ? random.nonce() : [])
    self.secrets = secrets
    var answer: [SiteAction]
    if plan.isSparse {
      phase = .commitments
      let commitment = Transcript.nonceCommitment(context, site, secrets.nonce)
      answer = [.send(sign(AcceptanceBody(commitment: commitment), context).bytes)]
    } else {
      phase = .keys
      let graph = MaskGraph(complete: plan)
      scope = Scope(plan: plan, context: context, roster: roster, graph: graph, viewer: site)
      answer = [.send(sign(AcceptanceBody(), context).bytes), .send(showKeys(secrets, graph, context).bytes)]
    }
    answers[.plan]?.actions = answer
    return [.persist(.contextUsed(context: context))] + answer
  }

  func showKeys(_ secrets: SiteSecrets, _ graph: MaskGraph, _ context: [UInt8]) -> SignedMessage {
    let body = KeysBody(maskKey: secrets.maskKey.publicKey, channelKey: secrets.channelKey.publicKey, graphSeed: graph.seed)
    let keys = sign(body, context)
    ownKeys = keys
    return keys
  }

  func receiveKeys(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let scope, let secrets else { throw Refusal(.unexpected, "keys before a plan") }
    let body = try message.open(KeyListBody.self)
    let list = try KeyList(body.keys, set: body.set, scope)
    guard let own = ownKeys, list.messages.contains(own) else {
      throw Refusal(.wrongMembers, "the list of keys does not hold this site's own")
    }
    for peer in list.messages.map(\.sender) where peer != site {
      guard let keys = list.keys[peer] else { continue }
      pairs[peer] = try PairSecrets(own: site, secrets, peer: peer, keys, context: scope.context)
    }
    keyList = list
    let shares = try deal(list, secrets, scope)
    phase = .shares
    return [.send(shares.bytes)]
  }

  private func deal(_ list: KeyList, _ secrets: SiteSecrets, _ scope: Scope) throws(Refusal) -> SignedMessage {
    let holders = list.holders(of: site, scope.graph)
    let points = holders.compactMap(scope.plan.point)
    let isSparse = scope.graph.seed != nil
    let maskKey = try split(secrets.maskRoot, .maskCoefficient, points, scope.plan, commits: !isSparse)
    let selfMask = try split(secrets.selfMaskRoot, .selfMaskCoefficient, points, scope.plan, commits: !isSparse)
    var noise: [ShamirDeal] = []
    for root in secrets.noiseRoots { noise.append(try split(root, .noiseCoefficient, points, scope.plan, commits: false)) }
    let held = HeldShares(capacity: holders.count, components: noise.count)
    var entries: [ShareHeaderBody.Entry] = []
    var envelopes: [[UInt8]] = []
    for (index, holder) in holders.enumerated() {
      let (one, two) = (maskKey.share(index), selfMask.share(index))
      let noiseShares = noise.map { $0.share(index) }
      let plaintext = Channel.plaintext(maskKeyShare: one, selfMaskShare: two, noiseShares: noiseShares)
      var envelope: [UInt8] = []
      if holder == site {
        held.store(plaintext, of: site)
      } else {
        guard let pair = pairs[holder] else { throw Refusal(.wrongMembers, "no keys of \(holder)") }
        envelope = pair.seal(plaintext, from: site, to: holder, context: scope.context)
        envelopes.append(envelope)
      }
      entries.append(
        .init(
          holder: holder, maskKeyShare: Transcript.share(scope.context, dealer: site, holder: holder, .maskKey, one),
          selfMaskShare: Transcript.share(scope.context, dealer: site, holder: holder, .selfMask, two),
          envelope: Transcript.envelope(scope.context, dealer: site, holder: holder, envelope),
          noiseShares: noiseShares.enumerated().map {
            Transcript.share(scope.context, dealer: site, holder: holder, .noise($0.offset + 1), $0.element)
          }))
    }
    heldShares = held
    let root = Transcript.root(scope.context, dealer: site, secrets.selfMaskRoot.scalar)
    let noiseRoots = secrets.noiseRoots.enumerated().map {
      Transcript.noiseRoot(scope.context, dealer: site, component: $0.offset + 1, $0.element.scalar)
    }
    let commitments = zip(maskKey.commitments, selfMask.commitments).map { commitment in
      ShareHeaderBody.Commitment(maskKey: commitment.0.bytes, selfMask: commitment.1.bytes)
    }
    // In the sparse graph each holder has a header of its own: all together would be k times as much for everybody.
    let parts = isSparse ? entries.map { [$0] } : [entries]
    ownHeaders = parts.map { entries in
      let body = ShareHeaderBody(
        keyList: list.hash, selfMaskRoot: root, commitments: commitments, entries: entries, noiseRoots: noiseRoots)
      return sign(body, scope.context)
    }
    return sign(SharesBody(headers: ownHeaders, envelopes: envelopes), scope.context)
  }

  private func split(
    _ root: MaskRoot, _ use: SiteRandom.Use, _ points: [UInt16], _ plan: RoundPlan, commits: Bool
  ) throws(Refusal) -> ShamirDeal {
    do {
      return try ShamirDeal(root.scalar, threshold: plan.threshold, points: points, commits: commits) { random.scalar(use) }
    } catch { throw Refusal(.badParameters, error.reason) }
  }
}
