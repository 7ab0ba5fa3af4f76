// Drives a job: waits for sites, makes each round's plan, runs the server's session with a deadline on every wait, applies the sum, saves
// the weights, and goes on until the rounds are done or a reason to stop has a name. One actor on a thread of its own, because the sums are
// computed here; its handlers never wait, so events and deadlines take effect in the order in which they come.
import Federation
import Foundation
import Logging
import Safetensors
import SecAgg
import Sodium
import Transport
import TransportServer

/// How a job ended.
public enum JobOutcome: Sendable, Equatable {
  case finished
  /// Stopped from outside; another run with the same state goes on.
  case stopped(reason: String)
  case failed(CoordinatorError)
}

public actor RoundDriver {
  enum State {
    case idle
    /// Between attempts, until enough sites are there.
    case gathering
    case running(RunningAttempt)
    case ended
  }

  nonisolated let executor = ThreadExecutor(name: "rounds")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  let setup: JobSetup
  let hub: any SiteHub
  let timers: TimerSource
  let logger: Logger
  let events: EventLog
  let journal: AttemptJournal
  let spools: SpoolPool
  let configuration: [UInt8]
  var weights: JobWeights
  var state = State.idle
  /// The attempt that ended last.
  var ended: RunningAttempt?
  var round: UInt32 = 0
  var failedAttempts = 0
  var connected: Set<UInt32> = []
  /// When each site was last in a cohort, to know for whom a round should wait.
  var lastSeenRound: [UInt32: UInt32] = [:]
  /// Sites whose own signed messages convict them.
  var excluded: Set<SiteID> = []
  var transfers: [UInt32: (id: UInt64, task: Task<Void, Never>)] = [:]
  var transferCount: UInt64 = 0
  var gatherTimers: [@Sendable () -> Void] = []
  var joinWindowPassed = false
  private var outcome: JobOutcome?
  private var waiting: CheckedContinuation<JobOutcome, Never>?

  /// Opens or begins the job in its state directory.
  /// - Parameter echo: gets every line of the event log.
  /// - Throws: ``CoordinatorError``.
  public init(
    _ setup: JobSetup, hub: any SiteHub, timers: TimerSource = .wallClock, logger: Logger,
    echo: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(CoordinatorError) {
    (self.setup, self.hub, self.timers, self.logger) = (setup, hub, timers, logger)
    configuration = setup.plan.encoded()
    journal = try AttemptJournal(directory: setup.stateDirectory)
    spools = SpoolPool(folder: setup.stateDirectory)
    events = try EventLog(path: setup.stateDirectory + "/" + EventLog.fileName, echo: echo)
    weights = try Self.openWeights(setup, journal)
  }

  /// The weights that the next round starts from, and the checks that this state belongs to this job.
  private static func openWeights(_ setup: JobSetup, _ journal: AttemptJournal) throws(CoordinatorError) -> JobWeights {
    let folder = setup.stateDirectory + "/weights"
    do {
      try setup.plan.validate()
    } catch {
      throw CoordinatorError(.badJob, error.reason, hint: "change federated.yaml")
    }
    guard let job = journal.job else {
      var weights = try JobWeights(path: setup.weightsPath, folder: folder)
      guard weights.digest == setup.plan.initialWeightsDigest else {
        throw CoordinatorError(.weights, "\(setup.weightsPath) changed while the job was set up", hint: "start again")
      }
      try weights.saveInitial()
      try journal.record(.jobBegun(job: setup.plan.name, configuration: setup.plan.digest, weights: weights.digest))
      return weights
    }
    guard job == AttemptJournal.Job(name: setup.plan.name, configuration: setup.plan.digest, weights: setup.plan.initialWeightsDigest)
    else {
      throw CoordinatorError(
        .otherJob, "\(setup.stateDirectory) holds job \"\(job.name)\" with another configuration or other first weights",
        hint: "keep federated.yaml and --weights as they were, or give the new job another name and --state directory")
    }
    let last = journal.lastRound
    func saved(round: UInt32, digest: [UInt8]) throws(CoordinatorError) -> JobWeights {
      let weights = try JobWeights(path: folder + "/" + JobWeights.fileName(round: round), folder: folder)
      guard weights.digest == digest else {
        throw CoordinatorError(.stateDamaged, "\(weights.path) is not the file that was saved there", hint: "restore it from a backup")
      }
      return weights
    }
    var weights = try saved(round: last?.round ?? 0, digest: last?.weights ?? job.weights)
    if let last, let before = journal.weightsBefore, setup.plan.serverMomentum(round: last.round + 1) > 0 {
      weights.remember(try saved(round: last.round - 1, digest: before))
    }
    return weights
  }

  /// Writes down where the server listens.
  public func announce(host: String, port: Int) { events.write("listening", ["host": .text(host), "port": .integer(port)]) }

  /// Runs the job to its end.
  /// - Parameter serverEvents: what the transport reports.
  public func run(_ serverEvents: some AsyncSequence<ServerEvent, Never> & Sendable) async -> JobOutcome {
    begin()
    let pump = Task {
      for await event in serverEvents { self.handle(event) }
      self.stop(reason: "the server's transport ended")
    }
    defer { pump.cancel() }
    return await withCheckedContinuation { continuation in
      if let outcome { continuation.resume(returning: outcome) } else { waiting = continuation }
    }
  }

  /// Ends the job so that another run can go on with it. Sites keep trying to connect.
  public func stop(reason: String) { end(.stopped(reason: reason)) }

  private func begin() {
    round = journal.lastRound.map { $0.round + 1 } ?? (journal.census == nil ? setup.plan.firstRound : 1)
    let plan = setup.plan
    events.write(
      "job_started",
      [
        "job": .text(plan.name), "rounds": .integer(plan.rounds), "first_round": .integer(Int(round)),
        "sites_in_roster": .integer(setup.roster.siteKeys.count), "colluders": .integer(setup.roster.colluders),
        "minimum_sites": .integer(setup.settings.sitesNeeded(colluders: setup.roster.colluders)),
        "privacy": .text(plan.privacy?.unit.rawValue ?? "none"),
        "guarantee": .text(plan.privacy?.guarantee ?? "no formal guarantee"),
        "resumed": .flag(journal.lastRound != nil || journal.census != nil),
      ])
    if round > plan.rounds { return end(.finished) }
    gather()
  }

  /// Ends the job, once.
  func end(_ result: JobOutcome) {
    guard outcome == nil else { return }
    outcome = result
    if case .running(let attempt) = state { attempt.cancelTimers() }
    cancelGathering()
    for transfer in transfers.values { transfer.task.cancel() }
    state = .ended
    var fields: [String: EventValue] = [
      "job": .text(setup.plan.name), "round": .integer(Int(journal.lastRound?.round ?? 0)), "weights": .hexadecimal(weights.digest),
      "file": .text(weights.path), "code": .null,
    ]
    switch result {
    case .finished:
      fields.merge(["outcome": "finished", "reason": "all rounds are done"]) { $1 }
      tellAll(.finished(reason: JobEnding.finished))
    case .stopped(let reason):
      fields.merge(["outcome": "stopped", "reason": .text(reason)]) { $1 }
    case .failed(let error):
      fields.merge(["outcome": "failed", "reason": .text(error.reason), "code": .text(error.code.rawValue)]) { $1 }
      tellAll(.finished(reason: JobEnding.failedPrefix + error.reason))
    }
    events.write("job_finished", fields)
    waiting?.resume(returning: result)
    waiting = nil
  }

  func tellAll(_ frame: ServerFrame) {
    for site in connected.sorted() { try? hub.send(frame, to: site) }
  }

  func name(_ site: UInt32) -> String { setup.siteNames[SiteID(site)] ?? "site-\(site)" }
}
