// `secagg demo`: five sites and a server on this machine, from data to report.

import ArgumentParser
import CommandLineKit
import Demo
import Federation
import Foundation

struct DemoVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Let sites train together on this machine, from keys to report.",
    discussion: """
      Makes a data set for each site from real images (or takes --data), trains once centrally and once at each site alone for comparison, \
      then federated: a server and one client a site as separate processes over gRPC with mutual TLS. Sites are killed on the way. \
      Ends with OUT/summary.json and OUT/report.html.
      """)

  @Option(help: "Number of sites.") var sites = 5
  @Option(help: "Rounds of training.") var rounds: Int?
  @Option(help: "Sites that are killed in the middle of a round, and come back.") var drop = 1
  @Option(help: "Folder of the results; emptied if it holds an earlier demo's.") var out = "demo-output"
  @Flag(help: "Less of everything: minutes instead of half an hour.") var quick = false
  @Option(help: "A federated.yaml whose training section replaces the demo's own.") var config: String?
  @Flag(help: "Run a --config that asks for differential privacy without it.") var withoutPrivacy = false
  @Option(parsing: .upToNextOption, help: "Data folders with a data.yaml each, one a site, instead of made scenes.") var data: [String] = []
  @Option(help: "Everything random in data and training follows from this number.") var seed: UInt64 = 1

  func run() async throws {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
    var options = DemoOptions(outputFolder: out, programFolder: program)
    (options.sites, options.rounds, options.drop, options.quick) = (sites, rounds, drop, quick)
    (options.configuration, options.withoutPrivacy, options.dataFolders, options.seed) = (config, withoutPrivacy, data, seed)
    try await DemoRun(options).run()
  }
}

/// The demo's errors as the user sees them; nil for errors of other modules.
@Sendable
func demoFailure(_ error: any Error) -> CommandError? {
  if let error = error as? DemoError {
    return CommandError(code: error.code.rawValue, what: error.reason, hint: error.hint, exit: exit(error.code))
  }
  if let failure = error as? ChildFailure {
    let tail = failure.lastLines.isEmpty ? "" : "\n  " + failure.lastLines.joined(separator: "\n  ")
    return CommandError(
      code: "DM-06", what: "\(failure.program): \(failure.reason)\(tail)", hint: "the logs of every process are in logs/ below --out",
      exit: .unavailable)
  }
  if let error = error as? FederationError {
    let place = error.place.map { CommandError.Place(file: $0.file, line: $0.line, column: $0.column, width: $0.width, text: $0.text) }
    return CommandError(
      code: error.code.rawValue, what: error.reason, hint: error.hint, exit: ExitStatus(rawValue: error.exitStatus) ?? .internalError,
      place: place)
  }
  return nil
}

private func exit(_ code: DemoError.Code) -> ExitStatus {
  switch code {
  case .badOption: .usage
  case .dataMissing: .badData
  case .missingProgram, .cannotWrite, .folderInUse: .unavailable
  case .wrongSum: .internalError
  }
}
