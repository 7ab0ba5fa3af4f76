// A site as a witness: what it cosigns, what it refuses, and what it can show to others when the server has two histories.
import Sodium
import Testing

@testable import Ledger

@Suite struct LedgerMonitorTests {
  private let log: Ed25519.SigningKey
  private let witness: Ed25519.SigningKey
  private let roster: LedgerRoster

  init() throws {
    (log, witness) = (try LedgerCorpus.key("consortium log"), try LedgerCorpus.key("consortium witness 0"))
    roster = try #require(LedgerCorpus.loaded().rosters["1"])
  }

  private func tree(_ count: Int, fork: Int = .max) -> MerkleTree {
    var tree = MerkleTree()
    for index in 0..<count { tree.append(leafHash: MerkleTree.leafHash([UInt8(index), index >= fork ? 1 : 0])) }
    return tree
  }

  private func point(_ tree: MerkleTree, _ size: Int? = nil, origin: String? = nil, key: Ed25519.SigningKey? = nil) -> SignedCheckpoint {
    let point = Checkpoint(origin: origin ?? roster.origin, size: size ?? tree.count, root: tree.root(of: size ?? tree.count))
    return SignedCheckpoint(point, signatures: [point.signed(by: key ?? log)])
  }

  private func look(
    _ monitor: inout LedgerMonitor, _ next: SignedCheckpoint, _ proof: [[UInt8]], _ own: LedgerMonitor.Contribution? = nil
  ) throws -> LedgerMonitor.Outcome {
    try monitor.witness(next, consistency: proof, contribution: own, site: 0, key: witness, time: 1_767_300_000)
  }

  @Test func cosignsWhatContinues() throws {
    let grown = tree(30)
    var monitor = LedgerMonitor(roster: roster, last: nil)
    for (old, size) in [(0, 1), (1, 8), (8, 8), (8, 21), (21, 30)] {
      let next = point(grown, size)
      guard case .cosigned(let line) = try look(&monitor, next, grown.consistencyProof(old: old, size: size)) else {
        Issue.record("no cosignature")
        continue
      }
      var noted = next
      noted.add(line)
      #expect(noted.cosignature(name: roster.witnessName(0), key: witness.publicKey)?.isGood == true)
      #expect(monitor.last == next)
    }
  }

  @Test func refusesWhatShowsNothing() throws {
    let grown = tree(30)
    var monitor = LedgerMonitor(roster: roster, last: point(grown, 21))
    let proof = grown.consistencyProof(old: 21, size: 30)
    let cases = [
      (point(grown, 30), []), (point(grown, 30), Array(proof.dropLast())), (point(grown, 20), []),
      (point(grown, origin: "secagg.ledger/other"), proof),
      (point(grown, key: witness), proof), (SignedCheckpoint(point(grown).checkpoint, signatures: []), proof),
    ]
    for (next, proof) in cases {
      #expect(throws: LedgerError.self) { try look(&monitor, next, proof) }
      #expect(monitor.last == point(grown, 21))
    }
  }

  @Test func demandsItsOwnContribution() throws {
    let grown = tree(30)
    func own(_ index: Int) -> LedgerMonitor.Contribution {
      LedgerMonitor.Contribution(leaf: [UInt8(index), 0], index: index, proof: grown.inclusionProof(index: index, size: 30))
    }
    for index in 0..<30 {
      var monitor = LedgerMonitor(roster: roster, last: nil)
      #expect(throws: Never.self) { try look(&monitor, point(grown), [], own(index)) }
      let elsewhere = LedgerMonitor.Contribution(leaf: [99, 0], index: index, proof: own(index).proof)
      #expect(throws: LedgerError.self) { try look(&monitor, point(grown), [], elsewhere) }
    }
  }

  /// Whatever the sizes: with the entries of one history, and mostly by the proof alone, two histories are shown to anybody.
  @Test func forksAreEvidence() throws {
    for old in 1...20 {
      for size in old...24 {
        let (one, other) = (tree(old), tree(size, fork: 0))
        let (older, newer) = (point(one), point(other))
        let evidence = try #require(ForkEvidence(older: older, newer: newer, tree: other))
        #expect(evidence.holds(logKey: log.publicKey) && !evidence.holds(logKey: witness.publicKey))
        #expect(try ForkEvidence(parsing: evidence.encoded) == evidence)
        #expect(ForkEvidence(older: point(tree(old, fork: 0)), newer: newer, tree: other) == nil)
        // A site that asks for a proof is shown one that cannot be.
        var monitor = LedgerMonitor(roster: roster, last: older)
        let isNode = old < size && old & (old - 1) == 0
        if isNode {
          #expect(throws: LedgerError.self) { try look(&monitor, newer, other.consistencyProof(old: old, size: size)) }
        } else {
          let outcome = try look(&monitor, newer, other.consistencyProof(old: old, size: size))
          #expect(outcome == .forked(evidence))
        }
        #expect(monitor.last == older)
      }
    }
  }

  @Test func noEvidenceAgainstAnHonestLog() throws {
    let grown = tree(24)
    let stray = SHA256.hash([9])
    for old in 1...24 {
      for size in old...24 {
        #expect(ForkEvidence(older: point(grown, old), newer: point(grown, size), tree: grown) == nil)
        let proof = grown.consistencyProof(old: old, size: size)
        for wrong in [proof, [stray] + proof, [grown.root(of: old)] + proof, Array(proof.dropFirst()), proof.map { _ in stray }] {
          #expect(ForkEvidence(older: point(grown, old), newer: point(grown, size), proof: wrong) == nil)
        }
      }
    }
    for text in [
      "", "secagg/v1/ledger-fork\n", "secagg/v1/ledger-fork\n0\n5\nabc", "secagg/v1/ledger-fork\n-1\n", "secagg/v1/ledger-fork\n999\n",
    ] {
      #expect(throws: LedgerError.self) { try ForkEvidence(parsing: Array(text.utf8)) }
    }
  }
}
