// Appending: the same bytes as the independent writer's, whole or not at all, and right again after a crash at any point.
import Foundation
import Sodium
import Testing

@testable import Ledger

@Suite struct LedgerWriterTests {
  private func writer(_ folder: ScratchFolder) throws -> LedgerWriter {
    let roster = try #require(LedgerCorpus.loaded().rosters["1"])
    return try LedgerWriter(folder: folder.path, origin: roster.origin, key: LedgerCorpus.key("consortium log"))
  }

  /// Entries that belong together: a long value with the leaf that names it.
  private func batches() throws -> [[LedgerEntry]] {
    var batches: [[LedgerEntry]] = [[]]
    for entry in try LedgerCorpus.loaded().entries() {
      batches[batches.count - 1].append(entry)
      if case .attachment = entry.body { continue }
      batches.append([])
    }
    return batches.filter { !$0.isEmpty }
  }

  @Test func writesTheFilesThatTheIndependentWriterMakes() throws {
    let (corpus, folder) = (try LedgerCorpus.loaded(), ScratchFolder())
    let writer = try writer(folder)
    for batch in try batches() {
      let before = writer.checkpoint.checkpoint.size
      let (index, checkpoint) = try writer.append(batch)
      #expect(index == before && checkpoint.checkpoint.size == before + batch.count)
    }
    var files = try folder.files()
    let expected = MemorySource.files(corpus.leaves)
    let noted = files.removeValue(forKey: "checkpoint")
    let note = try SignedCheckpoint(parsing: try #require(noted))
    #expect(files == expected)
    let good = try #require(corpus.cases.first { $0.name == "good" }?.files["checkpoint"])
    #expect(note.checkpoint == (try SignedCheckpoint(parsing: good)).checkpoint)
    // With the sites' cosignatures the auditor has nothing to say.
    let roster = try #require(corpus.rosters["2"])
    for site in UInt32(0)..<5 {
      let key = try LedgerCorpus.key("consortium witness \(site)")
      try writer.add(note.checkpoint.cosigned(by: key, name: roster.witnessName(site), time: 1_767_300_000))
    }
    let report = try Audit.run(TileStore(folder: folder.path), AuditRequest(roster: roster, consortiumKey: corpus.consortiumKey))
    #expect(report.holds, "\(report.firstBad?.fault.reason ?? "")")
    #expect(throws: LedgerError.self) {
      try writer.add(note.checkpoint.cosigned(by: LedgerCorpus.key("stranger"), name: roster.witnessName(5), time: 1_767_300_000))
    }
  }

