// secagg-client doctor: everything that `run` would trip over, looked at one by one, all findings at once.
import ArgumentParser
import CommandLineKit
import Federation
import Foundation
import Participant

struct DoctorVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Check configuration, keys, roster, data, trainer and journal before a job runs.",
    discussion: "Ends with 0 if all is well and 1 if a check failed. Connects nowhere.")

  @OptionGroup var file: SiteFile
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

  func run() throws {
    let config = try SiteConfig.load(file.config)
    var findings: [Finding] = []
    func check(_ name: String, _ body: () throws -> String) {
      do {
        findings.append(Finding(name: name, ok: true, detail: try body()))
      } catch {
        let known = ClientCommand.describe(error)
        findings.append(Finding(name: name, ok: false, detail: known.map { "[\($0.code)] \($0.what)" } ?? "\(error)", hint: known?.hint))
      }
    }
    check("keys") { "identity of \(try PartyIdentity.load(config.identity).name)" }
    check("roster") {
      let site = try Site(file.config)
      let (roster, member) = (site.roster, site.member)
      return "serial \(roster.roster.serial), \(roster.view.siteKeys.count) sites; this is \(member.name), index \(member.site.rawValue)"
    }
    check("data") {
      guard FileManager.default.isReadableFile(atPath: config.data) else {
        throw ParticipantError(.file, "cannot read \(config.data)", hint: "check `data` in site.yaml")
      }
      return "\(config.data); `secagg check` looks inside"
    }
    check("trainer") {
      let command = try Site(file.config).trainerCommand
      guard let program = command.first, TrainerProcess.find(program) != nil else {
        throw ParticipantError(
          .trainerStart, "no program \(command.first ?? "") that may be executed",
          hint: "install secagg-trainer, or set `trainer: {command: [...]}`")
      }
      return command.joined(separator: " ")
    }
    check("journal") {
      try FileManager.default.createDirectory(
        atPath: config.stateDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let journal = try Journal(directory: config.stateDirectory)
      return "highest roster serial seen: \(journal.highestRosterSerial)"
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
