// `secagg`: everything that an ML engineer does and that needs no trust. One file a verb; errors of the modules below are
// turned into codes, hints and exit statuses here.

import ArgumentParser
import CommandLineKit
import Detector

@main
struct Main {
  static func main() async {
    BLASSetup.prepare()
    await runCommand(SecAgg.self, describe: describe)
  }

  @Sendable
  private static func describe(_ error: any Error) -> CommandError? {
    if let failure = demoFailure(error) ?? accountantFailure(error) { return failure }
    guard let fault = FaultDescription(error) else { return nil }
    let exit: ExitStatus =
      switch fault.kind {
      case .data: .badData
      case .configuration: .configuration
      case .unavailable: .unavailable
      }
    return CommandError(code: fault.code, what: fault.what, hint: fault.hint, exit: exit)
  }
}

struct SecAgg: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "secagg", abstract: "Train object detectors, alone or together without showing your images.",
    version: "0.1.0",
    subcommands: [
      DemoVerb.self, Check.self, Train.self, Val.self, Detect.self, Export.self, InitWeights.self, Inspect.self, Plan.self, Simulate.self,
      AccountantVerb.self, AuditPrivacy.self, Bench.self,
    ])
}
