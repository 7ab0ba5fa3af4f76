// secagg-audit: whether a federation's ledger is what it says. It reads files and computes; no network code is linked, and it holds no key.
import ArgumentParser
import CommandLineKit
import Ledger

@main struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "secagg-audit",
    abstract: "Audit a ledger: who took part, what it cost in privacy, and whether every record holds. Works offline.",
    discussion: """
      A ledger is a folder with `checkpoint` and `tile/`. With the roster and the consortium's key, which the consortium gives out, nothing
      of the server is believed.

        secagg-audit verify ledger --roster roster.json --consortium-key consortium.pub --html audit.html
        secagg-audit show ledger
        secagg-audit prove hospital-a 12 --ledger ledger --out proof.tlog-proof

      Exit status 0: all checks held. 1: a check was false. 65: there is nothing to read. 77: the roster is not the consortium's.
      """,
    version: "0.1.0",
    subcommands: [VerifyVerb.self, ShowVerb.self, ProveVerb.self, CheckProofVerb.self, CompareVerb.self, FollowVerb.self])

  static func main() async { await runCommand(AuditCommand.self, describe: describe) }

  /// The module's errors as the user sees them.
  @Sendable static func describe(_ error: any Error) -> CommandError? {
    guard let error = error as? LedgerError else { return nil }
    let exit: ExitStatus =
      switch error.code {
      case .roster: .identityRefused
      case .locked: .tryAgain
      case .inconsistent: .checkedFalse
      case .unreadable, .damaged, .refusedEntry, .malformedNote, .notFound: .badData
      }
    return CommandError(
      code: error.code.rawValue, what: error.reason, hint: error.hint.isEmpty ? "see `secagg-audit --help`" : error.hint, exit: exit)
  }
}
