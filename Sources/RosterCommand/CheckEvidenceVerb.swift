// secagg-roster check-evidence: whether a file from an `evidence` folder shows what it claims, by the roster alone.
import ArgumentParser
import CommandLineKit
import Federation
import Foundation
import SecAgg

struct CheckEvidenceVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-evidence", abstract: "Check evidence of a broken rule, by the roster alone.",
    discussion: """
      A server or a site that meets a breach which the signatures themselves show keeps it in the folder `evidence` of its
      state directory. The check needs that file, the roster of the time (it may have ended since) and the consortium's
      key, and trusts neither of the parties.

      Exit status 0: every file shows its breach. 1: some file shows nothing. 77: the roster is not the consortium's.
      """)

  @Argument(help: "Files of evidence.") var files: [String]
  @OptionGroup var file: RosterOption
  @Option(help: "The consortium's pinned public key.") var consortiumKey: String
  @Flag(help: "Print one JSON object a file.") var json = false

  func run() throws {
    let signed = try SignedRoster.read(file.roster)
    // The roster of then: its end does not matter.
    let issued = Date(timeIntervalSince1970: Double(signed.roster.issued))
    let verifier = RosterVerifier(consortiumKey: try KeyFile.readPublic(consortiumKey))
    let roster = try verifier.verify(signed, now: issued, highestSerialSeen: 0)
    var holds = true
    for path in files {
      let report = EvidenceReport(path, try EvidenceFolder.read(path), roster)
      holds = holds && report.holds
      if json { try JSONOutput.object(report) } else { report.print() }
    }
    if !holds { throw ExitCode(ExitStatus.checkedFalse.rawValue) }
  }
}

/// The result of one file as `check-evidence --json` prints it.
struct EvidenceReport: Encodable {
  var file: String
  var holds: Bool
  /// False where it accuses nobody, and says that an input can be opened by nobody.
  var isAccusation: Bool
  var claim: String
  /// nil for the server, or for all.
  var site: UInt32?
  var name: String
  var job: String?
  var round: UInt32?
  var attempt: UInt32?
  /// What it shows, or why it shows nothing.
  var finding: String

  enum CodingKeys: String, CodingKey {
    case file, holds, claim, site, name, job, round, attempt, finding
    case isAccusation = "is_accusation"
  }

  init(_ file: String, _ evidence: Evidence, _ roster: VerifiedRoster) {
    self.file = file
    (claim, site) = (evidence.claim.rawValue, evidence.culprit?.rawValue)
    let member = evidence.culprit.flatMap { culprit in roster.roster.members.first { $0.site == culprit }?.name }
    isAccusation = evidence.isAccusation
    name = member ?? (evidence.culprit != nil ? "unknown" : evidence.isAccusation ? roster.server.name : "all")
    do throws(Refusal) {
      let verdict = try evidence.check(roster.view)
      (holds, finding) = (true, verdict.finding)
      (job, round, attempt) = (verdict.job, verdict.round, verdict.attempt)
    } catch {
      (holds, finding) = (false, "\(error.code.rawValue): \(error.reason)")
    }
  }

  func print() {
    Output.line("evidence     \(file)")
    let party = site.map { "site \($0), " } ?? (isAccusation ? "the server, " : "")
    Output.line(isAccusation ? "against      \(party)\(name)" : "in favour of \(party)\(name)")
    if let job, let round, let attempt { Output.line("attempt      job \(job), round \(round), attempt \(attempt)") }
    Output.line("claim        \(claim)")
    Output.line(holds ? "SHOWN        \(finding)" : "NOT SHOWN    \(finding)")
  }
}
