// secagg-client: a site's side. It holds the site's keys, policy and journal, and drives the site's trainer; it opens no image, and it only
// ever connects outwards.
import ArgumentParser
import CommandLineKit
import Federation
import Logging
import Participant
import TLSIdentity
import Transport

@main struct ClientCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "secagg-client",
    abstract: "Take part in federated training without showing your data.",
    discussion: """
      A site's way from nothing to a running job:

        secagg-client enroll --name hospital-a       makes the keys here, a request for the consortium and site.yaml
        (compare the fingerprint with the consortium by voice; it hands back roster.json and its public key)
        secagg-client doctor --config site.yaml      checks that everything is in place
        secagg-client run --config site.yaml         takes part until the job ends; start it again after any interruption

      What leaves this site: masked integers, signed protocol messages, and that you are there. Exit codes are in docs/errors.md.
      """,
    version: "0.1.0",
    subcommands: [EnrollVerb.self, InitVerb.self, RunVerb.self, DoctorVerb.self, PolicyVerb.self, BudgetVerb.self])

  static func main() async { await runCommand(ClientCommand.self, describe: describe) }

  /// The errors of the modules below as the user sees them.
  @Sendable static func describe(_ error: any Error) -> CommandError? {
    switch error {
    case let error as FederationError:
      let place = error.place.map { CommandError.Place(file: $0.file, line: $0.line, column: $0.column, width: $0.width, text: $0.text) }
      return made(error.code.rawValue, error.reason, error.hint, error.exitStatus, place)
    case let error as ParticipantError: return made(error.code.rawValue, error.reason, error.hint, error.exitStatus)
    case let error as TransportError: return made(error.code.rawValue, error.reason, error.hint, error.exitStatus)
    case let error as TLSIdentityError: return made(error.code.rawValue, error.reason, error.hint, error.exitStatus)
    default: return nil
    }
  }

  private static func made(
    _ code: String, _ reason: String, _ hint: String, _ status: Int32, _ place: CommandError.Place? = nil
  ) -> CommandError {
    CommandError(code: code, what: reason, hint: hint, exit: ExitStatus(rawValue: status) ?? .internalError, place: place)
  }
}

struct SiteFile: ParsableArguments {
  @Option(help: "The site's configuration.") var config = "site.yaml"
}
