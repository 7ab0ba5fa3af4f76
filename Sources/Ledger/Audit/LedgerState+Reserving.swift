// Reserving an attempt (spec/15-ledger.md, "Rounds"): the plan, the survivors and the charge, before anybody reveals anything.
import DPAccountant

extension LedgerState {
  mutating func reserve(_ body: RoundReserved, _ long: LongValues, _ time: UInt64) throws(AuditFault) {
    count(.plans)
    let plan: LedgerPlan
    let mechanism: LedgerMechanism
    do throws(EncodingFault) {
      plan = try LedgerPlan(long.bytes(body.plan))
      guard plan.context == body.context else { throw EncodingFault("the context is not the hash of the plan") }
      try plan.validate(against: current, time: time, graph: &graph)
      mechanism = try LedgerMechanism(plan.mechanism)
      try Self.fits(mechanism, plan)
    } catch { throw AuditFault(.plan, error.reason) }
    var job = try openJob(plan.job)
    try isOf(job, plan, mechanism)
    count(.replay)
    let key = Array(plan.job.utf8)
    let name = AttemptName(job: key, round: plan.round, attempt: plan.attempt)
    guard attempts[plan.context] == nil, usedAttempts.insert(name).inserted else {
      throw AuditFault(.replay, "round \(plan.round), attempt \(plan.attempt) was reserved before")
    }
    if let last = job.lastReleased, plan.round <= last {
      throw AuditFault(.replay, "round \(plan.round) comes after round \(last) was released")
    }
    count(.weights)
    guard plan.weightsDigest == job.weights else { throw AuditFault(.weights, "the round does not start from the job's newest weights") }
    let sets = try survivors(plan, long.bytes(body.survivors))
    let cost = try charge(&job, body.charge, plan, mechanism)
    job.reserved += 1
    jobs[key] = job
    attempts[plan.context] = AttemptState(index: count, time: time, plan: plan, sets: sets, charge: body.charge, cost: cost)
    attemptOrder.append(plan.context)
  }

  /// SA-16, SA-17, SA-18: the mechanism was made for this plan.
  private static func fits(_ mechanism: LedgerMechanism, _ plan: LedgerPlan) throws(EncodingFault) {
    switch mechanism {
    case .plain(let sites): guard sites == plan.sites.count else { throw EncodingFault("the encoding is bounded for \(sites) sites") }
    case .noised(let noise):
      guard noise.sites == plan.sites.count else { throw EncodingFault("the encoding is bounded for \(noise.sites) sites") }
      let section = LedgerPlan.Section(name: "parameters", count: UInt64(noise.paddedDimension), bits: noise.bits)
      guard plan.sections == [section] else { throw EncodingFault("the sections are not those of the mechanism") }
      guard plan.noiseShares >= 1 else { throw EncodingFault("\(plan.inputsMin) survivors assure no noise") }
      guard let removable = noise.removable else { return }
      guard removable.survivorsMin == plan.inputsMin, removable.known == max(plan.colluders, 1), !plan.isSparse else {
        throw EncodingFault("noise that is removed for other survivors, colluders or another graph than the plan's")
      }
    }
  }

