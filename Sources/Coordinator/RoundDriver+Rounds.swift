// Between attempts: who is there, when a round may begin, with which plan; and what follows from its end.
import Federation
import SecAgg
import Sodium
import Transport

extension RoundDriver {
  /// For how many rounds a round waits for a site that is away.
  private static let roundsExpectedBack: UInt32 = 2

  /// Waits for sites, for the join window and up to the deadline.
  func gather() {
    state = .gathering
    joinWindowPassed = false
    cancelGathering()
    let (now, settings) = (round, setup.settings)
    gatherTimers = [
      timers.schedule(settings.joinWindow) { [weak self] in await self?.joinWindowEnded(round: now) },
      timers.schedule(settings.sitesDeadline) { [weak self] in await self?.sitesDeadlinePassed(round: now) },
    ]
    tryToStart()
    if case .gathering = state {
      events.write(
        "waiting_for_sites",
        [
          "connected": list(available), "needed": .integer(settings.sitesNeeded(colluders: setup.roster.colluders)),
          "round": .integer(Int(round)),
        ])
    }
  }

  func cancelGathering() {
    for cancel in gatherTimers { cancel() }
    gatherTimers = []
  }

  private func joinWindowEnded(round expected: UInt32) {
    guard case .gathering = state, round == expected else { return }
    joinWindowPassed = true
    tryToStart()
  }

  private func sitesDeadlinePassed(round expected: UInt32) {
    guard case .gathering = state, round == expected else { return }
    let needed = setup.settings.sitesNeeded(colluders: setup.roster.colluders)
    end(
      .failed(
        CoordinatorError(
          .tooFewSites, "round \(round) needs \(needed) sites; \(available.count) were connected within \(setup.settings.sitesDeadline)",
          hint: "start the missing sites, then start the server again: it goes on with this round")))
  }

  private var available: [SiteID] {
    connected.map { SiteID($0) }.filter { setup.roster.siteKeys[$0] != nil && !excluded.contains($0) }.sorted()
  }

  /// Begins an attempt once everyone who is expected is there, or enough are and the window for the others is over.
  func tryToStart() {
    guard case .gathering = state else { return }
    let there = available
    guard there.count >= setup.settings.sitesNeeded(colluders: setup.roster.colluders) else { return }
    let missing = setup.roster.siteKeys.keys.filter { !there.contains($0) && !excluded.contains($0) }
    let awaited = missing.contains { round <= lastSeenRound[$0.rawValue, default: round] + Self.roundsExpectedBack }
    guard joinWindowPassed || !awaited else { return }
    cancelGathering()
    startAttempt(setup.settings.cohort(of: there, colluders: setup.roster.colluders))
  }

  private func startAttempt(_ chosen: (sites: [SiteID], minimumSurvivors: Int?, isSparse: Bool)) {
    let cohort = chosen.sites
    let kind = RoundKind(round: round)
    let reference = journal.census.map { JobPlan.samplesReference(total: $0.samples, sites: Int($0.survivors)) } ?? 1
    var plan = RoundPlan(
      job: setup.plan.name, round: round, attempt: journal.nextAttempt(round: round), roster: setup.roster, sites: cohort,
      minimumSurvivors: chosen.minimumSurvivors, isSparse: chosen.isSparse, weightsDigest: weights.digest,
      configurationDigest: setup.plan.digest, sections: [], mechanism: [])
    let (session, mechanism): (ServerSession, Mechanism)
    do {
      mechanism = try setup.plan.mechanism(kind: kind, of: plan, samplesReference: reference)
      plan.sections = setup.plan.sections(kind: kind, mechanism: mechanism)
      plan.mechanism = mechanism.encoded()
      session = try ServerSession(plan: plan, roster: setup.roster, signingKey: setup.signingKey)
    } catch {
      return end(
        .failed(
          CoordinatorError(.badJob, "round \(round): \(error.reason) (\(error.code.rawValue))", hint: "change federated.yaml or the roster")
        ))
    }
    session.workers = .allCores
    session.makeSpool = { [spools] bytes in spools.spool(bytes) }
    let attempt = RunningAttempt(plan: plan, mechanism: mechanism, session: session)
    do {
      try requireBudget(attempt)
      try journal.record(.attemptBegun(round: plan.round, attempt: plan.attempt, context: attempt.context))
    } catch {
      return end(.failed(error))
    }
    state = .running(attempt)
    for site in cohort { lastSeenRound[site.rawValue] = round }
    events.write(
      "round_started",
      [
        "round": .integer(Int(round)), "attempt": .integer(Int(plan.attempt)), "kind": .text(kind.name), "sites": list(cohort),
        "threshold": .integer(plan.threshold), "weights": .hexadecimal(weights.digest), "context": .hexadecimal(attempt.context),
      ])
    perform(session.start(), in: attempt)
  }

