// Evidence (spec/09-evidence.md): whatever its bytes are, it accuses nobody but the one site that signed what no site may sign.
import SecAgg
import Sodium

struct EvidenceTarget: Target {
  static let name = "evidence"
  private let cohort = Cohort.complete
  private var rogue: SiteID { cohort.sites[2] }

  func run(_ input: [UInt8]) {
    guard let evidence = try? Evidence(decoding: input) else { return }
    require(evidence.encoded() == input, "evidence with two encodings")
    guard let verdict = try? evidence.check(cohort.roster) else { return }
    require(verdict.culprit == rogue, "evidence against \(evidence.culpritName)")
  }

  func seeds() -> [[UInt8]] {
    func signed(_ body: some MessageBody) -> SignedMessage { cohort.sign(body, rogue) }
    let hashes = (0..<3).map { BLAKE2b.hash([$0]) }
    let headers = hashes.map { InputHeaderBody(maskSet: $0, payloadBytes: 1, digest: $0) }
    let share = [UInt8](repeating: 1, count: 32)
    let both = RevealBody(entries: [ShareKind.maskKey, .selfMask].map { .init(dealer: cohort.sites[0], kind: $0, share: share) })
    let header = ShareHeaderBody(keyList: hashes[0], selfMaskRoot: hashes[1], commitments: [], entries: [])
    let claims: [(RefusalCode, [SignedMessage])] = [
      (.equivocation, hashes.prefix(2).map { signed(ConsistencyBody(hash: $0)) }), (.equivocation, headers.prefix(2).map { signed($0) }),
      (.inputShape, [signed(headers[0])]), (.malformed, [signed(AcceptanceBody(commitment: hashes[0]))]), (.bothShares, [signed(both)]),
      (.badCommitments, [signed(header)]),
      (.badNonce, [signed(AcceptanceBody(commitment: hashes[0])), signed(GraphNonceBody(nonce: hashes[1]))]),
      (.wrongDealer, [signed(header), signed(both)]), (.wrongShare, [signed(both), signed(both)]),
    ]
    return claims.map { claim, messages in Evidence(claim, rogue, plan: cohort.plan, messages, preimage: hashes[0]).encoded() }
  }
}
