// Releasing an attempt, and everything else that can become of it (spec/15-ledger.md, "Rounds").
import DPAccountant
import Sodium

extension LedgerState {
  mutating func release(_ body: RoundReleased, _ long: LongValues, _ time: UInt64) throws(AuditFault) {
    count(.order)
    guard var attempt = attempts[body.context] else { throw AuditFault(.order, "the round is released without a reservation") }
    guard attempt.fate == .reserved else { throw AuditFault(.order, "the attempt was \(attempt.fate.rawValue) before") }
    var job = try openJob(attempt.plan.job)
    let signatures = try signatures(long.bytes(body.signatures), attempt)
    attempt.revealed = try revealed(long.bytes(body.revealed), attempt)
    try figures(body, job, attempt)
    try costs(body, job, &attempt)
    if attempt.plan.round == 0, body.weightsDigest != job.weights { throw AuditFault(.weights, "round 0 changes the weights") }
    (attempt.fate, attempt.releasedAt) = (.released, count)
    attempts[body.context] = attempt
    (job.weights, job.lastReleased) = (body.weightsDigest, attempt.plan.round)
    job.released += 1
    jobs[Array(attempt.plan.job.utf8)] = job
    for entry in signatures.entries {
      guard let site = current.site(entry.site) else { continue }
      claims.append(
        SignatureClaim(
          index: count, site: entry.site, key: site.protocolKey, signature: entry.signature,
          message: attempt.sets.signedBytes(context: body.context, site: entry.site)))
    }
  }

  /// LG-47: exactly a quorum, so that one release has one size. They are verified later, all together.
  private mutating func signatures(_ bytes: [UInt8], _ attempt: AttemptState) throws(AuditFault) -> SiteSignatures {
    let signatures: SiteSignatures
    do { signatures = try SiteSignatures(decoding: bytes) } catch { throw AuditFault(.signatureCount, error.reason) }
    count(.signatures, signatures.entries.count)
    guard isSubset(signatures.entries.map(\.site), of: attempt.sets.survivors) else {
      throw AuditFault(.signatureCount, "a signature of a site that is no survivor")
    }
    guard signatures.entries.allSatisfy({ current.site($0.site) != nil }) else {
      throw AuditFault(.signatureCount, "a signature of a site that is not in the newest roster")
    }
    guard signatures.entries.count == attempt.plan.quorum else {
      throw AuditFault(.signatureCount, "\(signatures.entries.count) signatures over the survivors; \(attempt.plan.quorum) are due")
    }
    return signatures
  }

  /// LG-48.
  private mutating func revealed(_ bytes: [UInt8], _ attempt: AttemptState) throws(AuditFault) -> [UInt32] {
    count(.revealed)
    let revealed: [UInt32]
    do {
      var input = ByteInput(bytes)
      revealed = try input.sites()
      try input.end()
    } catch { throw AuditFault(.revealed, error.reason) }
    guard isSubset(revealed, of: attempt.sets.survivors) else { throw AuditFault(.revealed, "a site revealed that is no survivor") }
    guard revealed.count >= attempt.plan.threshold else {
      throw AuditFault(.revealed, "\(revealed.count) sites revealed; \(attempt.plan.threshold) are needed")
    }
    return revealed
  }

  /// LG-46: what people read is what plan and job say.
  private mutating func figures(_ body: RoundReleased, _ job: JobState, _ attempt: AttemptState) throws(AuditFault) {
    count(.released)
    func require(_ holds: Bool, _ reason: String) throws(AuditFault) { guard holds else { throw AuditFault(.released, reason) } }
    let plan = attempt.plan
    try require(body.threshold == plan.threshold, "the threshold is \(plan.threshold), the leaf says \(body.threshold)")
    try require(body.bits == plan.sections.first?.bits, "the sum has another number of bits than the leaf says")
    try require(body.clip?.value == job.record.privacy?.clip, "the clip is not that of the job")
    let (shares, variance): (Int, String)
    if case .noised(let noise)? = try? LedgerMechanism(plan.mechanism) {
      (shares, variance) = (plan.noiseShares, noise.assuredVariance(shares: plan.noiseShares))
    } else if let (step, steps) = try? job.record.recordSteps() {
      // At most 1024² times 1.01 · 2^40.
      (shares, variance) = (steps, "\(UInt64(step.variance))")
    } else {
      return try require(body.noise == nil && body.cost == nil, "noise or cost in a job without privacy")
    }
    try require(body.noise != nil && body.cost != nil, "no noise or cost in a job with privacy")
    try require(body.noise?.shares == shares, "the noise has \(shares) shares or steps")
    try require(body.noise?.variance == variance, "the assured variance is \(variance), the leaf says \(body.noise?.variance ?? "")")
  }

