// From revealed shares to the sum (spec/03-phases.md, phase 5; spec/06-secret-sharing.md). Every share is compared with the hash
// that its dealer signed, every rebuilt root with what the dealer committed to: whoever is wrong is named with evidence.
import Masking
import Sodium

enum RevealCheck {
  /// A holder reveals exactly what is due of every member of U2 that it acknowledged (`Scope.due`).
  /// - Throws: SA-82 for the wrong kind, SA-83 for a share that its dealer did not deal, SA-08 for another list of dealers.
  static func check(
    _ body: RevealBody, holder: SiteID, dealers: DealerList, maskSet: MaskSet, survivors: SurvivorSet, _ scope: Scope
  ) throws(Refusal) {
    try body.requireKnown(components: scope.components)
    let held = Set(maskSet.held[holder] ?? [])
    let near = scope.graph.seed == nil ? maskSet.masked : maskSet.partners(of: holder, scope.graph)
    let wanted = near.filter(held.contains)
    guard Set(body.entries.map(\.dealer)) == Set(wanted) else {
      throw Refusal(.wrongMembers, "the reveal is not of exactly the dealers that \(holder) acknowledged", culprit: holder)
    }
    let due = Dictionary(uniqueKeysWithValues: wanted.map { ($0, scope.due(of: $0, survivors.survivors)) })
    for entry in body.entries where due[entry.dealer]?.contains(entry.kind) != true {
      throw Refusal(.bothShares, "the share of \(entry.dealer) that must stay secret was revealed", culprit: holder)
    }
    guard body.entries.count == due.values.reduce(0, { $0 + $1.count }) else {
      throw Refusal(.wrongMembers, "the reveal lacks shares of noise that is to be removed", culprit: holder)
    }
    for entry in body.entries {
      guard let share = try? Scalar(canonical: entry.share), let signed = dealers.entry(dealer: entry.dealer, holder: holder)
      else { throw Refusal(.wrongShare, "the share of \(entry.dealer) is no scalar", culprit: holder) }
      guard Transcript.share(scope.context, dealer: entry.dealer, holder: holder, entry.kind, share) == signed.hash(entry.kind) else {
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

/// Removes every mask from the sum of the inputs, and the noise that is too much.
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
      let kind: ShareKind = survivors.contains(dealer) ? .selfMask : .maskKey
      let root = try rebuild(dealer, kind, shares[Secret(dealer: dealer, kind: kind)] ?? [], &weights)
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
    try removeNoise(&sum, shares, &weights, workers)
    for (index, section) in plan.sections.enumerated() { Ring(bits: section.bits).reduce(&sum[index]) }
  }

  /// Components above the number of sites that are missing, of each survivor (NR-05).
  private func removeNoise(
    _ sum: inout [[UInt32]], _ shares: [Secret: [RevealedShare]], _ weights: inout [[UInt16]: ShamirWeights], _ workers: Workers
  ) throws(Refusal) {
    guard scope.components > 0 else { return }
    let noise = try RemovableComponents(plan)
    for dealer in survivors.survivors {
      for case .noise(let component) in scope.due(of: dealer, survivors.survivors) {
        let kind = ShareKind.noise(component)
        let root = try rebuild(dealer, kind, shares[Secret(dealer: dealer, kind: kind)] ?? [], &weights)
        noise.apply(.remove, component: component, of: dealer, root, context, to: &sum[0], workers)
      }
    }
  }

  private static let batchMax = 1024

  private struct Secret: Hashable {
    let dealer: SiteID
    let kind: ShareKind
  }

  private typealias RevealedShare = (holder: SiteID, point: UInt16, bytes: [UInt8])

  /// The t shares of the lowest points of each dealer's secrets.
  private func collectShares() -> [Secret: [RevealedShare]] {
    var shares: [Secret: [RevealedShare]] = [:]
    for holder in reveals.keys.sorted() {
      guard let point = plan.point(of: holder), let entries = reveals[holder]?.entries else { continue }
      for entry in entries {
        let secret = Secret(dealer: entry.dealer, kind: entry.kind)
        if shares[secret, default: []].count < plan.threshold { shares[secret, default: []].append((holder, point, entry.share)) }
      }
    }
    return shares
  }

  private func rebuild(
    _ dealer: SiteID, _ kind: ShareKind, _ revealed: [RevealedShare], _ weights: inout [[UInt16]: ShamirWeights]
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
    let dealt = dealers.dealt[dealer]
    let isRight =
      switch kind {
      case .selfMask: Transcript.root(context, dealer: dealer, root.scalar) == dealt?.selfMaskRoot
      case .maskKey: root.maskKey(owner: dealer.rawValue, context: context).publicKey == keyList.keys[dealer]?.maskKey
      case .noise(let component):
        Transcript.noiseRoot(context, dealer: dealer, component: component, root.scalar) == dealt?.noiseRoots[component - 1]
      }
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
