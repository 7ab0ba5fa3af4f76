// secagg-roster: the consortium's roster and its offline key. No network code is linked; the key file never leaves the machine that
// this runs on.
import ArgumentParser
import CommandLineKit
import Federation
import Foundation
import Sodium

@main struct RosterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "secagg-roster",
    abstract: "Make, change, sign and show the consortium's roster. Works offline.",
    discussion: """
      The consortium's key signs who takes part. It belongs to the members together, never to the server: keep it offline.

        secagg-roster init --directory consortium
        secagg-roster add-server server.request --roster consortium/roster.json
        secagg-roster add-site hospital-a.request --roster consortium/roster.json
        secagg-roster sign --roster consortium/roster.json
      """,
    version: "0.1.0",
    subcommands: [
      InitVerb.self, AddSiteVerb.self, AddServerVerb.self, RevokeVerb.self, SignVerb.self, ShowVerb.self, CheckEvidenceVerb.self,
    ])

  static func main() async { await runCommand(RosterCommand.self, describe: describe) }

  /// The module's errors as the user sees them.
  @Sendable static func describe(_ error: any Error) -> CommandError? {
    guard let error = error as? FederationError else { return nil }
    let place = error.place.map { CommandError.Place(file: $0.file, line: $0.line, column: $0.column, width: $0.width, text: $0.text) }
    return CommandError(
      code: error.code.rawValue, what: error.reason, hint: error.hint, exit: ExitStatus(rawValue: error.exitStatus) ?? .internalError,
      place: place)
  }
}

struct RosterOption: ParsableArguments {
  @Option(help: "The roster's file.") var roster = "roster.json"
}

/// What the person at the keyboard compares with the person on the telephone.
func voice(_ fingerprint: String) -> String { "fingerprint  \(fingerprint)" }
