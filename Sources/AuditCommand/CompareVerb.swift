// secagg-audit compare and follow: whether two checkpoints are of one history, and whether a ledger keeps to its own.
import ArgumentParser
import CommandLineKit
import Foundation
import Ledger

struct CompareVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compare two checkpoints, such as those of two sites.",
    discussion: """
      Checkpoints of one size are compared at once; for two sizes give the ledger, which has what lies between them. Two signed checkpoints
      that contradict each other are evidence against the server; --evidence writes it to a file.

      Exit status 0: the same, or one continues the other. 1: the ledger has forked.
      """)

  @Argument(help: "A checkpoint.") var first: String
  @Argument(help: "Another checkpoint.") var second: String
  @Option(help: "The folder of the ledger that the newer checkpoint is of.") var ledger: String?
  @OptionGroup var options: RosterOptions
  @Option(help: "Write evidence of a fork to this file.") var evidence: String?
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    var (older, newer) = (try AuditInputs.checkpoint(first), try AuditInputs.checkpoint(second))
    if older.checkpoint.size > newer.checkpoint.size { (older, newer) = (newer, older) }
    if let roster = try options.pinnedRoster() {
      for point in [older, newer] where point.checkpoint.origin != roster.origin || point.logSignature(roster.logKey) != .good {
        throw LedgerError(.malformedNote, "a checkpoint is not signed by the roster's server", hint: "an unsigned checkpoint shows nothing")
      }
    }
    let result = try Comparison(older, newer, tree: tree(newer))
    if json { try JSONOutput.object(result) } else { Output.line(result.sentence) }
    guard result.relation == .forked else { return }
    if let evidence, let shown = result.evidence {
      do { try Data(shown.encoded).write(to: URL(fileURLWithPath: evidence), options: .atomic) } catch {
        throw LedgerError(.unreadable, "cannot write \(evidence)", hint: "check the path and its permissions")
      }
    }
    throw ExitCode(ExitStatus.checkedFalse.rawValue)
  }

  private func tree(_ newer: SignedCheckpoint) throws -> MerkleTree? {
    guard let ledger else { return nil }
    do throws(LoggedFault) {
      return try LoggedEntries(TileStore(folder: ledger), size: newer.checkpoint.size, comparesTiles: false).tree
    } catch { throw LedgerError(.unreadable, error.fault.reason, hint: "give the ledger that the newer checkpoint is of") }
  }
}

/// How two checkpoints stand to each other.
struct Comparison: Encodable {
  enum Relation: String, Encodable { case equal, continues, forked }
  var relation: Relation
  var sizes: [Int]
  var evidence: ForkEvidence?

  enum CodingKeys: String, CodingKey { case relation, sizes }

  /// - Throws: LD-06 where nothing can be said, LD-04 for two logs.
  init(_ older: SignedCheckpoint, _ newer: SignedCheckpoint, tree: MerkleTree?) throws(LedgerError) {
    let (old, new) = (older.checkpoint, newer.checkpoint)
    guard old.origin == new.origin else { throw LedgerError(.malformedNote, "the checkpoints are of two ledgers") }
    sizes = [old.size, new.size]
    if old.size == new.size {
      (relation, evidence) = (old.root == new.root ? .equal : .forked, ForkEvidence(older: older, newer: newer, proof: []))
      return
    }
    guard let tree else {
      throw LedgerError(.notFound, "the checkpoints have \(old.size) and \(new.size) entries", hint: "give --ledger with what lies between")
    }
    guard tree.root == new.root else {
      throw LedgerError(
        .damaged, "the ledger's entries are not those of the newer checkpoint", hint: "give the ledger of the newer checkpoint")
    }
    let isSame = tree.root(of: old.size) == old.root
    (relation, evidence) = (isSame ? .continues : .forked, isSame ? nil : ForkEvidence(older: older, newer: newer, tree: tree))
  }

  var sentence: String {
    switch relation {
    case .equal: "equal        both have \(sizes[0]) entries and one root"
    case .continues: "continues    the checkpoint of \(sizes[1]) entries continues that of \(sizes[0])"
    case .forked: "FORKED       \(sizes[0]) and \(sizes[1]) entries: no history has both"
    }
  }
}

struct FollowVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow", abstract: "Watch a ledger: audit it whenever it has grown.",
    discussion: """
      The last good checkpoint is kept in --state, so that a ledger that was rewritten or cut off is noticed also after a restart. Ends with
      status 1 at the first check that is false.
      """)

  @Argument(help: "The ledger's folder.") var ledger: String
  @OptionGroup var options: RosterOptions
  @Option(help: "The file that keeps the last good checkpoint.") var state = "last.checkpoint"
  @Option(help: "Seconds between two looks.") var interval = 10
  @Flag(help: "Look once and end.") var once = false
  @Flag(help: "Print one JSON object a line.") var json = false

  func validate() throws {
    guard (1...86_400).contains(interval) else { throw ValidationError("--interval is 1 to 86400 seconds") }
  }

  func run() throws {
    let store = TileStore(folder: ledger)
    var seen: [UInt8]?
    while true {
      let newest = try store.read(TilePath.checkpoint, bytesMax: SignedNote.bytesMax)
      if newest == nil || newest != seen {
        try look(store)
        seen = newest
      }
      if once { return }
      Thread.sleep(forTimeInterval: Double(interval))
    }
  }

  private func look(_ store: TileStore) throws {
    var request = try AuditInputs.request(options)
    if let bytes = try TileStore.file(state, bytesMax: SignedNote.bytesMax) { request.since = try SignedCheckpoint(parsing: bytes) }
    let report = try Audit.run(store, request)
    let line = FollowLine(report)
    if json { try JSONOutput.line(line) } else { Output.line(line.sentence) }
    guard report.holds, let checkpoint = report.checkpoint else { throw ExitCode(ExitStatus.checkedFalse.rawValue) }
    do { try Data(checkpoint.note.encoded).write(to: URL(fileURLWithPath: state), options: .atomic) } catch {
      throw LedgerError(.unreadable, "cannot write \(state)", hint: "check the path and its permissions")
    }
  }
}

/// One look at a ledger.
struct FollowLine: Encodable {
  var ok: Bool
  var size: Int
  var released: Int
  var index: Int?
  var cause: String?
  var reason: String?

  init(_ report: AuditReport) {
    (ok, size) = (report.holds, report.checkpoint?.checkpoint.size ?? 0)
    released = report.state.rounds.count { $0.fate == "released" }
    (index, cause, reason) = (report.firstBad?.index, report.firstBad?.fault.cause.rawValue, report.firstBad?.fault.reason)
  }

  var sentence: String {
    ok
      ? "ok           \(size) entries, \(released) rounds released"
      : "FALSE        \(index.map { "entry \($0): " } ?? "")\(cause ?? ""): \(reason ?? "")"
  }
}