  /// LG-50, LG-51, LG-52.
  private mutating func costs(_ body: RoundReleased, _ job: JobState, _ attempt: inout AttemptState) throws(AuditFault) {
    guard let stated = body.cost, let account = job.account, let cost = attempt.cost else { return }
    count(.epsilon)
    guard stated.total.delta.value == account.delta else { throw AuditFault(.delta, "the cost is stated at another delta than the job's") }
    let (round, total) = (account.epsilon(of: cost), account.epsilon)
    guard JobAccount.accepts(stated.round.value, own: round) else {
      throw AuditFault(.epsilonRound, "epsilon of the round is \(round), the leaf says \(stated.round.text)")
    }
    guard JobAccount.accepts(stated.total.epsilon.value, own: total) else {
      throw AuditFault(.epsilonTotal, "epsilon of all rounds so far is \(total), the leaf says \(stated.total.epsilon.text)")
    }
    (attempt.epsilonRound, attempt.epsilonTotal) = (round, total)
  }

  // MARK: without a sum

  mutating func abort(_ body: RoundAborted, _ time: UInt64) throws(AuditFault) {
    count(.aborts)
    func require(_ holds: Bool, _ reason: String) throws(AuditFault) { guard holds else { throw AuditFault(.aborted, reason) } }
    try require(jobs[Array(body.job.utf8)] != nil, "an attempt of a job that was not opened")
    if let site = body.site { try require(current.site(site) != nil, "site \(site) is not in the roster") }
    try require(abortedContexts.insert(body.context).inserted, "the attempt was aborted before")
    let isLate = body.phase == .consistency || body.phase == .reveal
    if let attempt = attempts[body.context] {
      try require(attempt.fate == .reserved, "the attempt was \(attempt.fate.rawValue) before")
      let (plan, round) = (attempt.plan, UInt32(clamping: body.round))
      try require(
        plan.job.utf8.elementsEqual(body.job.utf8) && plan.round == round && plan.attempt == UInt32(clamping: body.attempt),
        "job, round or attempt are not those that were reserved")
      try require(isLate, "a reserved attempt ends in consistency or reveal")
      attempts[body.context]?.fate = .aborted
    } else {
      try require(body.phase != .reveal, "nobody reveals before the attempt is reserved")
    }
    aborts.append((count, time, body))
  }

  mutating func refuse(_ body: SiteRefused, _ time: UInt64) throws(AuditFault) {
    count(.aborts)
    guard current.site(body.site) != nil else { throw AuditFault(.aborted, "site \(body.site) is not in the roster") }
    refusals.append((count, time, body))
  }

  /// LG-54.
  mutating func refund(_ body: Refund, _ long: LongValues) throws(AuditFault) {
    count(.refunds)
    func require(_ holds: Bool, _ reason: String) throws(AuditFault) { guard holds else { throw AuditFault(.refund, reason) } }
    guard let attempt = attempts[body.context] else { throw AuditFault(.refund, "nothing was reserved that could be refunded") }
    try require(attempt.fate == .reserved || attempt.fate == .aborted, "the attempt was \(attempt.fate.rawValue) before")
    let key = Array(attempt.plan.job.utf8)
    let roster = current
    try require(jobs[key]?.record.noisesSums == true, "what a training cost is spent whatever becomes of its sum")
    try require(jobs[key]?.isClosed == false, "the job is closed")
    do {
      try RefundCertificate(long.bytes(body.certificate)).check(attempt.plan) { roster.site($0)?.protocolKey }
    } catch { throw AuditFault(.refund, error.reason) }
    attempts[body.context]?.fate = .refunded
    let left = attempts.values.filter { $0.plan.job.utf8.elementsEqual(key) && $0.fate != .refunded }.sorted { $0.index < $1.index }
    if let delta = jobs[key]?.account?.delta { jobs[key]?.account = JobAccount(delta: delta, left.compactMap(\.cost)) }
  }
}
