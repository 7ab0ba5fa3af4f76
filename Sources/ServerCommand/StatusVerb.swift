// secagg-server status: where a job is, out of its event log; it may run or not.
import ArgumentParser
import CommandLineKit
import Coordinator
import Federation
import Foundation

struct StatusVerb: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "status", abstract: "Say how far the job in a state directory is.")

  @Option(help: "The server's state directory.") var state = "state"
  @Flag(help: "Print one JSON object on standard output.") var json = false

  struct Status: Encodable {
    var job: String?
    var rounds: Int?
    var round: Int?
    var phase: String?
    var connected: [Int]
    var lastFinishedRound: Int?
    var weights: String?
    var outcome: String?
    var reason: String?
    var updated: String?

    enum CodingKeys: String, CodingKey {
      case job, rounds, round, phase, connected, weights, outcome, reason, updated
      case lastFinishedRound = "last_finished_round"
    }
  }

  private struct Line: Decodable {
    let event: String
    let time: String
    let job: String?
    let rounds: Int?
    let round: Int?
    let phase: String?
    let site: Int?
    let file: String?
    let outcome: String?
    let reason: String?
  }

  func run() throws {
    let path = "\(state)/\(EventLog.fileName)"
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw CoordinatorError(.file, "cannot read \(path)", hint: "give the state directory of a job with --state")
    }
    let status = Self.read(bytes)
    if json { return try JSONOutput.object(status) }
    Output.line("job          \(status.job ?? "?")\(status.outcome.map { ": \($0), \(status.reason ?? "")" } ?? "")")
    Output.line(
      "round        \(status.round.map(String.init) ?? "-") of \(status.rounds.map(String.init) ?? "?")"
        + (status.phase.map { ", \($0)" } ?? "")
    )
    Output.line("connected    \(status.connected.isEmpty ? "none" : status.connected.map(String.init).joined(separator: ", "))")
    Output.line("weights      \(status.weights ?? "the first")")
    Output.line("updated      \(status.updated ?? "-")")
  }

  static func read(_ bytes: Data) -> Status {
    var status = Status(connected: [])
    var connected: Set<Int> = []
    let decoder = JSONDecoder()
    for text in bytes.split(separator: 10) {
      guard let line = try? decoder.decode(Line.self, from: text) else { continue }
      status.updated = line.time
      switch line.event {
      case "job_started":
        (status.job, status.rounds, status.outcome, status.reason) = (line.job, line.rounds, nil, nil)
        connected = []
      case "site_connected": line.site.map { _ = connected.insert($0) }
      case "site_disconnected": line.site.map { _ = connected.remove($0) }
      case "round_started": (status.round, status.phase) = (line.round, nil)
      case "phase": status.phase = line.phase
      case "round_finished":
        (status.lastFinishedRound, status.phase) = (line.round, "done")
        status.weights = line.file ?? status.weights
      case "job_finished":
        (status.outcome, status.reason) = (line.outcome, line.reason)
        connected = []
      default: break
      }
    }
    status.connected = connected.sorted()
    return status
  }
}
