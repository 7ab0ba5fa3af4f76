// `secagg demo`: five sites and a server on this machine, from data to report.

import ArgumentParser
import CommandLineKit
import Demo
import Foundation

struct Demo: AsyncParsableCommand {
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
