// Rosters and jobs (spec/15-ledger.md, "Rosters", "Jobs").
import Sodium

extension LedgerState {
  /// A roster is believed for the consortium's signature, and follows another one only with the agreement of a quorum of its sites.
  mutating func change(
    _ body: RosterChanged, _ long: LongValues, _ time: UInt64, _ rootBefore: () -> [UInt8]
  ) throws(AuditFault) {
    count(.rosters)
    let record = long.bytes(body.roster)
    let next: LedgerRoster
    do { next = try LedgerRoster(record: record) } catch { throw AuditFault(.roster, error.reason) }
    if let pinnedKey, next.consortiumKey != pinnedKey {
      throw AuditFault(.roster, "the roster is of another consortium than the pinned key")
    }
    if let roster, next.consortiumKey != roster.consortiumKey { throw AuditFault(.roster, "the roster is of another consortium") }
    guard next.consortiumKey.verify(body.signature, of: record) else {
      throw AuditFault(.roster, "the consortium's signature does not fit the roster")
    }
    guard next.issued <= time + 300, time <= next.validUntil else { throw AuditFault(.rosterOrder, "the roster is not within its dates") }
    if let roster {
      guard next.serial > roster.serial else { throw AuditFault(.rosterOrder, "serial number \(next.serial) after \(roster.serial)") }
      guard next.serverName == roster.serverName else { throw AuditFault(.rosterOrder, "another server would make it another log") }
    }
    let cosignatures: SiteSignatures
    do { cosignatures = try SiteSignatures(decoding: long.bytes(body.cosignatures)) } catch {
      throw AuditFault(.rosterAgreement, error.reason)
    }
    if let roster {
      let change = RosterChange(
        origin: roster.origin, index: count, root: rootBefore(), oldDigest: roster.digest, newDigest: next.digest)
      try agree(cosignatures, roster, change)
    } else {
      guard cosignatures.entries.isEmpty else { throw AuditFault(.rosterAgreement, "nobody can have agreed to the first roster") }
    }
    roster = next
    rosters.append((count, time, next))
  }

  private func agree(_ cosignatures: SiteSignatures, _ roster: LedgerRoster, _ change: RosterChange) throws(AuditFault) {
    let signed = change.signedBytes
    for entry in cosignatures.entries {
      guard let site = roster.site(entry.site) else {
        throw AuditFault(.rosterAgreement, "site \(entry.site) was not in the roster before")
      }
      guard site.witnessKey.verify(entry.signature, of: signed) else {
        throw AuditFault(.rosterAgreement, "the signature of site \(entry.site) is not over this change")
      }
    }
    guard cosignatures.entries.count >= roster.quorum else {
      throw AuditFault(.rosterAgreement, "\(cosignatures.entries.count) sites agreed; \(roster.quorum) are needed")
    }
  }

  mutating func open(_ body: JobOpened, _ long: LongValues) throws(AuditFault) {
    count(.jobs)
    func require(_ holds: Bool, _ reason: String) throws(AuditFault) { guard holds else { throw AuditFault(.jobRecord, reason) } }
    let record: LedgerJob
    do { record = try LedgerJob(long.bytes(body.record)) } catch { throw AuditFault(.jobRecord, error.reason) }
    try require(record.name.utf8.elementsEqual(body.job.utf8), "the job's record has another name")
    try require(record.unit == body.unit, "the job's record is of another unit")
    try require(
      body.rosterSerial == current.serial && body.rosterDigest == current.digest, "the job names another roster than the ledger's newest")
    try require((1...current.sites.count).contains(body.survivorsMin), "the least number of survivors is none of this roster")
    try require((body.budget == nil) == (record.privacy == nil), "the leaf has a budget without privacy, or none with it")
    if let budget = body.budget, let privacy = record.privacy {
      try require(
        budget.epsilon.value == privacy.epsilon && budget.delta.value == privacy.delta, "the budget is not that of the job's record")
    }
    let key = Array(body.job.utf8)
    guard jobs[key] == nil else { throw AuditFault(.jobOrder, "a job of this name was opened before") }
    jobs[key] = JobState(
      record: record, opened: body, openedAt: count, time: time, weights: record.weightsDigest,
      account: record.privacy.map { JobAccount(delta: $0.delta) })
    jobOrder.append(key)
  }

  mutating func close(_ body: JobClosed) throws(AuditFault) {
    var job = try openJob(body.job)
    count(.closing)
    func require(_ holds: Bool, _ reason: String) throws(AuditFault) { guard holds else { throw AuditFault(.closing, reason) } }
    try require(body.reserved == job.reserved, "\(job.reserved) attempts were reserved, the leaf says \(body.reserved)")
    try require(body.released == job.released, "\(job.released) rounds were released, the leaf says \(body.released)")
    try require((body.total == nil) == (job.account == nil), "the leaf has a cost without privacy, or none with it")
    if let total = body.total, let account = job.account {
      try require(total.delta.value == account.delta, "the cost is stated at another delta than the job's")
      try require(
        JobAccount.accepts(total.epsilon.value, own: account.epsilon),
        "epsilon is \(account.epsilon) for the whole job, the leaf says \(total.epsilon.text)")
    }
    job.isClosed = true
    jobs[Array(body.job.utf8)] = job
  }
}
