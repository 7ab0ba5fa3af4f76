// secagg-audit prove and check-proof: that a site's input is in a round, in a file that stands on its own (C2SP tlog-proof).
import ArgumentParser
import CommandLineKit
import Foundation
import Ledger

struct ProveVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove", abstract: "Write the proof that a site is among the survivors of a round.",
    discussion: "The proof has the entry that reserved the round, with the digest of the site's masked input.")

  @Argument(help: "The site's name or index.") var site: String
  @Argument(help: "The round.") var round: UInt32
  @Option(help: "The ledger's folder.") var ledger = "ledger"
  @Option(help: "The job; the newest one with this round if not given.") var job: String?
  @Option(help: "The file to write; standard output if not given.") var out: String?

  func run() throws {
    let report = try Audit.run(TileStore(folder: ledger), AuditRequest(verifier: { _ in [] }))
    guard let logged = report.logged, let checkpoint = report.checkpoint else {
      throw LedgerError(.damaged, report.firstBad?.fault.reason ?? "the ledger cannot be read", hint: "see `secagg-audit verify`")
    }
    let index = report.state.roster?.sites.first { $0.name == site }?.index ?? UInt32(site)
    guard let index else { throw LedgerError(.notFound, "no site of the newest roster is named \(site.prefix(63))") }
    let rounds = report.state.rounds.filter { $0.round == round && (job == nil || $0.job == job) && $0.survivors.contains(index) }
    guard let found = rounds.last(where: { $0.fate == "released" }) ?? rounds.last else {
      throw LedgerError(.notFound, "site \(index) is among the survivors of no attempt of round \(round)")
    }
    let proof = LogProof(
      entry: logged.leaves[found.index], index: found.index,
      hashes: logged.tree.inclusionProof(index: found.index, size: checkpoint.checkpoint.size), checkpoint: checkpoint)
    guard let out else { return Output.write(String(decoding: proof.encoded, as: UTF8.self), to: .standardOutput) }
    do { try Data(proof.encoded).write(to: URL(fileURLWithPath: out), options: .atomic) } catch {
      throw LedgerError(.unreadable, "cannot write \(out)", hint: "check the path and its permissions")
    }
    Output.note("\(found.job), round \(found.round), attempt \(found.attempt): entry \(found.index), \(found.fate)")
  }
}

struct CheckProofVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-proof", abstract: "Check a file that `prove` wrote, by the roster alone.")

  @Argument(help: "The proof.") var file: String
  @Option(help: "The roster's file, from the consortium.") var roster: String
  @Option(help: "The consortium's pinned public key.") var consortiumKey: String
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    guard let bytes = try TileStore.file(file, bytesMax: SignedNote.bytesMax) else {
      throw LedgerError(.unreadable, "there is no file \(file)", hint: "check the path of the proof")
    }
    var options = RosterOptions()
    (options.roster, options.consortiumKey) = (roster, consortiumKey)
    guard let roster = try options.pinnedRoster() else { throw LedgerError(.roster, "no roster was given") }
    let proof = try LogProof(parsing: bytes)
    let result = ProofCheck(proof, roster)
    if json {
      try JSONOutput.object(result)
    } else {
      Output.line("entry        \(result.index), \(result.type)")
      if let survivors = result.survivors { Output.line("survivors    \(survivors.map(String.init).joined(separator: ", "))") }
      Output.line(
        result.ok ? "OK           in the ledger, \(result.cosigners) of \(roster.quorum) cosignatures" : "FALSE        \(result.reason)")
    }
    if !result.ok { throw ExitCode(ExitStatus.checkedFalse.rawValue) }
  }
}

/// What a proof shows.
struct ProofCheck: Encodable {
  var ok: Bool
  var index: Int
  var type: String
  var cosigners: Int
  /// Of an entry that reserves a round, where it holds them itself.
  var survivors: [UInt32]?
  var reason: String

  init(_ proof: LogProof, _ roster: LedgerRoster) {
    let entry = try? LedgerEntry(decoding: proof.entry)
    (index, type) = (proof.index, entry?.body.type ?? "unreadable")
    cosigners = roster.sites.count { proof.checkpoint.cosignature(name: roster.witnessName($0.index), key: $0.witnessKey)?.isGood == true }
    if case .roundReserved(let body)? = entry?.body { survivors = body.survivorSites }
    reason =
      !proof.isIncluded
      ? "the entry is not in the checkpoint's tree"
      : proof.checkpoint.checkpoint.origin != roster.origin || proof.checkpoint.logSignature(roster.logKey) != .good
        ? "the checkpoint is not signed by the roster's server" : cosigners < roster.quorum ? "too few cosignatures: \(cosigners)" : ""
    ok = reason.isEmpty
  }
}
