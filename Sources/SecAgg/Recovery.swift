// From revealed shares to the sum (spec/03-phases.md, phase 5; spec/06-secret-sharing.md). Every share is compared with the hash
// that its dealer signed, every rebuilt root with what the dealer committed to: whoever is wrong is named with evidence.
import Masking
import Sodium

enum RevealCheck {
  /// A holder reveals exactly one share of every member of U2 that it acknowledged: of the self-mask for survivors, of the mask
  /// key for the others.
  /// - Throws: SA-82 for the wrong kind, SA-83 for a share that its dealer did not deal, SA-08 for another list of dealers.
  static func check(
    _ body: RevealBody, holder: SiteID, context: [UInt8], dealers: DealerList, maskSet: MaskSet, survivors: SurvivorSet
  ) throws(Refusal) {
    for entry in body.entries {
      let due: ShareKind = survivors.digests[entry.dealer] != nil ? .selfMask : .maskKey
      guard entry.kind == due else {
        throw Refusal(.bothShares, "the share of \(entry.dealer) that must stay secret was revealed", culprit: holder)
      }
    }
    let held = Set(maskSet.held[holder] ?? [])
    guard body.entries.map(\.dealer) == maskSet.masked.filter(held.contains) else {
      throw Refusal(.wrongMembers, "the reveal is not of exactly the dealers that \(holder) acknowledged", culprit: holder)
    }
    for entry in body.entries {
      guard let share = try? Scalar(canonical: entry.share), let signed = dealers.entry(dealer: entry.dealer, holder: holder)
      else { throw Refusal(.wrongShare, "the share of \(entry.dealer) is no scalar", culprit: holder) }
      let expected = entry.kind == .selfMask ? signed.selfMaskShare : signed.maskKeyShare
      guard Transcript.share(context, dealer: entry.dealer, holder: holder, entry.kind, share) == expected else {
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
  let plan: RoundPlan
  let context: [UInt8]
  let keyList: KeyList
  let dealers: DealerList
  let maskSet: MaskSet
  let survivors: SurvivorSet
  /// Checked by `RevealCheck`.
  let reveals: [SiteID: RevealBody]

  /// - Parameter sum: unreduced sums of the inputs, one array a section; becomes the plain sum modulo 2^b.
  /// - Throws: SA-84 where a secret has fewer than t shares, SA-85 where a dealer's shares rebuild something else.
  func unmask(_ sum: inout [[UInt32]]) throws(Refusal) {
    let shares = try collectShares()
    // All secrets first: an attempt that fails, fails before the sum is touched.
    var weights: [[UInt8]: ShamirWeights] = [:]
    var roots: [SiteID: MaskRoot] = [:]
    for dealer in maskSet.masked { roots[dealer] = try rebuild(dealer, shares[dealer] ?? [], &weights) }
    for dealer in maskSet.masked {
      guard let root = roots[dealer] else { continue }
      if survivors.digests[dealer] != nil {
        let stream = MaskStream(seed: root.selfMaskSeed(owner: dealer.rawValue, context: context))
        apply(stream, .subtract, &sum)
      } else {
        try cancelPairs(of: dealer, root, &sum)
      }
    }
    for (index, section) in plan.sections.enumerated() { Ring(bits: section.bits).reduce(&sum[index]) }
  }

  /// Shares by dealer, in ascending order of their points.
  private func collectShares() throws(Refusal) -> [SiteID: [ShamirShare]] {
    var shares: [SiteID: [ShamirShare]] = [:]
    for holder in reveals.keys.sorted() {
      guard let point = plan.point(of: holder), let entries = reveals[holder]?.entries else { continue }
      for entry in entries {
        do { shares[entry.dealer, default: []].append(try ShamirShare(point: point, value: Scalar(canonical: entry.share))) } catch {
          throw Refusal(.wrongShare, "the share of \(entry.dealer) is no scalar", culprit: holder)
        }
      }
    }
    return shares
  }

  private func rebuild(
    _ dealer: SiteID, _ shares: [ShamirShare], _ weights: inout [[UInt8]: ShamirWeights]
  ) throws(Refusal) -> MaskRoot {
    guard shares.count >= plan.threshold else {
      throw Refusal(.tooFewShares, "\(shares.count) shares of \(dealer) were revealed; \(plan.threshold) are needed")
    }
    let used = Array(shares.prefix(plan.threshold))
    let points = used.map(\.point)
    let root: MaskRoot
    do throws(MaskingError) {
      let lagrange = if let known = weights[points] { known } else { try ShamirWeights(points: points) }
      weights[points] = lagrange
      root = MaskRoot(try lagrange.rebuild(used))
    } catch { throw Refusal(.wrongShare, "the shares of \(dealer): \(error.reason)") }
    let isRight =
      survivors.digests[dealer] != nil
      ? Transcript.root(context, dealer: dealer, root.scalar) == dealers.headers[dealer]?.selfMaskRoot
      : root.maskKey(owner: dealer.rawValue, context: context).publicKey == keyList.keys[dealer]?.maskKey
    guard isRight else {
      throw Refusal(.wrongDealer, "the shares that \(dealer) dealt do not rebuild what it committed to", culprit: dealer)
    }
    return root
  }

  /// The masks between a dropout and every survivor, from the dropout's own side: its operation is the inverse of the survivor's.
  private func cancelPairs(of dropout: SiteID, _ root: MaskRoot, _ sum: inout [[UInt32]]) throws(Refusal) {
    let key = root.maskKey(owner: dropout.rawValue, context: context)
    for survivor in survivors.survivors {
      guard let peer = keyList.keys[survivor] else { throw Refusal(.wrongMembers, "no keys of \(survivor)") }
      let stream = try PairMask.stream(own: dropout, key: key, peer: survivor, peerKey: peer.maskKey, context: context)
      apply(stream, PairwiseMask.operation(own: dropout.rawValue, peer: survivor.rawValue), &sum)
    }
  }

  private func apply(_ stream: MaskStream, _ operation: MaskStream.Operation, _ sum: inout [[UInt32]]) {
    for index in sum.indices { stream.apply(operation, section: UInt32(index), to: &sum[index]) }
  }
}
