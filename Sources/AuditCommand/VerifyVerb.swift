// secagg-audit verify: every check, one line each, and the first record that does not hold.
import ArgumentParser
import CommandLineKit
import Foundation
import Ledger

struct VerifyVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check a whole ledger, and recompute every privacy figure.",
    discussion: """
      Without --roster and --consortium-key the ledger's own first roster is believed. Without --since (a checkpoint that a site saw) a tail
      that was cut off after the last quorum of cosignatures would not be noticed. Sums are not
      computed again: this version has no --replay.
      """)

  @Argument(help: "The ledger's folder.") var ledger: String
  @OptionGroup var options: RosterOptions
  @Option(help: "A checkpoint that was seen before, such as a site's.") var since: String?
  @Option(help: "Write a report for people to this file, in English and Chinese.") var html: String?
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    let report = try Audit.run(TileStore(folder: ledger), AuditInputs.request(options, since: since))
    if let html {
      let page = AuditPage(report, isPinned: options.consortiumKey != nil).html()
      do { try Data(page.utf8).write(to: URL(fileURLWithPath: html), options: .atomic) } catch {
        throw LedgerError(.unreadable, "cannot write \(html)", hint: "check the path and its permissions")
      }
    }
    if json { try JSONOutput.object(AuditSummary(report)) } else { print(report) }
    if !report.holds { throw ExitCode(ExitStatus.checkedFalse.rawValue) }
  }

  private func print(_ report: AuditReport) {
    for result in report.results {
      let mark =
        switch result.outcome {
        case .held: "ok    "
        case .failed: "FALSE "
        case .notMade: "-     "
        }
      let name = result.check.rawValue
      Output.line("\(mark) \(name)\(String(repeating: " ", count: max(1, 15 - name.count)))\(result.check.claim): \(result.detail)")
    }
    Output.line()
    for job in report.state.jobSummaries { Output.line(Self.line(job)) }
    guard let bad = report.firstBad else {
      Output.line("OK           every check that was made held")
      return
    }
    Output.line(
      "FALSE        \(bad.index.map { "entry \($0)" } ?? "the ledger as a whole"): \(bad.fault.cause.rawValue): \(bad.fault.reason)")
  }

  private static func line(_ job: JobSummary) -> String {
    let head = "job          \(job.name): \(job.released) rounds released, \(job.reserved) attempts reserved"
    guard let privacy = job.privacy else { return head + "; no noise, no formal guarantee" }
    return head
      + "; one \(job.unit.rawValue): epsilon \(Figures.epsilon(privacy.epsilon)) of \(Figures.plain(privacy.budget)) "
      + "at delta \(Figures.plain(privacy.delta))"
  }
}

/// Figures as people read them: rounded up.
enum Figures {
  /// Without an exponent.
  static func plain(_ value: Double) -> String { LeafDecimal(shortest: value).text }

  static func epsilon(_ value: Double?) -> String {
    guard let value, value.isFinite else { return value == nil ? "–" : "infinity" }
    let scaled = (value * 1e4).rounded(.up) / 1e4
    return Text.fixed(scaled, 4)
  }
}
