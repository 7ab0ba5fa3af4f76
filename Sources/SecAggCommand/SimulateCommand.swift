// `secagg simulate`: the real protocol of all parties in one process, on a virtual network and clock, from one seed.

import ArgumentParser
import CommandLineKit
import Federation
import Foundation
import Masking
import SecAgg
import Simulation

struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Run the aggregation protocol of a whole federation in this process.",
    discussion: """
      Every site and the server run their real code on a virtual network and clock. The sum is compared with the plain sum, and after
      every event the rules of the specification are checked. The same seed gives the same run.

      secagg simulate --sites 100 --dimension 1000000 --drop masked-input=0.1
      secagg simulate --sites 10 --faults 3 --seed 42
      secagg simulate --campaign 1000
      """)

  @Option(help: "Number of sites, 3 to 10000.") var sites = 10
  @Option(help: "Coordinates of the update.") var dimension = 10_000
  @Option(help: "Bits of a coordinate, 8 to 32.") var bits = 20
  @Option(help: "complete (up to 128 sites) or sparse (65 and more); complete up to 64 sites unless stated.") var graph: Graph?
  @Flag(help: "The sites add Skellam noise, and what is too much of it is taken out; up to 128 sites, complete graph.")
  var removableNoise = false
  @Option(help: "How many sites may collude with the server (n_C).") var colluders: Int?
  @Option(
    help: .init(
      "Sites that vanish in a phase, as PHASE=FRACTION; may be repeated. Phases: "
        + "plan, graph, keys, shares, acknowledge, masked-input, consistency, reveal.",
      valueName: "phase=fraction"))
  var drop: [String] = []
  @Option(help: "The run follows from this number.") var seed: UInt64 = 1
  @Option(help: "0: none; 1: delays, duplicates, lost connections; 2: also reordering, corruption, crashes; 3: also malicious parties.")
  var faults = 0
  @Option(help: "A malicious party by name, with any level of faults (see --list-adversaries).") var adversary: String?
  @Flag(help: "List the malicious parties.") var listAdversaries = false
  @Option(help: .init("Run this many small simulations of all kinds, seeds from --seed on.", valueName: "count")) var campaign: Int?
  @Flag(help: "With --seed: the one run of a campaign that has this seed, again.") var replay = false
  @Option(help: "Threads.") var threads = 2
  @Flag(help: "Print the result as JSON on standard output.") var json = false

  enum Graph: String, ExpressibleByArgument, CaseIterable { case complete, sparse }

  func validate() throws {
    guard (3...10_000).contains(sites), (1...100_000_000).contains(dimension), (8...32).contains(bits) else {
      throw ValidationError("--sites is 3 to 10000, --dimension 1 to 100000000, --bits 8 to 32")
    }
    guard FaultLevel(rawValue: faults) != nil, (1...256).contains(threads), campaign.map({ $0 > 0 }) != false else {
      throw ValidationError("--faults is 0 to 3, --threads 1 to 256, --campaign at least 1")
    }
    _ = try drops()
    guard !removableNoise || (sites <= RoundPlan.completeGraphMax && graph != .sparse && (sites <= 64 || graph == .complete)) else {
      throw ValidationError("--removable-noise is for the complete graph: up to 64 sites, or up to 128 with --graph complete")
    }
    if let adversary, !Adversaries.all.contains(where: { $0.name == adversary }) {
      throw ValidationError("there is no adversary \"\(adversary)\"; see --list-adversaries")
    }
  }

  private func drops() throws -> [Phase: Double] {
    var drops: [Phase: Double] = [:]
    for text in drop {
      let parts = text.split(separator: "=", maxSplits: 1)
      let phase = Phase.allCases.first { $0.description == parts.first.map(String.init) && ![.done, .commitments].contains($0) }
      guard parts.count == 2, let phase, let fraction = Double(parts[1]), (0...1).contains(fraction) else {
        throw ValidationError("--drop \(text): a phase and a fraction from 0 to 1 are due, such as masked-input=0.1")
      }
      drops[phase] = fraction
    }
    return drops
  }

  func run() throws {
    if listAdversaries { return list() }
    if let campaign { return try runCampaign(campaign) }
    var options = replay ? Campaign.options(seed) : SimulationOptions()
    if !replay {
      options.sites = sites
      options.dimension = dimension
      options.bits = bits
      options.isSparse = graph.map { $0 == .sparse }
      options.colluders = colluders
      options.drops = try drops()
      options.removesNoise = removableNoise
      options.seed = seed
      options.faults = FaultLevel(rawValue: faults) ?? .none
    }
    options.adversary = adversary
    options.workers = threads > 1 ? .allCores : .serial
    let simulation: Simulation
    do { simulation = try Simulation(options) } catch let refusal as Refusal {
      throw CommandError(
        code: refusal.code.rawValue, what: "no plan for these options: \(refusal.reason)",
        hint: "fewer colluders, more sites, or another --graph", exit: .usage)
    }
    if !json { Output.note("simulating \(options.sites) sites, \(options.dimension) coordinates, seed \(options.seed)") }
    let outcome = simulation.run()
    let report = simulation.report()
    if json { try JSONOutput.object(report) } else { show(report) }
    if case .violated = outcome { throw ExitCode(ExitStatus.checkedFalse.rawValue) }
    if case .aborted = outcome { throw ExitCode(ExitStatus.tryAgain.rawValue) }
  }

  private func list() {
    var table = Table([.init("adversary"), .init("what it does")])
    for adversary in Adversaries.all { table.add([adversary.name, adversary.what]) }
    for line in table.rendered() { Output.line(line) }
  }

  private func show(_ report: SimulationReport) {
    Output.line(
      "graph         \(report.graph), \(report.neighbours) neighbours, threshold \(report.threshold), \(report.colluders) colluders")
    if let adversary = report.adversary { Output.line("adversary     \(adversary)") }
    let result =
      switch report.outcome {
      case "sum": "sum over \(report.survivors) of \(report.sites) sites, correct: \(report.sumCorrect.map { $0 ? "yes" : "NO" } ?? "?")"
      case "aborted": "aborted, \(report.code ?? ""): \(report.reason ?? "")"
      default: "BROKEN: \(report.reason ?? "")"
      }
    Output.line("result        \(result)")
    let gone = report.dropped.sorted { $0.key < $1.key }.map { "\($0.value) in \($0.key)" }.joined(separator: ", ")
    let claims = report.evidence.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value) ×" }.joined(separator: ", ")
    Output.line("evidence      \(claims.isEmpty ? "none" : claims)")
    Output.line("attempts      \(report.attempts)" + (gone.isEmpty ? "" : "; dropped: \(gone)"))
    var table = Table([
      .init("phase"), .init("server s", .right), .init("a site s", .right), .init("down", .right), .init("up", .right),
    ])
    for row in report.phases {
      table.add([
        row.phase, Text.fixed(row.serverSeconds, 4), Text.fixed(row.siteSeconds, 5), Text.bytes(row.downBytes), Text.bytes(row.upBytes),
      ])
    }
    table.add(["all", Text.fixed(report.serverSeconds, 4), Text.fixed(report.siteSeconds, 5)])
    for line in table.rendered() { Output.line(line) }
    Output.line("a site        sends \(Text.bytes(report.upBytesPerSite)), gets \(Text.bytes(report.downBytesPerSite))")
    Output.line("expansion     \(Text.fixed(report.expansion, 4)) of the integers in clear")
    Output.line(
      "virtual time  \(Text.fixed(report.virtualSeconds, 1)) s, \(report.events) events; peak memory \(Text.bytes(report.peakMemoryBytes))")
  }

  private func runCampaign(_ count: Int) throws {
    let bar = Bar(total: count)
    let result = Campaign.run(first: seed, count: count, jobs: threads) { bar.update($0) }
    bar.finish()
    if json {
      try JSONOutput.object(CampaignReport(result))
    } else {
      Output.line("\(result.runs) runs (\(result.sparse) sparse), \(result.events) events: \(result.sums) right sums")
      for (code, count) in result.aborts.sorted(by: { $0.key < $1.key }) { Output.line("  \(code)  \(count) named aborts") }
      var table = Table([.init("adversary"), .init("runs", .right), .init("sums all the same", .right)])
      for (name, found) in result.adversaries.sorted(by: { $0.key < $1.key }) { table.add([name, "\(found.runs)", "\(found.sums)"]) }
      for line in table.rendered() { Output.line(line) }
      for found in result.violations {
        Output.line("BROKEN: \(found.reason)\n  again: secagg simulate --replay --seed \(found.seed)")
      }
      Output.line("\(result.violations.count) broken invariants")
    }
    if !result.violations.isEmpty { throw ExitCode(ExitStatus.checkedFalse.rawValue) }
  }

  /// The runs of a campaign report from several threads.
  private final class Bar: @unchecked Sendable {
    private let bar: ProgressBar
    private let lock = NSLock()
    init(total: Int) { bar = ProgressBar("simulate", total: total) }
    func update(_ done: Int) { lock.withLock { bar.update(done) } }
    func finish() { lock.withLock { bar.finish() } }
  }

  private struct CampaignReport: Encodable {
    struct Violation: Encodable {
      let seed: UInt64
      let reason: String
    }
    let runs, sums, sparse, events: Int
    let aborts: [String: Int]
    let violations: [Violation]

    init(_ result: CampaignResult) {
      (runs, sums, sparse, events, aborts) = (result.runs, result.sums, result.sparse, result.events, result.aborts)
      violations = result.violations.map { Violation(seed: $0.seed, reason: $0.reason) }
    }
  }
}