  /// The attempt gave a sum: the weights move on.
  func finish(_ attempt: RunningAttempt, _ sum: RoundSum) {
    attempt.cancelTimers()
    ended = attempt
    let update: MeanUpdate
    do {
      update = try decode(attempt, sum)
      #if SECAGG_ORACLE
        try SumOracle.fromEnvironment?.recordSum(
          round: attempt.plan.round, attempt: attempt.plan.attempt, survivors: sum.survivors, layout: attempt.plan.sections,
          sections: sum.sections)
      #endif
      try moveOn(attempt, sum, update)
    } catch let error as CoordinatorError {
      return end(.failed(error))
    } catch {
      // Its sum was released: the round cannot be tried again on the same weights.
      let reason = (error as? EncodingError)?.reason ?? "\(error)"
      return end(
        .failed(CoordinatorError(.badSum, "the sum of round \(round) is unusable: \(reason)", hint: "a site may be poisoning updates")))
    }
    writeFinished(attempt, sum, update)
    failedAttempts = 0
    tellAll(.released(round: round, weightsDigest: weights.digest))
    round += 1
    if round > setup.plan.rounds { end(.finished) } else { gather() }
  }

  private func decode(_ attempt: RunningAttempt, _ sum: RoundSum) throws -> MeanUpdate {
    switch attempt.mechanism {
    case .plain(let encoding):
      return try UpdateDecoder(encoding).decode(
        sum: sum.sections, layout: attempt.plan.sections, survivors: sum.survivors.count,
        globalStatistics: attempt.kind == .training ? weights.statistics : [])
    case .noised(let encoding):
      var update = try NoisedUpdateDecoder(encoding).decode(
        sum: sum.sections, survivors: sum.survivors.count, context: attempt.context)
      if setup.plan.sumsGradients {
        update.parameters = setup.plan.gradientStep(
          mean: update.parameters, weights: weights.parameters, layout: weights.layout, round: attempt.plan.round)
      }
      return update
    }
  }

  private func moveOn(_ attempt: RunningAttempt, _ sum: RoundSum, _ update: MeanUpdate) throws {
    switch attempt.kind {
    case .census:
      let samples = update.counts[ScalarSpec.samples.name] ?? 0
      guard samples > 0 else { throw CoordinatorError(.badSum, "the sites have no samples", hint: "check the sites' data sets") }
      try journal.record(.censusFinished(samples: samples, survivors: UInt32(sum.survivors.count)))
    case .training:
      try weights.apply(
        update, momentum: setup.plan.serverMomentum(round: attempt.plan.round), keepsStatistics: setup.plan.privacy != nil,
        round: attempt.plan.round, job: setup.plan.name)
      try journal.record(.roundFinished(round: attempt.plan.round, weights: weights.digest))
    }
  }

  private func writeFinished(_ attempt: RunningAttempt, _ sum: RoundSum, _ update: MeanUpdate) {
    let (seconds, aggregation) = attempt.record.finished()
    let samples = update.counts[ScalarSpec.samples.name].map { EventValue.integer(Int(clamping: $0)) } ?? .null
    events.write(
      "round_finished",
      [
        "round": .integer(Int(attempt.plan.round)), "attempt": .integer(Int(attempt.plan.attempt)), "kind": .text(attempt.kind.name),
        "survivors": list(sum.survivors), "dropped": list(attempt.plan.sites.filter { !sum.survivors.contains($0) }),
        "seconds": seconds, "secure_aggregation_seconds": aggregation, "bytes_up": AttemptRecord.bytes(attempt.record.bytesUp),
        "bytes_down": AttemptRecord.bytes(attempt.record.bytesDown), "samples": samples,
        "metrics": .object(update.means.mapValues { .number($0) }), "weights": .hexadecimal(weights.digest),
        "file": attempt.kind == .training ? .text(weights.path) : .null, "epsilon": epsilonSpent.map { .number($0) } ?? .null,
      ])
  }

  /// The attempt ended without a sum: another one, or the end of the job.
  func abort(_ attempt: RunningAttempt, _ refusal: Refusal) {
    attempt.cancelTimers()
    ended = attempt
    failedAttempts += 1
    if let culprit = refusal.culprit { excluded.insert(culprit) }
    let retry = failedAttempts < setup.settings.attemptsMax
    events.write(
      "round_aborted",
      [
        "round": .integer(Int(attempt.plan.round)), "attempt": .integer(Int(attempt.plan.attempt)), "reason": .text(refusal.reason),
        "code": .text(refusal.code.rawValue), "culprit": refusal.culprit.map { .integer(Int($0.rawValue)) } ?? .null, "retry": .flag(retry),
      ])
    logger.warning("round \(attempt.plan.round) attempt \(attempt.plan.attempt) ended: \(refusal.reason)")
    guard retry else {
      return end(
        .failed(
          CoordinatorError(
            .roundFailed,
            "round \(attempt.plan.round) failed in \(failedAttempts) attempts; last: \(refusal.reason) (\(refusal.code.rawValue))",
            hint: "see events.jsonl for who dropped and why; the server can be started again and goes on with this round")))
    }
    gather()
  }

  func list(_ sites: [SiteID]) -> EventValue { .list(sites.map { .integer(Int($0.rawValue)) }) }
}
