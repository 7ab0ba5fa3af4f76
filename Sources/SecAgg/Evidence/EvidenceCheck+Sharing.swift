// The claims about shares (spec/09-evidence.md): a dealer that others could not hold, a share that must stay secret, one that was not
// dealt, and one dealer's shares that rebuild something else.
import Masking
import Sodium

extension EvidenceCheck {
  /// More holders than can collude say that they hold no shares of a dealer whose header all of them saw: one of them is honest.
  func notAcknowledged() throws(Refusal) -> String {
    let seen = try transcript()
    guard seen.headers[culprit] != nil else { throw unshown("no header of \(culprit) is among what was acknowledged") }
    var without: Set<SiteID> = []
    for message in evidence.messages {
      let body = try signed(message, by: message.sender).open(AcknowledgementBody.self)
      guard body.transcript == seen.hash, plan.invites(message.sender) else { throw unshown("an acknowledgement of other messages") }
      if message.sender != culprit, !body.dealers.sortedContains(culprit) { without.insert(message.sender) }
    }
    guard without.count > plan.colluders else {
      throw unshown("\(without.count) sites without a share; up to \(plan.colluders) of them may lie")
    }
    return "dealt shares that sites \(without.sorted().listed) could not open or match, and at most \(plan.colluders) sites collude"
  }

  func bothShares() throws(Refusal) -> String {
    if evidence.messages.count == 1 {
      let message = try message(0, of: 1, by: culprit)
      do throws(Refusal) { _ = try reveal(message) } catch {
        guard error.code == .bothShares else { throw error }
        return "revealed \(error.reason)"
      }
      throw unshown("a reveal with one share of each dealer")
    }
    let signature = try message(0, of: 2, by: culprit).open(ConsistencyBody.self)
    let reveal = try reveal(message(1, of: 2, by: culprit))
    guard Transcript.survivors(context, preimage: evidence.preimage) == signature.hash else {
      throw unshown("the sets are not those that the accused signed")
    }
    let survivors = try SurvivorPreimage(evidence.preimage).survivors
    let (sites, components) = (plan.sites.count, plan.removableComponents)
    for entry in reveal.entries
    where !ShareKind.due(of: entry.dealer, survivors: survivors, sites: sites, components: components).contains(entry.kind) {
      return "revealed the share of \(entry.dealer) that must stay secret by the survivors that it had signed"
    }
    throw unshown("every share is of the kind that the survivors ask for")
  }

  /// In the complete graph a holder's acknowledgement names the very headers that it saw.
  func wrongShare() throws(Refusal) -> String {
    let acknowledged = try message(0, of: 2, by: culprit).open(AcknowledgementBody.self)
    let reveal = try reveal(message(1, of: 2, by: culprit))
    let seen = try transcript()
    guard acknowledged.transcript == seen.hash else { throw unshown("the acknowledgement is of other messages") }
    for entry in reveal.entries where acknowledged.dealers.sortedContains(entry.dealer) {
      guard let dealt = seen.headers[entry.dealer]?.entries.first(where: { $0.holder == culprit }) else { continue }
      if hash(of: entry, holder: culprit) != dealt.hash(entry.kind) {
        return "revealed another share of \(entry.dealer) than the one that it had acknowledged"
      }
    }
    throw unshown("every share is the one that was dealt")
  }

