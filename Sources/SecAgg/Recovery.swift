// From revealed shares to the sum (spec/03-phases.md, phase 5; spec/06-secret-sharing.md). Every share is compared with the hash
// that its dealer signed, every rebuilt root with what the dealer committed to: whoever is wrong is named with evidence.
import Masking
import Sodium

enum RevealCheck {
  /// A holder reveals exactly one share of every member of U2 that it acknowledged: of the self-mask for survivors, of the mask
  /// key for the others.
  /// - Throws: SA-82 for the wrong kind, SA-83 for a share that its dealer did not deal, SA-08 for another list of dealers.
  static func check(
    _ body: RevealBody, holder: SiteID, dealers: DealerList, maskSet: MaskSet, survivors: SurvivorSet, _ scope: Scope
  ) throws(Refusal) {
    let held = Set(maskSet.held[holder] ?? [])
    let near = scope.graph.seed == nil ? maskSet.masked : maskSet.partners(of: holder, scope.graph)
    guard body.entries.map(\.dealer) == near.filter(held.contains) else {
      throw Refusal(.wrongMembers, "the reveal is not of exactly the dealers that \(holder) acknowledged", culprit: holder)
    }
    for entry in body.entries {
      let due: ShareKind = survivors.contains(entry.dealer) ? .selfMask : .maskKey
      guard entry.kind == due else {
        throw Refusal(.bothShares, "the share of \(entry.dealer) that must stay secret was revealed", culprit: holder)
      }
      guard let share = try? Scalar(canonical: entry.share), let signed = dealers.entry(dealer: entry.dealer, holder: holder)
      else { throw Refusal(.wrongShare, "the share of \(entry.dealer) is no scalar", culprit: holder) }
      let expected = entry.kind == .selfMask ? signed.selfMaskShare : signed.maskKeyShare
      guard Transcript.share(scope.context, dealer: entry.dealer, holder: holder, entry.kind, share) == expected else {
        throw Refusal(.wrongShare, "the share of \(entry.dealer) is not the one that was dealt", culprit: holder)
      }
    }
  }
}

enum WeakKeyProbe {
  /// A point of small order gives zero with every secret, so that any one tells; this one is for nothing else.
  private static let probe = X25519.SecretKey()

  static func accepts(_ key: X25519.PublicKey) -> Bool { (try? probe.sharedSecret(with: key)) != nil }
}

/// Removes every mask from the sum of the inputs.
struct Recovery {
  let scope: Scope
  let keyList: KeyList
  let dealers: DealerList
  let maskSet: MaskSet
  let survivors: SurvivorSet
  /// Checked by `RevealCheck`.
  let reveals: [SiteID: RevealBody]

  private var plan: RoundPlan { scope.plan }
  private var context: [UInt8] { scope.context }

  /// - Parameter sum: unreduced sums of the inputs, one array a section; becomes the plain sum modulo 2^b. Where this throws it is
  ///   worth nothing.
  /// - Throws: SA-84 where a secret has fewer than t shares, SA-85 where a dealer's shares rebuild something else.
  func unmask(_ sum: inout [[UInt32]], _ workers: Workers) throws(Refusal) {
    let shares = collectShares()
    var weights: [[UInt16]: ShamirWeights] = [:]
    var masks = MaskBatch()
    for dealer in maskSet.masked {
      let root = try rebuild(dealer, shares[dealer] ?? [], &weights)
      if survivors.contains(dealer) {
        masks.append(MaskStream(seed: root.selfMaskSeed(owner: dealer.rawValue, context: context)), .subtract)
      } else {
        try cancelPairs(of: dealer, root, &masks)
      }
      // Each stream holds guarded memory: a large cohort's are not all held at once.
      if masks.count >= Recovery.batchMax {
        masks.apply(to: &sum, workers)
        masks = MaskBatch()
      }
    }
    masks.apply(to: &sum, workers)
    for (index, section) in plan.sections.enumerated() { Ring(bits: section.bits).reduce(&sum[index]) }
  }

  private static let batchMax = 1024

  private typealias RevealedShare = (holder: SiteID, point: UInt16, bytes: [UInt8])

  /// The t shares of the lowest points of each dealer.
  private func collectShares() -> [SiteID: [RevealedShare]] {
    var shares: [SiteID: [RevealedShare]] = [:]
    for holder in reveals.keys.sorted() {
      guard let point = plan.point(of: holder), let entries = reveals[holder]?.entries else { continue }
      for entry in entries where shares[entry.dealer, default: []].count < plan.threshold {
        shares[entry.dealer, default: []].append((holder, point, entry.share))
      }
    }
    return shares
  }

  private func rebuild(
    _ dealer: SiteID, _ revealed: [RevealedShare], _ weights: inout [[UInt16]: ShamirWeights]
  ) throws(Refusal) -> MaskRoot {
    guard revealed.count >= plan.threshold else {
      throw Refusal(.tooFewShares, "\(revealed.count) shares of \(dealer) were revealed; \(plan.threshold) are needed")
    }
    var shares: [ShamirShare] = []
    for (holder, point, bytes) in revealed {
      do { shares.append(try ShamirShare(point: point, value: Scalar(canonical: bytes))) } catch {
        throw Refusal(.wrongShare, "the share of \(dealer) is no scalar", culprit: holder)
      }
    }
    let points = shares.map(\.point)
    let root: MaskRoot
    do throws(MaskingError) {
      let lagrange = if let known = weights[points] { known } else { try ShamirWeights(points: points) }
      // In the complete graph most dealers have the same holders; in the sparse one hardly two do.
      if scope.graph.seed == nil { weights[points] = lagrange }
      root = MaskRoot(try lagrange.rebuild(shares))
    } catch { throw Refusal(.wrongShare, "the shares of \(dealer): \(error.reason)") }
    let isRight =
      survivors.contains(dealer)
      ? Transcript.root(context, dealer: dealer, root.scalar) == dealers.dealt[dealer]?.selfMaskRoot
      : root.maskKey(owner: dealer.rawValue, context: context).publicKey == keyList.keys[dealer]?.maskKey
    guard isRight else {
      throw Refusal(.wrongDealer, "the shares that \(dealer) dealt do not rebuild what it committed to", culprit: dealer)
    }
    return root
  }

  /// The masks between a dropout and every survivor next to it, from the dropout's own side: its operation is the inverse of the
  /// survivor's.
  private func cancelPairs(of dropout: SiteID, _ root: MaskRoot, _ masks: inout MaskBatch) throws(Refusal) {
    let key = root.maskKey(owner: dropout.rawValue, context: context)
    for survivor in maskSet.partners(of: dropout, scope.graph) where survivors.contains(survivor) {
      guard let peer = keyList.keys[survivor] else { throw Refusal(.wrongMembers, "no keys of \(survivor)") }
      masks.append(
        try PairMask.stream(own: dropout, key: key, peer: survivor, peerKey: peer.maskKey, context: context),
        PairwiseMask.operation(own: dropout.rawValue, peer: survivor.rawValue))
    }
  }
}