  /// LG-41.
  private func isOf(_ job: JobState, _ plan: LedgerPlan, _ mechanism: LedgerMechanism) throws(AuditFault) {
    func require(_ holds: Bool, _ reason: String) throws(AuditFault) { guard holds else { throw AuditFault(.planOfJob, reason) } }
    let record = job.record
    try require(plan.configurationDigest == record.digest, "the plan has another configuration than the job")
    try require(plan.round <= record.rounds, "round \(plan.round) of \(record.rounds)")
    try require(plan.round >= 1 || record.privacy == nil, "a job with privacy has no round 0")
    try require(plan.inputsMin >= job.opened.survivorsMin, "the plan asks for fewer inputs than the job's policy")
    guard case .noised(let noise) = mechanism else {
      try require(!record.noisesSums, "a plan without noise in a job of noised sums")
      guard record.privacy != nil else { return }
      let section = LedgerPlan.Section(name: "parameters", count: UInt64(record.parameterCount), bits: record.parameterBits)
      return try require(plan.sections == [section], "the sections are not those of the job")
    }
    guard let privacy = record.privacy, record.noisesSums else {
      throw AuditFault(.planOfJob, "a noised plan in a job whose sums carry no noise")
    }
    try require(
      (noise.removable != nil) == (privacy.noise == "skellam") && noise.samplingRate == privacy.records?.samplingRate,
      "the plan has another noise or sampling than the job")
    try require(
      noise.clip == privacy.clip && noise.bits == record.parameterBits && noise.dimension == record.parameterCount,
      "clip, bits or parameters are not those of the job")
    try require(
      noise.assures(noiseMultiplier: privacy.noiseMultiplier, shares: plan.noiseShares),
      "\(plan.noiseShares) shares of the plan's noise are less than the job's noise multiplier asks for")
  }

  /// LG-43.
  private mutating func survivors(_ plan: LedgerPlan, _ preimage: [UInt8]) throws(AuditFault) -> SurvivorSets {
    count(.survivors)
    let sets: SurvivorSets
    do { sets = try SurvivorSets(preimage, context: plan.context) } catch { throw AuditFault(.survivors, error.reason) }
    guard isSubset(sets.keyed, of: plan.sites), isSubset(sets.masked, of: sets.keyed), isSubset(sets.survivors, of: sets.masked) else {
      throw AuditFault(.survivors, "U0, U1, U2 and U3 are not each a part of the one before")
    }
    guard sets.survivors.count >= plan.inputsMin else {
      throw AuditFault(.survivors, "\(sets.survivors.count) survivors; \(plan.inputsMin) are needed")
    }
    return sets
  }

  /// LG-44 and LG-53: the charge is what plan and job make of it, and the job can pay it.
  private mutating func charge(
    _ job: inout JobState, _ stated: LeafCharge?, _ plan: LedgerPlan, _ mechanism: LedgerMechanism
  ) throws(AuditFault) -> JobAccount.Charge? {
    count(.charges)
    let due: LeafCharge
    let event: NoiseEvent
    do throws(EncodingFault) {
      if case .noised(let noise) = mechanism {
        due = LeafCharge(mechanism: plan.mechanism, shares: plan.noiseShares)
        event = noise.event(shares: plan.noiseShares)
      } else if let (step, steps) = try job.record.recordSteps() {
        due = LeafCharge(mechanism: LedgerJob.chargeBytes(step), shares: steps)
        event = .repeated(step.event, count: steps)
      } else {
        guard stated == nil else { throw EncodingFault("a charge in a job without privacy") }
        return nil
      }
      guard let stated else { throw EncodingFault("no charge in a job with privacy") }
      guard stated.mechanism == due.mechanism else { throw EncodingFault("the charge is of another mechanism") }
      guard stated.shares == due.shares else {
        throw EncodingFault("the charge counts \(stated.shares) shares or steps; it is \(due.shares)")
      }
    } catch { throw AuditFault(.charge, error.reason) }
    guard let curve = curves.curve(due, event) else { throw AuditFault(.charge, "no theorem says what this costs") }
    let isSum = job.record.noisesSums
    let cost = JobAccount.Charge(curve: curve, isSparse: isSum && plan.sites.count > 64)
    // Another attempt with the result of the same training costs nothing (RP-09).
    let round = AttemptName(job: Array(plan.job.utf8), round: plan.round, attempt: nil)
    if usedAttempts.insert(round).inserted || isSum { job.account?.add(cost) }
    count(.budget)
    if let epsilon = job.account?.epsilon, let budget = job.record.privacy?.epsilon, epsilon * (1 - 1e-9) > budget {
      throw AuditFault(.budget, "epsilon \(epsilon) after this attempt; the job's budget is \(budget)")
    }
    return cost
  }
}
