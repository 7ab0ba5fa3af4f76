// The dealers of phase 2 and what each signed about its shares (spec/03-phases.md). Its transcript hash is what sites compare
// through their acknowledgements: a server that shows two versions of phases 1 and 2 is caught there.
import Sodium

struct DealerList: Sendable {
  /// Ascending, a subset of U1.
  let dealers: [SiteID]
  /// What each dealer whose messages are seen signed about its holders.
  let dealt: [SiteID: DealtShares]
  /// Those that the viewer was sent, ascending by dealer; the server's are with `dealt`.
  let messages: [SignedMessage]
  /// H[transcript]; H[dealer-set] in the sparse graph.
  let transcript: [UInt8]

  /// The server's and the complete graph's: from whole headers. A site of the sparse graph has `dealt` of its neighbours for itself alone.
  /// - Throws: SA-08 and SA-40 for the set; what `DealtShares` throws was thrown before.
  init(_ dealt: [SiteID: DealtShares], set: [SiteID]?, keyList: KeyList, _ scope: Scope) throws(Refusal) {
    let senders = dealt.keys.sorted()
    if scope.isPartial, let viewer = scope.viewer {
      // There is no header of the viewer's own: it holds no share of itself.
      guard let set, set.sortedContains(viewer) else { throw Refusal(.wrongMembers, "the dealers do not include this site") }
      guard set.isSortedSubset(of: keyList.keyed) else { throw Refusal(.wrongMembers, "a dealer whose keys nobody has") }
      guard scope.neighbours.filter(set.sortedContains) == senders else {
        throw Refusal(.wrongMembers, "the headers are not those of the neighbours among the dealers")
      }
      dealers = set
    } else {
      dealers = try scope.set(senders: senders, stated: set, within: keyList.keyed)
    }
    try scope.requireEnough(dealers, scope.plan.membersMin, .tooFewDealers, "shares")
    self.dealt = dealt
    messages = scope.graph.seed == nil || scope.isPartial ? senders.flatMap { dealt[$0]?.headers ?? [] } : []
    transcript =
      scope.graph.seed == nil
      ? Transcript.phases1And2(scope.context, keys: keyList.messages, headers: messages)
      : Transcript.dealerSet(scope.context, keyedSet: keyList.hash, dealers)
  }

  func entry(dealer: SiteID, holder: SiteID) -> ShareHeaderBody.Entry? { dealt[dealer]?.entries[holder] }
}

/// The shares of one dealer, as far as its signed headers tell.
struct DealtShares: Sendable {
  /// One; of the sparse graph one for each holder, ascending by holder.
  let headers: [SignedMessage]
  let holders: [SiteID]
  let selfMaskRoot: [UInt8]
  /// Of the components of noise that may be removed, as many as the plan has.
  let noiseRoots: [[UInt8]]
  let entries: [SiteID: ShareHeaderBody.Entry]
  /// Feldman's commitments to both roots' polynomials; empty in the sparse graph.
  let maskKeyCommitments: [RistrettoPoint]
  let selfMaskCommitments: [RistrettoPoint]

  /// - Parameters:
  ///   - headers: all of one dealer's that are seen.
  ///   - holders: exactly whom they must name.
  /// - Throws: SA-03, SA-04, SA-05, SA-08, SA-42, SA-50 where the dealer saw other keys.
  init(_ headers: [SignedMessage], holders: [SiteID], keyList: KeyList, _ scope: Scope) throws(Refusal) {
    let isSparse = scope.graph.seed != nil
    guard let dealer = headers.first?.sender, isSparse || headers.count == 1 else {
      throw Refusal(.wrongMembers, "\(headers.count) headers of one dealer")
    }
    var roots: Set<[UInt8]> = []
    var named: [ShareHeaderBody.Entry] = []
    var commitments: [ShareHeaderBody.Commitment] = []
    var noiseRoots: [[UInt8]] = []
    for message in headers {
      guard message.sender == dealer, keyList.keyed.sortedContains(dealer) else {
        throw Refusal(.wrongMembers, "shares of \(message.sender), whose keys nobody has")
      }
      let header = try message.verified(ShareHeaderBody.self, scope)
      guard header.keyList == keyList.hash else {
        throw Refusal(.transcriptDiffers, "\(dealer) dealt its shares over another list of keys")
      }
      guard !isSparse || header.entries.count == 1 else {
        throw Refusal(.wrongMembers, "a header of \(dealer) for \(header.entries.count) holders", culprit: dealer)
      }
      guard header.commitments.count == (isSparse ? 0 : scope.plan.threshold) else {
        throw Refusal(.badCommitments, "\(dealer) made \(header.commitments.count) commitments", culprit: dealer)
      }
      guard header.noiseRoots.count == scope.components else {
        throw Refusal(.badCommitments, "\(dealer) dealt \(header.noiseRoots.count) components of noise", culprit: dealer)
      }
      roots.insert(header.selfMaskRoot)
      named += header.entries
      (commitments, noiseRoots) = (header.commitments, header.noiseRoots)
    }
    guard named.map(\.holder) == holders else {
      throw Refusal(.wrongMembers, "\(dealer) did not deal to exactly its holders with keys", culprit: dealer)
    }
    guard roots.count == 1, let root = roots.first else {
      throw Refusal(.wrongMembers, "\(dealer) told its holders of different roots", culprit: dealer)
    }
    self.headers = headers
    self.holders = holders
    (selfMaskRoot, self.noiseRoots) = (root, noiseRoots)
    entries = Dictionary(uniqueKeysWithValues: named.map { ($0.holder, $0) })
    maskKeyCommitments = try DealtShares.points(commitments.map(\.maskKey), dealer)
    selfMaskCommitments = try DealtShares.points(commitments.map(\.selfMask), dealer)
  }

  /// The header that `holder` gets to see.
  func header(for holder: SiteID) -> SignedMessage? {
    headers.count == 1 ? headers.first : holders.sortedIndex(of: holder).map { headers[$0] }
  }

  private static func points(_ encodings: [[UInt8]], _ dealer: SiteID) throws(Refusal) -> [RistrettoPoint] {
    var points: [RistrettoPoint] = []
    for bytes in encodings {
      guard let point = try? RistrettoPoint(bytes) else {
        throw Refusal(.badCommitments, "a commitment of \(dealer) is no point", culprit: dealer)
      }
      points.append(point)
    }
    return points
  }
}
