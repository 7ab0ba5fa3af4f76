// What the server hands in, and the entries that are made of it: the same leaves as the independent writer's, figures included.
import Sodium
import Testing

@testable import Ledger

@Suite struct EntryMakingTests {
  @Test func makesTheLeavesOfTheGoodLedger() throws {
    let corpus = try LedgerCorpus.loaded()
    var (state, tree, waiting): (LedgerState, MerkleTree, [LedgerEntry]) = (LedgerState(), MerkleTree(), [])
    for entry in try corpus.entries() {
      if case .attachment = entry.body {
        waiting.append(entry)
      } else {
        let made = try make(entry, state)
        #expect(made.map(\.encoded) == (waiting + [entry]).map(\.encoded))
        waiting = []
      }
      try state.accept(entry) { tree.root }
      tree.append(leafHash: MerkleTree.leafHash(entry.encoded))
    }
    #expect(state.count == corpus.leaves.count)
  }

  private func make(_ entry: LedgerEntry, _ state: LedgerState) throws -> [LedgerEntry] {
    let long = try state.values.taken(by: entry.body.blobs)
    let time = entry.time
    switch entry.body {
    case .attachment, .roundAborted, .refused: return [entry]
    case .rosterChanged(let body):
      return state.rosterEntries(
        record: long.bytes(body.roster), signature: body.signature,
        agreements: try SiteSignatures(decoding: long.bytes(body.cosignatures)), time: time)
    case .jobOpened(let body): return try state.jobEntries(record: long.bytes(body.record), survivorsMin: body.survivorsMin, time: time)
    case .roundReserved(let body):
      return state.reservationEntries(
        plan: long.bytes(body.plan), survivors: long.bytes(body.survivors), charge: body.charge, time: time)
    case .roundReleased(let body):
      var revealed = ByteInput(long.bytes(body.revealed))
      return try state.releaseEntries(
        context: body.context, signatures: SiteSignatures(decoding: long.bytes(body.signatures)), revealed: revealed.sites(),
        sumDigest: body.sumDigest, weightsDigest: body.weightsDigest, time: time)
    case .refund(let body): return state.refundEntries(context: body.context, evidence: long.bytes(body.certificate), time: time)
    case .jobClosed(let body): return [try state.closingEntry(job: body.job, time: time)]
    }
  }

  /// Of more signatures than a release has, those of the lowest sites are taken.
  @Test func takesAQuorumOfSignatures() throws {
    let corpus = try LedgerCorpus.loaded()
    var state = LedgerState()
    let entries = try corpus.entries()
    for entry in entries.prefix(4) { try state.accept(entry) { [] } }
    guard case .roundReleased(let body) = entries[4].body, case .bytes(let bytes) = body.signatures else { return }
    let signatures = try SiteSignatures(decoding: bytes)
    let more = SiteSignatures(signatures.entries + [(site: 4, signature: [UInt8](repeating: 1, count: 64))])
    let made = try state.releaseEntries(
      context: body.context, signatures: more, revealed: [0, 1, 2, 3, 4], sumDigest: body.sumDigest, weightsDigest: body.weightsDigest,
      time: entries[4].time)
    #expect(made.map(\.encoded) == [entries[4].encoded])
    #expect(throws: LedgerError.self) {
      try state.releaseEntries(context: [1], signatures: more, revealed: [], sumDigest: [], weightsDigest: [], time: 0)
    }
    #expect(throws: LedgerError.self) { try state.closingEntry(job: "none", time: 0) }
    #expect(throws: LedgerError.self) { try state.jobEntries(record: [1], survivorsMin: 1, time: 0) }
  }
}
