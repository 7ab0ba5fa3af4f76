// Phases 2b and 3 at a site (spec/03-phases.md): which shares opened, who therefore shares masks, and the one masked input.
import Masking
import Sodium

extension SiteSession {
  func receiveShares(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let plan, let context, let keyList, let secrets else { throw Refusal(.unexpected, "shares before keys") }
    let body = try message.open(ShareDeliveryBody.self)
    let list = try DealerList(body.headers, keyList: keyList, plan: plan, context: context, roster: roster)
    guard let own = ownHeader, list.messages.contains(own) else {
      throw Refusal(.wrongMembers, "the list of dealers does not hold this site's own header")
    }
    let others = list.dealers.filter { $0 != site }
    guard body.envelopes.count == others.count else {
      throw Refusal(.wrongMembers, "\(body.envelopes.count) envelopes of \(others.count) dealers")
    }
    for (dealer, envelope) in zip(others, body.envelopes) {
      guard let entry = list.entry(dealer: dealer, holder: site),
        entry.envelope == Transcript.envelope(context, dealer: dealer, holder: site, envelope)
      else { throw Refusal(.envelopeAltered, "the envelope of \(dealer) is not the one that it signed for") }
      guard let keys = keyList.keys[dealer] else { continue }
      heldShares[dealer] = try openShares(envelope, dealer, entry, keys, secrets, context)
    }
    dealerList = list
    let acknowledgement = sign(
      AcknowledgementBody(transcript: list.transcript, dealers: heldShares.keys.sorted()), context)
    ownAcknowledgement = acknowledgement
    phase = .acknowledge
    return [.send(acknowledgement.bytes)]
  }

  /// The shares of a dealer, or nil where they do not open or are not those of its header: it is not acknowledged then.
  private func openShares(
    _ envelope: [UInt8], _ dealer: SiteID, _ entry: ShareHeaderBody.Entry, _ keys: KeysBody, _ secrets: SiteSecrets,
    _ context: [UInt8]
  ) throws(Refusal) -> HeldShares? {
    guard
      let shares = try Channel.open(
        envelope, from: dealer, to: site, own: secrets.channelKey, peer: keys.channelKey, context: context),
      Transcript.share(context, dealer: dealer, holder: site, .maskKey, shares.maskKeyShare) == entry.maskKeyShare,
      Transcript.share(context, dealer: dealer, holder: site, .selfMask, shares.selfMaskShare) == entry.selfMaskShare
    else { return nil }
    return HeldShares(maskKey: shares.maskKeyShare, selfMask: shares.selfMaskShare)
  }

  func receiveAcknowledgements(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let plan, let context, let dealerList else { throw Refusal(.unexpected, "acknowledgements before shares") }
    let messages = try message.open(AcknowledgementListBody.self).acknowledgements
    let set = try MaskSet(messages, dealers: dealerList, plan: plan, context: context, roster: roster)
    guard let own = ownAcknowledgement, set.messages.contains(own) else {
      throw Refusal(.wrongMembers, "the acknowledgements do not hold this site's own")
    }
    guard set.masked.contains(site) else {
      throw Refusal(.notAcknowledged, "fewer than \(plan.threshold) sites acknowledged this site's shares")
    }
    maskSet = set
    phase = .maskedInput
    answers[message.type] = Answer(message: message, actions: [])
    return try sendInputIfReady()
  }

  /// The input leaves when U2 is fixed and the update is there, whichever comes last; once.
  func sendInputIfReady() throws(Refusal) -> [SiteAction] {
    guard phase == .maskedInput, ownInput == nil, let input = plainInput, let plan, let context, let maskSet, let secrets
    else { return [] }
    let payload = try mask(input, plan, context, maskSet, secrets)
    plainInput = nil
    // The masks are applied and the shares are dealt: nobody needs the roots again.
    self.secrets = nil
    let digest = Transcript.input(context, site, payload)
    let header = sign(
      InputHeaderBody(maskSet: maskSet.hash, payloadBytes: UInt64(payload.count), digest: digest), context)
    ownInput = header
    let sending = SiteAction.sendInput(header: header.bytes, payload: payload)
    answers[.acknowledgementList]?.actions = [sending]
    return [.persist(.inputSent(context: context, digest: digest)), sending]
  }

  /// y = x + self-mask ± one mask for every other member of U2, modulo 2^b, packed.
  private func mask(
    _ input: [[UInt32]], _ plan: RoundPlan, _ context: [UInt8], _ maskSet: MaskSet, _ secrets: SiteSecrets
  ) throws(Refusal) -> [UInt8] {
    var sections = input
    let own = MaskStream(seed: secrets.selfMaskRoot.selfMaskSeed(owner: site.rawValue, context: context))
    for index in sections.indices { own.apply(.add, section: UInt32(index), to: &sections[index]) }
    for peer in maskSet.masked where peer != site {
      guard let keys = keyList?.keys[peer] else { throw Refusal(.wrongMembers, "no keys of \(peer)") }
      let stream = try PairMask.stream(
        own: site, key: secrets.maskKey, peer: peer, peerKey: keys.maskKey, context: context)
      let operation = PairwiseMask.operation(own: site.rawValue, peer: peer.rawValue)
      for index in sections.indices { stream.apply(operation, section: UInt32(index), to: &sections[index]) }
    }
    return try PackedSections.pack(sections, plan.sections).flatMap { $0 }
  }
}
