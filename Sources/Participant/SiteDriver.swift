// Drives a site: keeps to its policy and journal, trains while the protocol's first phases run, and carries out what the session asks for
// strictly in order, each durable record before what follows it. One actor on a thread of its own: it masks, encodes and syncs files.
import Federation
import Foundation
import Logging
import SecAgg
import Sodium
import Transport

/// How a job ended for a site.
public enum SiteOutcome: Sendable, Equatable {
  /// The server said so.
  case finished
  /// The server ended the job with this reason.
  case jobFailed(reason: String)
  /// Stopped from outside, or the connection was given up; the transport says why.
  case disconnected
}

/// Everything that a site is.
public struct SiteSetup: Sendable {
  public var site: SiteID
  public var identity: Ed25519.SigningKey
  public var roster: RosterView
  public var rosterSerial: UInt64
  public var policy: SitePolicy
  public var trainer: TrainerProcess
  /// Path of the site's `data.yaml`.
  public var data: String
  /// Holds the journal, job directories and the optimiser's state.
  public var stateDirectory: String
  /// Threads that the trainer may use.
  public var threads: Int
  /// Pieces of masked inputs, bytes.
  public var chunkBytes = 1 << 20

  public init(
    site: SiteID, identity: Ed25519.SigningKey, roster: RosterView, rosterSerial: UInt64, policy: SitePolicy, trainer: TrainerProcess,
    data: String, stateDirectory: String, threads: Int
  ) {
    (self.site, self.identity, self.roster, self.rosterSerial) = (site, identity, roster, rosterSerial)
    (self.policy, self.trainer, self.data, self.stateDirectory, self.threads) = (policy, trainer, data, stateDirectory, threads)
  }
}