  /// Keys, headers and t reveals: the shares are those that the dealer signed, and what they rebuild is not what it signed.
  func wrongDealer() throws(Refusal) -> String {
    guard let first = evidence.messages.first else { throw unshown("no messages") }
    let keys = try signed(first, by: culprit).open(KeysBody.self)
    var dealt: [SiteID: ShareHeaderBody.Entry] = [:]
    var committed: Set<[[UInt8]]> = []
    var shares: [ShareKind: [ShamirShare]] = [:]
    for message in evidence.messages.dropFirst() {
      guard message.type == .shareHeader else {
        let reveal = try reveal(signed(message, by: message.sender))
        let entries = reveal.entries.filter { $0.dealer == culprit }
        guard !entries.isEmpty, let point = plan.point(of: message.sender), let signed = dealt[message.sender] else {
          throw unshown("a share that the dealer did not sign for")
        }
        for entry in entries {
          guard let scalar = try? Scalar(canonical: entry.share), let share = try? ShamirShare(point: point, value: scalar),
            hash(of: entry, holder: message.sender) == signed.hash(entry.kind)
          else { throw unshown("a share that the dealer did not sign for") }
          shares[entry.kind, default: []].append(share)
        }
        continue
      }
      guard shares.isEmpty else { throw unshown("a header behind a reveal") }
      let header = try signed(message, by: culprit).open(ShareHeaderBody.self)
      committed.insert([header.selfMaskRoot] + header.noiseRoots)
      for entry in header.entries { dealt[entry.holder] = entry }
    }
    guard committed.count == 1, let roots = committed.first, !shares.isEmpty,
      shares.values.allSatisfy({ $0.count == plan.threshold })
    else { throw unshown("not exactly \(plan.threshold) shares of each kind, by headers of the same roots") }
    for kind in shares.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
      if let finding = try wrongRoot(kind, shares[kind] ?? [], keys, roots) { return finding }
    }
    throw unshown("what the shares rebuild is what was committed to")
  }

  /// What is wrong with the root that shares of one kind rebuild; nil where nothing is.
  private func wrongRoot(
    _ kind: ShareKind, _ revealed: [ShamirShare], _ keys: KeysBody, _ roots: [[UInt8]]
  ) throws(Refusal) -> String? {
    let root: MaskRoot
    do throws(MaskingError) { root = MaskRoot(try ShamirWeights(points: revealed.map(\.point)).rebuild(revealed)) } catch {
      throw unshown("the shares cannot be put together: \(error.reason)")
    }
    switch kind {
    case .selfMask:
      guard Transcript.root(context, dealer: culprit, root.scalar) != roots[0] else { return nil }
      return "dealt shares of its self-mask that rebuild another root than its header names"
    case .maskKey:
      guard root.maskKey(owner: culprit.rawValue, context: context).publicKey != keys.maskKey else { return nil }
      return "dealt shares of its mask key that rebuild another key than it had shown"
    case .noise(let component):
      guard roots.indices.contains(component),
        Transcript.noiseRoot(context, dealer: culprit, component: component, root.scalar) != roots[component]
      else { return nil }
      return "dealt shares of its noise that rebuild another root than its header names"
    }
  }

  /// Accuses nobody: the site's input, or with no site named every input of the attempt, can be opened by nobody (RF-02, RF-03).
  func unopened() throws(Refusal) -> String {
    guard !plan.isSparse else { throw unshown("in the sparse graph no number of sites speaks for a neighbourhood") }
    var senders: Set<SiteID> = []
    var types: Set<MessageType> = []
    for message in evidence.messages {
      try signed(message, by: message.sender)
      guard plan.invites(message.sender), senders.insert(message.sender).inserted else { throw unshown("one site, twice or uninvited") }
      types.insert(message.type)
      if message.type == .consistency {
        guard try message.open(ConsistencyBody.self).hash == Transcript.survivors(context, preimage: evidence.preimage) else {
          throw unshown("a signature over other sets")
        }
      } else {
        _ = try message.open(DestroyedBody.self)
      }
    }
    guard types.count == 1 else { throw unshown("statements of two kinds, or none") }
    if types == [.destroyed] {
      guard senders.count > plan.sites.count - plan.threshold + plan.colluders else {
        throw unshown("\(senders.count) sites destroyed their shares; the others could still rebuild a root")
      }
      return "can be opened by nobody: \(senders.count) sites destroyed their shares unrevealed"
    }
    guard let site = evidence.culprit, senders.count >= plan.threshold,
      try !SurvivorPreimage(evidence.preimage).survivors.sortedContains(site)
    else { throw unshown("not \(plan.threshold) signatures over survivors without the site") }
    return "is not in the sum: \(senders.count) sites signed the survivors without it"
  }

  /// A reveal of kinds that the plan has.
  private func reveal(_ message: SignedMessage) throws(Refusal) -> RevealBody {
    let body = try message.open(RevealBody.self)
    try body.requireKnown(components: plan.removableComponents)
    return body
  }

  private func hash(of entry: RevealBody.Entry, holder: SiteID) -> [UInt8]? {
    guard let scalar = try? Scalar(canonical: entry.share) else { return nil }
    return Transcript.share(context, dealer: entry.dealer, holder: holder, entry.kind, scalar)
  }

  private typealias SeenMessages = (hash: [UInt8], headers: [SiteID: ShareHeaderBody])

  /// All messages of phases 1 and 2, of the complete graph.
  private func transcript() throws(Refusal) -> SeenMessages {
    guard !plan.isSparse else { throw unshown("in the sparse graph an acknowledgement does not name the headers") }
    var reader = ByteReader(evidence.preimage)
    let keys = try reader.messages()
    let headers = try reader.messages()
    try reader.finish()
    var seen: [SiteID: ShareHeaderBody] = [:]
    for header in headers { seen[header.sender] = try signed(header, by: header.sender).open(ShareHeaderBody.self) }
    return (Transcript.phases1And2(context, keys: keys, headers: headers), seen)
  }
}

/// What H[survivor-set] is of, as far as evidence needs it.
struct SurvivorPreimage {
  let survivors: [SiteID]

  init(_ bytes: [UInt8]) throws(Refusal) {
    var reader = ByteReader(bytes)
    _ = try reader.sites()
    _ = try reader.fixed(32)
    _ = try reader.sites()
    survivors = try reader.sites()
    _ = try reader.fixed(32 * survivors.count)
    try reader.finish()
  }
}
