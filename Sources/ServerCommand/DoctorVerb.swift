// secagg-server doctor: everything that `run` would trip over, looked at one by one, all findings at once.
import ArgumentParser
import CommandLineKit
import Coordinator
import Federation
import Foundation
import Logging
import Transport
import TransportServer

struct DoctorVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Check configuration, keys, roster, weights, state and port before a job runs.",
    discussion: "Ends with 0 if all is well and 1 if a check failed.")

  @OptionGroup var files: ServerFiles
  @Flag(help: "Print one JSON object on standard output.") var json = false

  struct Finding: Encodable {
    var name: String
    var ok: Bool
    var detail: String
    var hint: String?
  }
  struct Report: Encodable {
    var ok: Bool
    var checks: [Finding]
  }

  func run() async throws {
    let config = try files.load()
    var findings: [Finding] = []
    func check(_ name: String, _ body: () async throws -> String) async {
      do {
        findings.append(Finding(name: name, ok: true, detail: try await body()))
      } catch {
        let known = ServerCommand.describe(error)
        findings.append(Finding(name: name, ok: false, detail: known.map { "[\($0.code)] \($0.what)" } ?? "\(error)", hint: known?.hint))
      }
    }
    await check("configuration") { "\(config.training.rounds) rounds of \(config.model.name)" }
    await check("keys") { "identity of \(try PartyIdentity.load(config.server.identity).name)" }
    await check("roster") {
      let roster = try files.verifiedRoster(config)
      try PartyIdentity.load(config.server.identity).checkServer(of: roster.roster)
      return "serial \(roster.roster.serial), \(roster.view.siteKeys.count) sites, \(roster.view.colluders) may collude"
    }
    await check("weights") {
      guard let path = config.model.weights else {
        throw CoordinatorError(.weights, "no initial weights are given", hint: "see `secagg init-weights --help`")
      }
      let plan = try JobPlan(config, weightsPath: path)
      return "\(plan.parameterCount) parameters, \(plan.statisticCount) statistics, \(plan.classes.count) classes"
    }
    await check("state") {
      try RunVerb.makeFolder(config.server.stateDirectory)
      let journal = try AttemptJournal(directory: config.server.stateDirectory)
      return journal.job.map { "holds job \($0.name), \(journal.lastRound?.round ?? 0) rounds done" } ?? "empty"
    }
    await check("port") {
      let endpoint = try ServerEndpoint(host: config.communication.listen.host, port: config.communication.listen.port)
      let security: ServerSecurity =
        config.communication.encryption
        ? .mutualTLS(try PartyIdentity.load(config.server.identity).tls) { _ in nil } : .plaintextLoopback { _ in false }
      let server = try AggregationServer(
        .init(listen: endpoint, security: security), logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() })
      let bound = try await server.start()
      await server.shutdown()
      return "\(bound) is free"
    }
    let ok = findings.allSatisfy(\.ok)
    if json {
      try JSONOutput.object(Report(ok: ok, checks: findings))
    } else {
      for finding in findings {
        Output.line("\(finding.ok ? "ok  " : "BAD ") \(finding.name): \(finding.detail)")
        if let hint = finding.hint { Output.line("     hint: \(hint)") }
      }
    }
    if !ok { throw ExitCode(ExitStatus.checkedFalse.rawValue) }
  }
}