public actor SiteDriver {
  /// One attempt at this site.
  final class Attempt {
    let plan: RoundPlan
    let session: SiteSession
    var isAccepted = false
    var isProvided = false
    /// Ended at this site: by a sum, a refusal, or a failure.
    var isOver = false
    init(plan: RoundPlan, session: SiteSession) {
      self.plan = plan
      self.session = session
    }
  }

  nonisolated let executor = ThreadExecutor(name: "site")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  let setup: SiteSetup
  let link: any SiteLink
  let journal: Journal
  let logger: Logger
  let gate: PolicyGate
  var job: JobPlan?
  var attempt: Attempt?
  var work: LocalWork?
  /// The weights that came last: a census and the first round share theirs.
  var lastWeights: GlobalWeights?
  private var queue: [(attempt: Attempt, action: SiteAction)] = []
  private var isDraining = false
  var saidGoodbye = false
  private var outcome: Result<SiteOutcome, ParticipantError>?

  /// Opens the site's journal.
  /// - Throws: ``ParticipantError``.
  public init(_ setup: SiteSetup, link: any SiteLink, logger: Logger) throws(ParticipantError) {
    try SiteFiles.makeFolder(setup.stateDirectory)
    journal = try Journal(directory: setup.stateDirectory)
    guard setup.rosterSerial >= journal.highestRosterSerial else {
      throw ParticipantError(
        .roster, "the roster has serial \(setup.rosterSerial), and this site has seen serial \(journal.highestRosterSerial)",
        hint: "get the consortium's newest roster")
    }
    try journal.record(.rosterSeen(serial: setup.rosterSerial))
    (self.setup, self.link, self.logger) = (setup, link, logger)
    gate = PolicyGate(policy: setup.policy)
    if journal.tornBytes > 0 { logger.notice("the journal's last entry was half written, as a crash leaves it; it was cut") }
  }

  /// Serves until the job ends, the connection is given up, or the site itself cannot go on.
  /// - Throws: ``ParticipantError``: why the site left.
  public func run(_ events: some AsyncSequence<SiteConnectionEvent, Never> & Sendable) async throws(ParticipantError) -> SiteOutcome {
    for await event in events {
      await handle(event)
      if outcome != nil { break }
    }
    work?.cancel()
    await waitForTrainer()
    guard let outcome else { return .disconnected }
    return try outcome.get()
  }

  /// The trainer's processes are gone before this process is.
  private func waitForTrainer() async {
    if let work, case .training(let task) = work.stage { await task.value }
  }

  func handle(_ event: SiteConnectionEvent) async {
    switch event {
    case .connected(let name, let configuration): await connected(name, configuration)
    case .disconnected(let error, let delay):
      logger.notice("not connected: \(error.reason)", metadata: ["retry": "\(delay.map { "\($0)" } ?? "never")"])
    case .frame(.message(let bytes)): await receive(bytes)
    case .frame(.weightsChunk(let digest, let index, let count, let bytes)): await receiveWeights(digest, index, count, bytes)
    case .frame(.released(let round, _)): logger.info("round \(round) is released")
    case .frame(.refusal(let code, let reason)): logger.error("the server refuses this site: \(reason)", metadata: ["code": "\(code)"])
    case .frame(.finished(let reason)):
      outcome = .success(reason == JobEnding.finished ? .finished : .jobFailed(reason: reason))
    case .frame(.welcome): break
    }
  }

  private func connected(_ name: String, _ configuration: [UInt8]) async {
    saidGoodbye = false
    do throws(ParticipantError) {
      let job: JobPlan
      do {
        job = try JobPlan.decode(configuration)
      } catch {
        throw ParticipantError(.serverMisbehaves, "the server's job plan is unusable: \(error.reason)", hint: "tell the server's operator")
      }
      try gate.admit(job: job, named: name, colluders: setup.roster.colluders, journal: journal)
      if self.job != job {
        logger.notice("connected: job \(job.name), \(job.model), \(job.rounds) rounds")
      } else {
        logger.notice("connected again")
      }
      self.job = job
    } catch {
      return await leave(error)
    }
    // What was on its way when the connection broke is asked for again; the protocol's messages the server repeats by itself.
    if let work, case .downloading = work.stage { await requestWeights(work) }
  }

  /// Ends the driver: the site cannot or will not go on.
  func leave(_ error: ParticipantError) async {
    guard outcome == nil else { return }
    outcome = .failure(error)
    attempt?.isOver = true
    queue = []
    await link.close(reason: "\(error.code.rawValue): the site leaves the job")
  }

  // MARK: messages and actions

  private func receive(_ bytes: [UInt8]) async {
    if let plan = SiteSession.plan(in: bytes, roster: setup.roster), plan.context != attempt?.plan.context {
      let session = SiteSession(
        site: setup.site, identity: setup.identity, roster: setup.roster, minimumHonest: setup.policy.minimumHonest)
      session.workers = .allCores
      let next = Attempt(plan: plan, session: session)
      if journal.attempt(context: plan.context) == nil {
        end(attempt)
        attempt = next
      }
      // A context from before a restart gets its refusal without touching what runs now.
      return await carryOut(session.receive(bytes), of: next)
    }
    guard let attempt, !attempt.isOver else {
      // The server goes on with an attempt whose secrets are gone: it must not wait for this site.
      guard attempt == nil || attempt?.session.phase != .done, !saidGoodbye else { return }
      return await sayGoodbye("this site has no part in the attempt any more")
    }
    await carryOut(attempt.session.receive(bytes), of: attempt)
  }

  /// Destroys the secrets of an attempt that another one replaces.
  private func end(_ old: Attempt?) {
    guard let old, !old.isOver else { return }
    old.isOver = true
    _ = old.session.refuse(Refusal(.over, "another attempt began"))
  }

  /// Carries out actions in order. A call during another only queues: order holds across calls, and nothing runs beside a record.
  func carryOut(_ actions: [SiteAction], of attempt: Attempt) async {
    queue += actions.map { (attempt, $0) }
    guard !isDraining else { return }
    isDraining = true
    defer { isDraining = false }
    while !queue.isEmpty {
      let (owner, action) = queue.removeFirst()
      await perform(action, of: owner)
    }
  }

  private func perform(_ action: SiteAction, of attempt: Attempt) async {
    switch action {
    case .consider(let plan): consider(plan, attempt)
    case .send(let bytes): await send(.message(bytes))
    case .persist(let record):
      do {
        try persist(record, attempt)
      } catch {
        // What the record was to permit must not happen: nothing behind it is carried out.
        queue.removeAll { $0.attempt === attempt }
        attempt.isOver = true
        let words = attempt.session.refuse(Refusal(.policy, "the site's journal does not permit it"))
        for case .send(let bytes) in words { await send(.message(bytes)) }
        logger.error("\(error.reason)")
        if error.code != .journalForbids { await leave(error) }
      }
    case .sendInput(let header, let payload): await sendInput(header, payload, attempt)
    case .evidence(let evidence): keep(evidence)
    case .completed:
      attempt.isOver = true
      logger.notice("round \(attempt.plan.round) is done")
    case .aborted(let refusal):
      attempt.isOver = true
      logger.warning(
        "round \(attempt.plan.round) attempt \(attempt.plan.attempt) is over for this site: \(refusal.reason)",
        metadata: ["code": "\(refusal.code.rawValue)"])
    }
    if case .persist(.contextUsed) = action, !attempt.isOver { await begin(attempt) }
  }

  private func keep(_ evidence: Evidence) {
    do {
      let folder = EvidenceFolder(stateDirectory: setup.stateDirectory)
      guard let kept = try folder.keep(evidence, setup.roster) else {
        return logger.error("\(folder.path(of: evidence)) is full: evidence is not kept")
      }
      logger.critical("\(kept.verdict.finding); give \(kept.path) to the consortium", metadata: ["code": "\(kept.verdict.claim.rawValue)"])
    } catch { logger.error("evidence is not kept: \(error)") }
  }

  private func consider(_ plan: RoundPlan, _ attempt: Attempt) {
    var actions: [SiteAction]
    do throws(Refusal) {
      guard let job else { throw Refusal(.policy, "a plan before the server's welcome") }
      let kept = work.flatMap { $0.key == key(plan) ? $0.encoded?.mechanism : nil }
      let permission = try gate.consider(
        plan, job: job, journal: journal, keptMechanism: kept, isPaid: isPaid(plan), minute: Self.minuteOfDay())
      actions = attempt.session.accept(onlySurvivors: permission.onlySurvivors)
      attempt.isAccepted = true
      logger.notice("round \(plan.round) attempt \(plan.attempt): accepted with \(plan.sites.count) sites, threshold \(plan.threshold)")
    } catch {
      actions = attempt.session.refuse(error)
    }
    queue.insert(contentsOf: actions.map { (attempt, $0) }, at: 0)
  }

  /// Whether the input for a plan comes of a training that was paid for: of noised steps only, for other noise is drawn for each attempt.
  private func isPaid(_ plan: RoundPlan) -> Bool {
    guard job?.recordMechanism != nil, let work, work.key == key(plan) else { return false }
    return work.isPaid
  }

  private static func minuteOfDay() -> Int {
    let now = Calendar(identifier: .gregorian).dateComponents([.hour, .minute], from: Date())
    return (now.hour ?? 0) * 60 + (now.minute ?? 0)
  }

  private func persist(_ record: SiteRecord, _ attempt: Attempt) throws(ParticipantError) {
    switch record {
    case .contextUsed(let context):
      guard let job else { throw ParticipantError(.serverMisbehaves, "an attempt without a job", hint: "report this as a bug") }
      let plan = attempt.plan
      try journal.record(.jobPinned(job: job.name, weights: job.initialWeightsDigest, configuration: job.digest))
      try journal.record(
        .contextUsed(
          job: plan.job, round: plan.round, attempt: plan.attempt, kind: RoundKind(round: plan.round).rawValue, context: context,
          weights: plan.weightsDigest))
    case .inputSent(let context, let digest):
      if let charge = job?.charge(for: attempt.plan), !isPaid(attempt.plan) {
        try journal.record(.charged(context: context, charge: charge))
        if let work {
          work.isPaid = true
          work.unpaidFiles?.keepOptimizerState()
          work.unpaidFiles = nil
        }
      }
      try journal.record(.inputSent(context: context, digest: digest))
    case .survivorsSigned(let context, let survivors, let hash):
      try journal.record(.survivorsSigned(context: context, survivors: survivors.map(\.rawValue), hash: hash))
    case .revealed(let context): try journal.record(.revealed(context: context))
    }
  }
}
