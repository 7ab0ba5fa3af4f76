// secagg-audit show: the entries of a ledger in words, or as JSON lines. It checks no signature and says so.
import ArgumentParser
import CommandLineKit
import Foundation
import Ledger

struct ShowVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show the entries of a ledger. Nothing is verified: that is `verify`.")

  @Argument(help: "The ledger's folder.") var ledger: String
  @Option(help: "Only the entry with this index, whole.") var entry: Int?
  @Flag(help: "Print one JSON line an entry.") var json = false

  func run() throws {
    let store = TileStore(folder: ledger)
    guard let bytes = try store.read(TilePath.checkpoint, bytesMax: SignedNote.bytesMax) else {
      throw LedgerError(.unreadable, "there is no ledger in \(ledger)", hint: "give the folder that has the file `checkpoint`")
    }
    let size = try SignedCheckpoint(parsing: bytes).checkpoint.size
    let logged: LoggedEntries
    do throws(LoggedFault) { logged = try LoggedEntries(store, size: size, comparesTiles: false) } catch {
      throw LedgerError(.unreadable, error.fault.reason)
    }
    if let entry {
      guard logged.leaves.indices.contains(entry) else { throw LedgerError(.notFound, "the ledger has entries 0 to \(size - 1)") }
      return Output.line(printable(logged.leaves[entry]))
    }
    var table = Table([.init("entry", .right), .init("time"), .init("what"), .init("about")])
    var state = LedgerState()
    for (index, leaf) in logged.leaves.enumerated() {
      if json {
        Output.line("{\"index\":\(index),\"entry\":\(printable(leaf))}")
        continue
      }
      guard let entry = try? LedgerEntry(decoding: leaf) else {
        table.add(["\(index)", "", "unreadable", "no entry that this program knows"])
        continue
      }
      try? state.accept(entry) { logged.tree.root(of: index) }
      table.add(["\(index)", CivilTime.text(entry.time), entry.body.type, about(entry, state)])
    }
    if !json { for line in table.rendered() { Output.line(line) } }
  }

  /// A canonical leaf is printed as it is; of anything else no byte reaches the terminal.
  private func printable(_ leaf: [UInt8]) -> String {
    (try? LedgerEntry(decoding: leaf)) == nil ? "\"\(Base64.text(leaf))\"" : String(decoding: leaf, as: UTF8.self)
  }

  private func about(_ entry: LedgerEntry, _ state: LedgerState) -> String {
    func attempt(_ context: [UInt8]) -> String {
      guard let round = state.rounds.last(where: { $0.context == context }) else { return "ctx \(Hex.text(Array(context.prefix(6))))…" }
      return "\(round.job) round \(round.round) attempt \(round.attempt)"
    }
    switch entry.body {
    case .attachment(let body): return "part \(body.part + 1) of \(body.parts) of \(Hex.text(Array(body.digest.prefix(6))))…"
    case .rosterChanged: return state.roster.map { "serial \($0.serial), \($0.sites.count) sites, \($0.colluders) may collude" } ?? ""
    case .jobOpened(let body):
      return "\(body.job), unit \(body.unit.rawValue)"
        + (body.budget.map { ", epsilon \($0.epsilon.text) at delta \($0.delta.text)" } ?? "")
    case .roundReserved(let body):
      let sets = state.rounds.last { $0.context == body.context }
      return attempt(body.context) + (sets.map { ", \($0.survivors.count) of \($0.invited.count) sites" } ?? "")
    case .roundReleased(let body): return attempt(body.context) + (body.cost.map { ", epsilon so far \($0.total.epsilon.text)" } ?? "")
    case .roundAborted(let body): return "\(body.job) round \(body.round) attempt \(body.attempt), \(body.phase.rawValue), \(body.code)"
    case .refused(let body): return "site \(body.site), \(body.code)"
    case .refund(let body): return attempt(body.context)
    case .jobClosed(let body): return "\(body.job), \(body.released) rounds" + (body.total.map { ", epsilon \($0.epsilon.text)" } ?? "")
    }
  }
}
