// Phases 2b and 3 at a site (spec/03-phases.md): which shares opened, who therefore shares masks, and the one masked input.
import Masking
import Sodium

extension SiteSession {
  func receiveShares(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let scope, let keyList, let heldShares else { throw Refusal(.unexpected, "shares before keys") }
    let body = try message.open(ShareDeliveryBody.self)
    let isSparse = scope.graph.seed != nil
    var dealt: [SiteID: DealtShares] = [:]
    for header in body.headers {
      let holders = isSparse ? [site] : keyList.keyed
      dealt[header.sender] = try DealtShares([header], holders: holders, keyList: keyList, scope)
    }
    let list = try DealerList(dealt, set: body.set, keyList: keyList, scope)
    guard isSparse || list.messages.contains(where: { ownHeaders.contains($0) }) else {
      throw Refusal(.wrongMembers, "the list of dealers does not hold this site's own header")
    }
    let others = dealt.keys.filter { $0 != site }.sorted()
    guard body.envelopes.count == others.count else {
      throw Refusal(.wrongMembers, "\(body.envelopes.count) envelopes of \(others.count) dealers")
    }
    for (dealer, envelope) in zip(others, body.envelopes) {
      guard let shares = dealt[dealer], let entry = shares.entries[site], let pair = pairs[dealer],
        entry.envelope == Transcript.envelope(scope.context, dealer: dealer, holder: site, envelope)
      else { throw Refusal(.envelopeAltered, "the envelope of \(dealer) is not the one that it signed for") }
      let plaintext = pair.open(
        envelope, from: dealer, to: site, components: scope.components, context: scope.context)
      // A dealer whose shares do not open or do not fit is not acknowledged.
      if let plaintext, fits(plaintext, dealer, shares, entry, scope) { heldShares.store(plaintext, of: dealer) }
    }
    dealerList = list
    let acknowledgement = sign(AcknowledgementBody(transcript: list.transcript, dealers: heldShares.dealers), scope.context)
    ownAcknowledgement = acknowledgement
    phase = .acknowledge
    return [.send(acknowledgement.bytes)]
  }

  /// Whether the shares have the hashes of their dealer's header and, those of masks, lie on the polynomials that it committed to (SS-06).
  private func fits(
    _ plaintext: borrowing SecretBytes, _ dealer: SiteID, _ dealt: DealtShares, _ entry: ShareHeaderBody.Entry, _ scope: Scope
  ) -> Bool {
    for kind in ShareKind.all(components: scope.components) {
      guard let share = Channel.share(kind, of: plaintext),
        Transcript.share(scope.context, dealer: dealer, holder: site, kind, share) == entry.hash(kind)
      else { return false }
    }
    guard scope.graph.seed == nil else { return true }
    guard let maskKey = Channel.share(.maskKey, of: plaintext), let selfMask = Channel.share(.selfMask, of: plaintext),
      let point = scope.plan.point(of: site)
    else { return false }
    return FeldmanCheck.holds(maskKey, at: point, dealt.maskKeyCommitments)
      && FeldmanCheck.holds(selfMask, at: point, dealt.selfMaskCommitments)
  }

  func receiveAcknowledgements(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let scope, let dealerList else { throw Refusal(.unexpected, "acknowledgements before shares") }
    let body = try message.open(AcknowledgementListBody.self)
    let set = try MaskSet(body.acknowledgements, set: body.set, dealers: dealerList, scope)
    guard let own = ownAcknowledgement, set.messages.contains(own) else {
      throw Refusal(.wrongMembers, "the acknowledgements do not hold this site's own")
    }
    guard set.masked.sortedContains(site) else {
      throw Refusal(.notAcknowledged, "fewer than \(scope.plan.threshold) sites acknowledged this site's shares")
    }
    maskSet = set
    phase = .maskedInput
    answers[message.type] = Answer(message, keeps: !scope.plan.isSparse)
    return try sendInputIfReady()
  }

  /// The input leaves when U2 is fixed and the update is there, whichever comes last; once.
  func sendInputIfReady() throws(Refusal) -> [SiteAction] {
    guard phase == .maskedInput, ownInput == nil, let input = plainInput, let scope, let maskSet, let secrets
    else { return [] }
    let context = scope.context
    plainInput = nil
    let payload = try mask(input, scope, maskSet, secrets)
    // The masks are applied and the shares are dealt: nobody needs the roots again.
    self.secrets = nil
    pairs = [:]
    let digest = Transcript.input(context, site, payload)
    let header = sign(
      InputHeaderBody(maskSet: maskSet.hash, payloadBytes: UInt64(payload.count), digest: digest), context)
    ownInput = header
    let sending = SiteAction.sendInput(header: header.bytes, payload: payload)
    answers[.acknowledgementList]?.actions = [sending]
    return [.persist(.inputSent(context: context, digest: digest)), sending]
  }

  /// y = x + self-mask ± one mask for every other member of U2 (in the sparse graph: next to this site) + the noise that may be removed,
  /// modulo 2^b, packed.
  private func mask(
    _ input: consuming [[UInt32]], _ scope: Scope, _ maskSet: MaskSet, _ secrets: SiteSecrets
  ) throws(Refusal) -> [UInt8] {
    let context = scope.context
    var masks = MaskBatch()
    masks.append(MaskStream(seed: secrets.selfMaskRoot.selfMaskSeed(owner: site.rawValue, context: context)), .add)
    for peer in maskSet.partners(of: site, scope.graph) {
      guard let pair = pairs[peer] else { throw Refusal(.wrongMembers, "no keys of \(peer)") }
      masks.append(pair.maskStream(), PairwiseMask.operation(own: site.rawValue, peer: peer.rawValue))
    }
    var sections = input
    masks.apply(to: &sections, workers)
    if !secrets.noiseRoots.isEmpty {
      let noise = try RemovableComponents(scope.plan)
      for (index, root) in secrets.noiseRoots.enumerated() {
        noise.apply(.add, component: index + 1, of: site, root, context, to: &sections[0], workers)
      }
      Ring(bits: scope.plan.sections[0].bits).reduce(&sections[0])
    }
    return try PackedSections.pack(sections, scope.plan.sections).flatMap { $0 }
  }
}
