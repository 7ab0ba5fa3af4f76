// The journal: what it promises survives every crash, and what contradicts it is refused before and after a restart.
import Federation
import Foundation
import Testing

@testable import Participant

/// A folder of one test, removed when the value goes.
final class TemporaryFolder {
  let path: String
  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("secagg-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

private func digest(_ value: UInt8) -> [UInt8] { [UInt8](repeating: value, count: 32) }

private func used(_ round: UInt32, _ attempt: UInt32, _ context: UInt8, weights: UInt8 = 9, kind: UInt8 = 1) -> JournalEntry {
  .contextUsed(job: "garments", round: round, attempt: attempt, kind: kind, context: digest(context), weights: digest(weights))
}

private let story: [JournalEntry] = [
  .rosterSeen(serial: 3), .jobPinned(job: "garments", weights: digest(9), configuration: digest(8)), used(1, 1, 1),
  .inputSent(context: digest(1), digest: digest(2)), .survivorsSigned(context: digest(1), survivors: [1, 2], hash: digest(3)),
  .revealed(context: digest(1)),
  used(2, 1, 4, weights: 5),
]

@Suite struct JournalTests {
  private func write(_ entries: [JournalEntry], in folder: TemporaryFolder) throws {
    let journal = try Journal(directory: folder.path)
    for entry in entries { try journal.record(entry) }
  }

  @Test func everythingIsThereAfterARestart() throws {
    let folder = try TemporaryFolder()
    try write(story, in: folder)
    let journal = try Journal(directory: folder.path)
    #expect(journal.highestRosterSerial == 3)
    #expect(journal.pin(job: "garments")?.weights == digest(9))
    #expect(journal.attempt(context: digest(1))?.isRevealed == true)
    #expect(journal.attempt(context: digest(1))?.input == digest(2))
    #expect(journal.attempt(context: digest(4))?.input == nil)
    #expect(journal.lastRevealedRound(job: "garments") == 1)
    #expect(journal.revealedSets(weights: digest(9), kind: 1) == [[1, 2]])
    #expect(journal.revealedSets(weights: digest(9), kind: 0).isEmpty)
    #expect(journal.revealedSets(weights: digest(5), kind: 1).isEmpty)
    #expect(journal.isUsed(job: "garments", round: 2, attempt: 1))
    #expect(!journal.isUsed(job: "other", round: 2, attempt: 1))
  }

  @Test func entriesRoundTripAndNothingElseIsAnEntry() {
    for entry in story {
      #expect(JournalEntry(encoded: entry.encoded) == entry)
      #expect(JournalEntry(encoded: entry.encoded + [0]) == nil)
      for count in 0..<entry.encoded.count { #expect(JournalEntry(encoded: Array(entry.encoded.prefix(count))) == nil) }
    }
    #expect(JournalEntry(encoded: [7]) == nil && JournalEntry(encoded: [8]) == nil)
    #expect(JournalEntry(encoded: [6, 31, 0] + [UInt8](repeating: 0, count: 31)) == nil)
  }

  /// A contradiction is refused in the same process and after a restart.
  @Test(arguments: [
    JournalEntry.rosterSeen(serial: 2), .jobPinned(job: "garments", weights: digest(7), configuration: digest(8)),
    .jobPinned(job: "garments", weights: digest(9), configuration: digest(7)), used(1, 1, 1), used(1, 1, 77), used(3, 1, 1),
    .inputSent(context: digest(1), digest: digest(33)), .inputSent(context: digest(99), digest: digest(2)),
    .survivorsSigned(context: digest(1), survivors: [1, 2], hash: digest(44)),
    .survivorsSigned(context: digest(1), survivors: [1, 3], hash: digest(3)),
    .survivorsSigned(context: digest(4), survivors: [1, 2], hash: digest(3)),
    .revealed(context: digest(4)), .revealed(context: digest(99)),
  ])
  func whatContradictsIsRefused(entry: JournalEntry) throws {
    let folder = try TemporaryFolder()
    do {
      let journal = try Journal(directory: folder.path)
      for known in story { try journal.record(known) }
      #expect { try journal.record(entry) } throws: { ($0 as? ParticipantError)?.code == .journalForbids }
    }
    let journal = try Journal(directory: folder.path)
    #expect { try journal.record(entry) } throws: { ($0 as? ParticipantError)?.code == .journalForbids }
  }

  @Test func repeatingWhatIsKnownCostsNothing() throws {
    let folder = try TemporaryFolder()
    try write(story, in: folder)
    let path = folder.path + "/journal"
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    let journal = try Journal(directory: folder.path)
    try journal.record(.rosterSeen(serial: 3))
    try journal.record(.inputSent(context: digest(1), digest: digest(2)))
    try journal.record(.survivorsSigned(context: digest(1), survivors: [1, 2], hash: digest(3)))
    try journal.record(.revealed(context: digest(1)))
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }

  @Test func oneProcessAtATime() throws {
    let folder = try TemporaryFolder()
    let journal = try Journal(directory: folder.path)
    #expect { _ = try Journal(directory: folder.path) } throws: { ($0 as? ParticipantError)?.code == .stateInUse }
    try journal.record(.rosterSeen(serial: 1))
  }

  @Test func anotherFileIsNotAJournal() throws {
    let folder = try TemporaryFolder()
    try Data("these are not the bytes of a journal at all".utf8).write(to: URL(fileURLWithPath: folder.path + "/journal"))
    #expect { _ = try Journal(directory: folder.path) } throws: { ($0 as? ParticipantError)?.code == .journalDamaged }
  }

  @Test func aFolderThatIsNotThere() {
    #expect { _ = try Journal(directory: "/nonexistent-folder") } throws: { ($0 as? ParticipantError)?.code == .file }
  }

  /// A whole record of a kind that this program does not know is not skipped.
  @Test func anUnknownKindIsRefused() throws {
    let folder = try TemporaryFolder()
    do {
      let file = try RecordFile(path: folder.path + "/journal", magic: "secagg-journal1\n") { _ in }
      try file.append([200, 1, 2, 3])
    }
    #expect { _ = try Journal(directory: folder.path) } throws: { ($0 as? ParticipantError)?.code == .journalDamaged }
  }
}

/// The file below the journal: cut at every byte, flipped at every byte.
@Suite struct RecordFileTests {
  private let magic = "secagg-testing1\n"
  private let records: [[UInt8]] = [[1], [2, 2], [UInt8](repeating: 3, count: 40), [4, 0, 0, 0], [UInt8](repeating: 0, count: 9)]

  private func file(_ folder: TemporaryFolder) throws -> Data {
    let path = folder.path + "/file"
    let file = try RecordFile(path: path, magic: magic) { _ in }
    for record in records { try file.append(record) }
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  private func reopen(_ bytes: Data, _ folder: TemporaryFolder) throws -> (found: [[UInt8]], torn: Int) {
    let path = folder.path + "/copy"
    try bytes.write(to: URL(fileURLWithPath: path))
    var found: [[UInt8]] = []
    let file = try RecordFile(path: path, magic: magic) { found.append($0) }
    return (found, file.tornBytes)
  }

  @Test func cutAtEveryByteLeavesAPrefixThatGoesOn() throws {
    let folder = try TemporaryFolder()
    let whole = try file(folder)
    var seen: Set<Int> = []
    for count in 0...whole.count {
      let (found, torn) = try reopen(whole.prefix(count), folder)
      #expect(found == Array(records.prefix(found.count)))
      #expect((torn == 0) == (count <= 16 || found.count == records.count || isBoundary(count)))
      seen.insert(found.count)
      // What was torn is gone, and the file takes new records behind what was whole.
      let path = folder.path + "/copy"
      do { try RecordFile(path: path, magic: magic) { _ in }.append([42]) }
      var again: [[UInt8]] = []
      _ = try RecordFile(path: path, magic: magic) { again.append($0) }
      #expect(again == found + [[42]])
    }
    #expect(seen == Set(0...records.count))
  }

  private func isBoundary(_ count: Int) -> Bool {
    var offset = 16
    for record in records {
      if offset == count { return true }
      offset += 8 + record.count + 16
    }
    return offset == count
  }

  @Test func aFlippedByteIsRefusedWhereverItIs() throws {
    let folder = try TemporaryFolder()
    let whole = try file(folder)
    for index in 0..<whole.count {
      for mask: UInt8 in [1, 0x80] {
        var bytes = whole
        bytes[bytes.startIndex + index] ^= mask
        #expect(throws: RecordFileError.self, "byte \(index)") { _ = try reopen(bytes, folder) }
      }
    }
  }

  @Test func recordsCannotBeLeftOutOrExchanged() throws {
    let folder = try TemporaryFolder()
    let whole = try file(folder)
    let first = 8 + records[0].count + 16
    let withoutFirst = whole.prefix(16) + whole.dropFirst(16 + first)
    #expect(throws: RecordFileError.self) { _ = try reopen(withoutFirst, folder) }
    let second = 8 + records[1].count + 16
    let exchanged =
      whole.prefix(16) + whole.dropFirst(16 + first).prefix(second) + whole.dropFirst(16).prefix(first)
      + whole.dropFirst(16 + first + second)
    #expect(throws: RecordFileError.self) { _ = try reopen(exchanged, folder) }
  }

  /// A crash may leave the file's new length with sectors that were never written: zeros.
  @Test func unwrittenSectorsAtTheEndAreTorn() throws {
    let folder = try TemporaryFolder()
    let whole = try file(folder)
    #expect(try reopen(whole + Data(count: 300), folder).torn == 300)
    let path = folder.path + "/long"
    do { try RecordFile(path: path, magic: magic) { _ in }.append([UInt8](repeating: 7, count: 2_000)) }
    var long = try Data(contentsOf: URL(fileURLWithPath: path))
    long.replaceSubrange(1_024..., with: Data(count: long.count - 1_024))
    #expect(try reopen(long, folder).found.isEmpty)
    // The same damage with a record behind it is no torn tail.
    do { try RecordFile(path: path, magic: magic) { _ in }.append([1]) }
    var middle = try Data(contentsOf: URL(fileURLWithPath: path))
    middle.replaceSubrange(1_024..<2_040, with: Data(count: 1_016))
    #expect(throws: RecordFileError.self) { _ = try reopen(middle, folder) }
  }
}
