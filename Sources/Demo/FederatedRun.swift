// The federated part of the demo: a server and one client a site as separate processes, exactly as a consortium would start them. One site
// is killed while its round waits for masked inputs, comes back in the next round, and everything is read from the server's event log.
import CommandLineKit
import Foundation

/// What one training round was, as the report shows it.
struct RoundRecord: Sendable {
  var round: Int
  var attempts = 1
  var survivors: [Int] = []
  var dropped: [Int] = []
  var seconds = 0.0
  var secureAggregationSeconds = 0.0
  var bytesUp: [Int] = []
  var bytesDown: [Int] = []
  var score: Score?
  /// What all sums so far cost; nil without noise.
  var epsilon: Double?
}

/// A site that vanished and what became of it, for the report's account.
struct DropRecord: Sendable {
  var site: Int
  var round: Int
  var killedInPhase: String
  var returnedInRound: Int?
}

final class FederatedRun {
  struct Commands {
    var server: (program: String, arguments: [String])
    /// By site number, from 1.
    var clients: [Int: (program: String, arguments: [String])]
    /// Site number by index in the roster, which is what events name.
    var numbers: [Int: Int]
    /// Prints one JSON object with `map50` and `map` of a weights file.
    var evaluate: (_ weights: String) -> (program: String, arguments: [String])
    var eventLog: String
    /// What `file` of an event is relative to.
    var stateFolder: String
    var logFolder: String
  }

  private let commands: Commands
  private let plan: DemoPlan
  private var toKill: [(round: Int, site: Int)]
  private var clients: [Int: ChildProcess] = [:]
  private var records: [Int: RoundRecord] = [:]
  private(set) var drops: [DropRecord] = []
  private var pendingReturn: [Int] = []
  private var evaluations: [(round: Int, file: String)] = []
  private var evaluating: (round: Int, child: ChildProcess, output: String)?
  private var outcome: (finished: Bool, reason: String)?
  private let table: LiveTable
  private let baseline: Score?

  init(commands: Commands, plan: DemoPlan, kill: [(round: Int, site: Int)], centralised: Score?) {
    (self.commands, self.plan, toKill, baseline) = (commands, plan, kill, centralised)
    table = LiveTable([
      .init("round", .right, width: 7), .init("phase", width: 13), .init("in sum", .right, width: 7), .init("vanished", width: 10),
      .init("mAP@0.5", .right, width: 8), .init("mAP@.5:.95", .right, width: 10), .init("up/site", .right, width: 9),
      .init("masking s", .right, width: 9), .init("round s", .right, width: 8),
    ])
  }

  /// Runs the job to its end; the rounds in order, census left out.
  func run() async throws -> [RoundRecord] {
    let server = try start("secagg-server", commands.server)
    var reader = EventReader(path: commands.eventLog)
    defer { ChildProcess.killAll() }
    try await waitUntilListening(server, &reader)
    for site in commands.clients.keys.sorted() { try startClient(site) }

    while outcome == nil || evaluating != nil || !evaluations.isEmpty {
      for event in reader.next() { try handle(event) }
      try await advanceEvaluation()
      if outcome == nil, let status = server.exitStatus() {
        for event in reader.next() { try handle(event) }
        if outcome == nil {
          throw ChildFailure(program: "secagg-server", reason: "ended with status \(status)", lastLines: server.lastLines())
        }
      }
      try reportDeadClients()
      try await Task.sleep(for: .milliseconds(100))
    }
    for client in clients.values { await client.stop() }
    await server.stop()
    guard let outcome, outcome.finished else {
      throw ChildFailure(program: "secagg-server", reason: outcome?.reason ?? "no outcome", lastLines: server.lastLines())
    }
    return records.values.filter { $0.round > 0 }.sorted { $0.round < $1.round }
  }

  private func start(_ name: String, _ command: (program: String, arguments: [String])) throws -> ChildProcess {
    try ChildProcess(name: name, program: command.program, arguments: command.arguments, logPath: commands.logFolder + "/\(name).log")
  }

  private func startClient(_ site: Int) throws {
    guard let command = commands.clients[site] else { return }
    clients[site] = try start("site-\(site)", command)
  }

  private func waitUntilListening(_ server: ChildProcess, _ reader: inout EventReader) async throws {
    for _ in 0..<300 {
      if reader.next().contains(where: { $0.event == "listening" }) { return }
      if let status = server.exitStatus() {
        throw ChildFailure(
          program: "secagg-server", reason: "ended with status \(status) before it listened", lastLines: server.lastLines())
      }
      try await Task.sleep(for: .milliseconds(100))
    }
    throw ChildFailure(program: "secagg-server", reason: "did not listen within 30 s", lastLines: server.lastLines())
  }

