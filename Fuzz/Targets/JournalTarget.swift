// A site's journal: one entry's bytes, and the whole file, as a crash, a bad disk or somebody else may have left it. A file that opens can
// be continued, and opens again with the same contents.
import Federation
import Foundation
import Participant

struct JournalTarget: Target {
  static let name = "journal"
  private let scratch: Scratch
  private let valid: [UInt8]

  private static let entries: [JournalEntry] = {
    func digest(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }
    return [
      .rosterSeen(serial: 3), .jobPinned(job: "größe", weights: digest(1), configuration: digest(2)),
      .contextUsed(job: "größe", round: 1, attempt: 2, kind: 1, context: digest(3), weights: digest(1)),
      .inputSent(context: digest(3), digest: digest(4)),
      .survivorsSigned(context: digest(3), survivors: [3, 13, 23], hash: digest(5)), .revealed(context: digest(3)),
    ]
  }()

  init() throws {
    scratch = try Scratch(Self.name)
    let journal = try Journal(directory: scratch.path)
    for entry in Self.entries { try journal.record(entry) }
    valid = scratch.read(Journal.fileName)
  }

  /// The first byte: 0 an entry, 1 a file, 2 the valid file altered, 3 whole records with these payloads.
  func run(_ input: [UInt8]) {
    var source = Source(input)
    switch source.u8() % 4 {
    case 0: entry(source.rest())
    case 1: file(source.rest())
    case 2: file(source.altered(valid))
    default: records(&source)
    }
  }

  private func entry(_ bytes: [UInt8]) {
    guard let entry = JournalEntry(encoded: bytes) else { return }
    require(entry.encoded == bytes, "a journal entry has two encodings")
  }

  private func file(_ bytes: [UInt8]) {
    _ = scratch.write(bytes, Journal.fileName)
    let torn: Int
    do {
      let journal = try Journal(directory: scratch.path)
      torn = journal.tornBytes
      require(torn <= bytes.count, "more torn bytes than there were")
      try? journal.record(.rosterSeen(serial: .max))
    } catch { return }
    let kept = scratch.read(Journal.fileName)
    let start = bytes.count - torn
    require(start < 16 || kept.starts(with: bytes.prefix(start)), "opening altered what was whole")
    guard let again = try? Journal(directory: scratch.path) else {
      fatalError("broken property: a journal that opened does not open again")
    }
    require(again.tornBytes == 0 && again.highestRosterSerial == .max, "a journal lost what it promised to keep")
  }

  /// Rightly framed records with any contents: the checks of their order are reached.
  private func records(_ source: inout Source) {
    let path = scratch.write([], Journal.fileName)
    do {
      let file = try RecordFile(path: path, magic: "secagg-journal1\n") { _ in }
      for _ in 0..<8 where !source.isAtEnd {
        let chosen = source.u8()
        let known = Self.entries[Int(chosen & 0x7f) % Self.entries.count].encoded
        let payload = chosen < 128 ? known : source.altered(known)
        if !payload.isEmpty { try file.append(payload) }
      }
    } catch { fatalError("broken property: a record cannot be written: \(error)") }
    self.file(scratch.read(Journal.fileName))
  }

  func seeds() -> [[UInt8]] {
    let files: [[UInt8]] = [[1] + valid, [1] + valid.dropLast(5), [2, 0, 4, 0, 20, 1]]
    let records: [[UInt8]] = [[3, 0, 1, 2, 3, 4, 5], [3, 2, 130, 0, 4, 0, 9, 1]]
    return Self.entries.map { [0] + $0.encoded } + files + records
  }
}
