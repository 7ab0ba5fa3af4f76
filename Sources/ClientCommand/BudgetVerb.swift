// `secagg-client budget`: what this site has paid for, by job, and what its policy leaves; and charges taken back on evidence.
import ArgumentParser
import CommandLineKit
import Federation
import Foundation
import Participant

struct BudgetVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "budget", abstract: "Show what this site has spent of its privacy, by job and in all.",
    discussion: """
      Every noised input that may have left counts, whether its sum was released or not. The client may not run meanwhile.
      --refund takes a charge back where evidence shows that nobody can open the input any more: a file of the server's or the site's folder
      `refunds`, checked here against the roster.
      """)

  @OptionGroup var file: SiteFile
  @Option(help: "Delta at which epsilon is shown; the policy's, or 1e-5.") var delta: Double?
  @Option(help: "Evidence for which to take a charge back; may be given more than once.") var refund: [String] = []
  @Flag(help: "Print the result as JSON on standard output.") var json = false

  func validate() throws {
    guard delta.map({ $0 > 0 && $0 < 1 }) != false else { throw ValidationError("--delta lies between 0 and 1") }
  }

  struct Report: Encodable {
    struct Job: Encodable {
      var job: String
      var inputs: Int
      var epsilon: Double
    }
    var delta: Double
    var jobs: [Job]
    var inputs: Int
    var epsilon: Double
    /// Limits of the policy.
    var limits: [String: Double]
  }

  func run() throws {
    let config = try SiteConfig.load(file.config)
    let policy = SitePolicy(config.policy)
    // A site that never ran has no journal, and asking makes none.
    let hasRun = FileManager.default.fileExists(atPath: "\(config.stateDirectory)/\(Journal.fileName)")
    let journal = hasRun ? try Journal(directory: config.stateDirectory) : nil
    for path in refund { try takeBack(path, journal) }
    let report = Self.report(journal?.charges ?? [], policy, delta: delta ?? policy.delta ?? SitePolicy.deltaUsual)
    if json { return try JSONOutput.object(report) }
    guard report.inputs > 0 else { return Output.line("nothing spent: no noised input left this site") }
    var table = Table([.init("job"), .init("inputs", .right), .init("epsilon", .right)])
    for job in report.jobs { table.add([job.job, "\(job.inputs)", Text.fixed(job.epsilon, 4)]) }
    table.add(["all", "\(report.inputs)", Text.fixed(report.epsilon, 4)])
    for line in table.rendered() { Output.line(line) }
    let limits = report.limits.sorted { $0.key < $1.key }.map { "\($0.value) a \($0.key)" }
    Output.line(
      "at delta \(report.delta); the policy allows " + (limits.isEmpty ? "what each job promises" : limits.joined(separator: ", ")))
  }

  /// - Throws: where the evidence does not hold, is not about this site's input, or nothing was paid for that.
  private func takeBack(_ path: String, _ journal: Journal?) throws {
    let site = try Site(file.config)
    let evidence = try EvidenceFolder.read(path)
    let verdict = try evidence.check(site.roster.view)
    guard verdict.claim == .unopened, verdict.culprit.map({ $0 == site.member.site }) ?? true else {
      throw ParticipantError(
        .journalForbids, "\(path) does not show that this site's input can be opened by nobody",
        hint: "give a file of the folder `refunds` that is for this site, or for all of an attempt")
    }
    guard let journal else { throw ParticipantError(.journalForbids, "this site paid for nothing", hint: "nothing is to be taken back") }
    try journal.record(.refunded(context: verdict.context))
    Output.note("round \(verdict.round) attempt \(verdict.attempt) of job \(verdict.job): the charge is taken back")
  }

  static func report(_ all: [Journal.Payment], _ policy: SitePolicy, delta: Double) -> Report {
    let names = all.reduce(into: [String]()) { if !$0.contains($1.job) { $0.append($1.job) } }
    let jobs = names.map { name in
      let charges = all.filter { $0.job == name }.map(\.charge)
      return Report.Job(job: name, inputs: charges.count, epsilon: PrivacyAccount.epsilon(charges, delta: delta))
    }
    let limits = ["round": policy.epsilonMax.round, "job": policy.epsilonMax.job, "lifetime": policy.epsilonMax.lifetime]
    return Report(
      delta: delta, jobs: jobs, inputs: all.count,
      epsilon: PrivacyAccount.epsilon(all.map(\.charge), delta: delta), limits: limits.compactMapValues { $0 })
  }
}