  /// A client that ended by itself while the job runs is an error worth showing, not a dropout of the plan.
  private func reportDeadClients() throws {
    guard outcome == nil else { return }
    for (site, client) in clients {
      guard let status = client.exitStatus(), status != 0 else { continue }
      throw ChildFailure(program: "secagg-client of site \(site)", reason: "ended with status \(status)", lastLines: client.lastLines())
    }
  }
}

extension FederatedRun {
  private func handle(_ event: ServerEvent) throws {
    let round = event.round ?? 0
    switch event.event {
    case "round_started" where event.kind == "training":
      records[round, default: RoundRecord(round: round)].attempts = (event.attempt ?? 0) + 1
      for site in numbered(event.sites) {
        if let index = drops.firstIndex(where: { $0.site == site && $0.returnedInRound == nil && $0.round < round }) {
          drops[index].returnedInRound = round
        }
      }
      show(round, phase: "training")
    case "phase":
      guard records[round] != nil, let phase = event.phase else { return }
      show(round, phase: phase)
      if phase == "masked_input" { killSites(in: round, phase: phase) }
    case "round_aborted":
      table.note("round \(round): attempt \((event.attempt ?? 0) + 1) ended: \(event.reason ?? "no reason given")")
    case "round_finished":
      try finish(round, event)
    case "job_finished":
      outcome = (event.outcome == "finished", event.reason ?? event.outcome ?? "")
    default: return
    }
  }

  private func numbered(_ indices: [Int]?) -> [Int] { (indices ?? []).compactMap { commands.numbers[$0] } }

  private func killSites(in round: Int, phase: String) {
    for victim in toKill where victim.round == round {
      guard let client = clients.removeValue(forKey: victim.site) else { continue }
      client.signal(SIGKILL)
      drops.append(DropRecord(site: victim.site, round: round, killedInPhase: phase, returnedInRound: nil))
      pendingReturn.append(victim.site)
      table.note("        site \(victim.site) is killed while round \(round) waits for masked inputs")
    }
    toKill.removeAll { $0.round == round }
  }

  private func finish(_ round: Int, _ event: ServerEvent) throws {
    guard event.kind == "training" else { return }
    var record = records[round] ?? RoundRecord(round: round)
    record.survivors = numbered(event.survivors)
    record.dropped = numbered(event.dropped)
    record.seconds = event.seconds?["total"] ?? 0
    record.secureAggregationSeconds = event.secureAggregationSeconds ?? 0
    record.epsilon = event.epsilon
    let summed = Set((event.survivors ?? []).map(String.init))
    record.bytesUp = (event.bytesUp ?? [:]).filter { summed.contains($0.key) }.map(\.value)
    record.bytesDown = (event.bytesDown ?? [:]).filter { summed.contains($0.key) }.map(\.value)
    records[round] = record
    if !plan.isMeasured(after: round) {
      if !record.dropped.isEmpty { commit(round) }
    } else if let file = event.file {
      evaluations.append((round, file.hasPrefix("/") ? file : commands.stateFolder + "/" + file))
    }
    for site in pendingReturn { try startClient(site) }
    pendingReturn = []
  }

  /// Measures saved weights one file after the other, beside the training.
  private func advanceEvaluation() async throws {
    if let current = evaluating, let status = current.child.exitStatus() {
      guard status == 0, let text = try? Data(contentsOf: URL(fileURLWithPath: current.output)),
        let score = try? JSONDecoder().decode(Score.self, from: text)
      else {
        throw ChildFailure(program: "secagg val", reason: "ended with status \(status)", lastLines: current.child.lastLines())
      }
      records[current.round]?.score = score
      evaluating = nil
      commit(current.round)
    }
    if evaluating == nil, !evaluations.isEmpty {
      let next = evaluations.removeFirst()
      let command = commands.evaluate(next.file)
      let output = commands.logFolder + "/val-\(next.round).json"
      let child = try ChildProcess(
        name: "val", program: command.program, arguments: command.arguments, outputPath: output, logPath: commands.logFolder + "/val.log")
      evaluating = (next.round, child, output)
    }
  }

  private func show(_ round: Int, phase: String) {
    table.show(["\(round)/\(plan.rounds)", phase.replacingOccurrences(of: "_", with: " ")])
  }

  private func commit(_ round: Int) {
    guard let record = records[round] else { return }
    table.commit([
      "\(round)/\(plan.rounds)", "done", "\(record.survivors.count) of \(plan.sites)",
      record.dropped.map(String.init).joined(separator: ", "), record.score.map { Text.fixed($0.map50, 3) } ?? "",
      record.score.map { Text.fixed($0.map, 3) } ?? "",
      Text.bytes(record.bytesUp.max() ?? 0), Text.fixed(record.secureAggregationSeconds, 2), Text.fixed(record.seconds, 1),
    ])
  }
}
