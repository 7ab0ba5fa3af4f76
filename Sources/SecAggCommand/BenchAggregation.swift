// `secagg bench aggregation`: what a client and a server of the protocol spend, each item by the program's own code on one thread.

import ArgumentParser
import CommandLineKit
import Foundation
import Masking
import SecAgg
import Simulation
import Sodium

struct BenchAggregation: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "aggregation", abstract: "Time masking, secret sharing and unmasking.",
    discussion: "`make bench-aggregation` sets the figures beside those of Flower's SecAgg+ and of OpenSSL, measured in the same run.")

  @Option(help: "Coordinates.") var dimension = 1_000_000
  @Option(help: "Timed repetitions of each item; the median is printed.") var runs = 5
  @Flag(help: "Leave the server's part out.") var clientOnly = false
  @Flag(help: "Print one JSON object an item on standard output.") var json = false

  func validate() throws {
    guard (1...100_000_000).contains(dimension), (1...100).contains(runs) else {
      throw ValidationError("--dimension is 1 to 100000000, --runs 1 to 100")
    }
  }

  private struct Item: Encodable {
    let item: String
    let seconds: Double
    let best: Double
    let runs: Int
    let path: String
    var dimension: Int?
    var neighbours: Int?
    var sites: Int?
    var threshold: Int?
    var dropped: Int?
    var bytes: Int?

    enum CodingKeys: String, CodingKey {
      case item, seconds, runs, path, dimension, neighbours, sites, threshold, dropped, bytes
      case best = "seconds_best"
    }
  }

  func run() throws {
    var words = [UInt32](repeating: 0, count: dimension)
    let one = MaskStream(seed: SecretBytes(randomCount: MaskStream.seedBytes))
    try show("mask") { one.apply(.add, section: 0, to: &words) }
    for neighbours in [10, 100] {
      try show("client", neighbours: neighbours) {
        // The seeds are there since the keys were shown; expanding them is part of masking.
        var masks = MaskBatch()
        for index in 0...neighbours {
          masks.append(MaskStream(seed: SecretBytes(randomCount: MaskStream.seedBytes)), index % 2 == 0 ? .add : .subtract)
        }
        var sections = [words]
        words = []
        masks.apply(to: &sections)
        words = sections[0]
      }
    }
    Ring(bits: 20).reduce(&words)
    let packed = try BitPacking.pack(words, bits: 20)
    try show("pack", bytes: packed.count) { _ = try? BitPacking.pack(words, bits: 20) }
    try show("add-input", bytes: packed.count) { try? BitPacking.unpack(packed[...], bits: 20, addingTo: &words) }
    try sharing()
    if !clientOnly { try server() }
  }

  private func sharing() throws {
    let (sites, threshold) = (100, 67)
    let points = (1...UInt16(sites)).map { $0 }
    let secret = Scalar.random()
    var deal: ShamirDeal?
    try show("split", sites: sites, threshold: threshold) { deal = try? ShamirDeal(secret, threshold: threshold, points: points) }
    guard let shares = deal?.shares().prefix(threshold) else { return }
    let weights = try ShamirWeights(points: shares.map(\.point))
    try show("weights", sites: sites, threshold: threshold) { _ = try? ShamirWeights(points: shares.map(\.point)) }
    try show("rebuild", sites: sites, threshold: threshold) { _ = try? weights.rebuild(Array(shares)) }
  }

  /// A whole attempt of 100 sites over the complete graph, ten of which vanish before their input; the server's part after the reveals.
  private func server() throws {
    var options = SimulationOptions()
    options.sites = 100
    options.isSparse = false
    options.colluders = 33
    options.dimension = dimension
    options.drops = [.maskedInput: 0.1]
    let simulation = try Simulation(options)
    guard case .sum = simulation.run() else {
      throw CommandError(code: "BN-01", what: "the simulated attempt gave no sum", exit: .internalError)
    }
    let report = simulation.report()
    guard let reveal = report.phases.first(where: { $0.phase == "reveal" }), report.sumCorrect == true else {
      throw CommandError(code: "BN-01", what: "the simulated attempt gave a wrong sum", exit: .internalError)
    }
    let item = Item(
      item: "server", seconds: reveal.serverSeconds, best: reveal.serverSeconds, runs: 1, path: MaskPath.preferred.rawValue,
      dimension: dimension, sites: 100, threshold: report.threshold, dropped: 10)
    try print(item)
    try print(
      Item(
        item: "upload", seconds: 0, best: 0, runs: 1, path: "", dimension: dimension, sites: 100, bytes: report.upBytesPerSite))
  }

  private func show(
    _ name: String, neighbours: Int? = nil, sites: Int? = nil, threshold: Int? = nil, bytes: Int? = nil, _ work: () -> Void
  ) throws {
    let clock = ContinuousClock()
    work()
    let times = (0..<runs).map { _ in clock.measure(work) / .seconds(1) }.sorted()
    try print(
      Item(
        item: name, seconds: times[times.count / 2], best: times[0], runs: runs, path: MaskPath.preferred.rawValue,
        dimension: sites == nil ? dimension : nil, neighbours: neighbours, sites: sites, threshold: threshold, bytes: bytes))
  }

  private func print(_ item: Item) throws {
    if json { return try JSONOutput.line(item) }
    let time = item.seconds > 0 ? Text.fixed(item.seconds * 1_000, 3) + " ms" : ""
    let sizes = [
      item.neighbours.map { "\($0) neighbours" }, item.dimension.map { "\($0) coordinates" }, item.sites.map { "\($0) sites" },
      item.threshold.map { "t = \($0)" }, item.dropped.map { "\($0) dropped" }, item.bytes.map { "\($0) bytes" },
    ].compactMap { $0 }.joined(separator: ", ")
    Output.line([item.item, time, sizes].filter { !$0.isEmpty }.joined(separator: "  "))
  }
}