  /// Entries that an auditor would refuse are not written, and leave the ledger as it was.
  @Test func refusesWhatAnAuditorWould() throws {
    let (folder, entries) = (ScratchFolder(), try LedgerCorpus.loaded().entries())
    let writer = try writer(folder)
    #expect(throws: LedgerError(.refusedEntry, "LG-20: the ledger does not begin with a roster")) { try writer.append([entries[1]]) }
    try writer.append(Array(entries[0...3]))
    let before = try folder.files()
    for (entry, code) in [(entries[3], "LG-42"), (entries[1], "LG-13"), (entries[8], "LG-45"), (entries[0], "LG-13")] {
      do {
        try writer.append([entry])
        Issue.record("an entry was taken that breaks \(code)")
      } catch { #expect(error.code == .refusedEntry && error.reason.hasPrefix(code), "\(error)") }
    }
    // Two entries of which the second is bad: neither is written.
    #expect(throws: LedgerError.self) { try writer.append([entries[4], entries[4]]) }
    #expect(try folder.files() == before)
    try writer.append([entries[4]])
    // A release whose signatures are another round's.
    guard case .roundReleased(let release) = entries[8].body, case .roundReleased(let first) = entries[4].body else { return }
    let forged = RoundReleased(
      context: release.context, signatures: first.signatures, revealed: release.revealed, sumDigest: release.sumDigest,
      weightsDigest: release.weightsDigest, threshold: release.threshold, bits: release.bits, clip: release.clip, noise: release.noise,
      cost: release.cost)
    try writer.append(Array(entries[5...7]))
    #expect(throws: LedgerError.self) { try writer.append([LedgerEntry(time: entries[8].time, .roundReleased(forged))]) }
  }

  /// The process may end after each single file: the ledger is then the one before, or the one after.
  @Test func everyCrashLeavesAWholeLedger() throws {
    let (corpus, batches) = (try LedgerCorpus.loaded(), try batches())
    let (before, after) = (ScratchFolder(), ScratchFolder())
    for batch in batches.prefix(4) { try writer(before).append(batch) }
    for batch in batches.prefix(5) { try writer(after).append(batch) }
    let (old, new) = (try before.files(), try after.files())
    let written = new.keys.filter { old[$0] != new[$0] && $0 != "checkpoint" }.sorted()
    for count in 0...written.count {
      let folder = ScratchFolder()
      try write(old, folder)
      for name in written.prefix(count) { try write([name: new[name] ?? []], folder) }
      // A file that was being written under its temporary name.
      try write(["tile/entries/000.p/77.new": [1, 2, 3]], folder)
      let report = try corpus.audit(folder.files())
      #expect(report.firstBad?.fault.cause == .quorum)
      let writer = try writer(folder)
      #expect(writer.checkpoint.checkpoint.size == batches.prefix(4).joined().count)
      try writer.append(batches[4])
      for (name, bytes) in new { #expect(try folder.files()[name] == bytes, "\(name) after a crash behind \(count) files") }
    }
  }

  @Test func tilesAreMadeAgainAndDamageIsTold() throws {
    let (corpus, folder) = (try LedgerCorpus.loaded(), ScratchFolder())
    let all = try corpus.entries()
    try writer(folder).append(all)
    let files = try folder.files()
    try write(["tile/0/000.p/35": [0]], folder)
    _ = try writer(folder)
    #expect(try folder.files() == files)
    try FileManager.default.removeItem(atPath: folder.path + "/tile/0")
    _ = try writer(folder)
    #expect(try folder.files() == files)
    var bundle = try #require(files["tile/entries/000.p/35"])
    bundle[40] ^= 1
    try write(["tile/entries/000.p/35": bundle], folder)
    #expect(throws: LedgerError.self) { try writer(folder) }
    try write(["tile/entries/000.p/35": Array(bundle.dropLast())], folder)
    #expect(throws: LedgerError.self) { try writer(folder) }
  }

  @Test func oneWriterAtATime() throws {
    let folder = ScratchFolder()
    let first = try writer(folder)
    #expect(throws: LedgerError(.locked, "another process writes to \(folder.path)", hint: "end it first")) { try writer(folder) }
    withExtendedLifetime(first) {}
  }

  /// Bundles and tiles beyond 256 entries, appended in steps of every size.
  @Test func manyEntries() throws {
    let (corpus, folder) = (try LedgerCorpus.loaded(), ScratchFolder())
    let entries = try corpus.entries()
    let writer = try writer(folder)
    try writer.append([entries[0]])
    var count = 1
    for step in [1, 2, 254, 1, 255, 256, 257, 3] {
      let more = (0..<step).map { number in
        LedgerEntry(
          time: entries[0].time,
          .refused(SiteRefused(context: SHA256.hash([UInt8(number & 255), UInt8(step & 255)]), site: 1, code: "SA-20")))
      }
      try writer.append(more)
      count += step
      let report = try corpus.audit(folder.files())
      #expect(report.firstBad?.fault.cause == .quorum && report.state.count == count)
    }
    let files = try folder.files()
    #expect(files.keys.count { $0.contains(".p/") } == TilePath.all(size: count).count { $0.width < 256 })
    let again = try self.writer(ScratchFolder())
    #expect(again.checkpoint.checkpoint.size == 0)
  }

  private func write(_ files: [String: [UInt8]], _ folder: ScratchFolder) throws {
    for (name, bytes) in files {
      let url = URL(fileURLWithPath: folder.path + "/" + name)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
    }
  }
}
