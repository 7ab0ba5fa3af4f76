// Makes the entries that the server writes from what it has at hand: long values go into attachments, and figures that follow from the
// ledger are computed, rounded up, never handed in.
import DPAccountant
import Sodium

extension LedgerState {
  /// A roster that the consortium signed; `agreements` are the sites' witness signatures over the `RosterChange`, none for the first
  /// roster.
  public func rosterEntries(
    record: [UInt8], signature: [UInt8], agreements: SiteSignatures = SiteSignatures([]), time: UInt64
  ) -> [LedgerEntry] {
    let (roster, before) = Blob.make(record, time: time)
    let (agreed, also) = Blob.make(agreements.encoded, time: time)
    return before + also
      + [LedgerEntry(time: time, .rosterChanged(RosterChanged(roster: roster, signature: signature, cosignatures: agreed)))]
  }

  /// - Parameter record: the job's canonical configuration record.
  /// - Throws: `.refusedEntry` where it is none.
  public func jobEntries(record: [UInt8], survivorsMin: Int, time: UInt64) throws(LedgerError) -> [LedgerEntry] {
    let job: LedgerJob
    do { job = try LedgerJob(record) } catch { throw LedgerError(.refusedEntry, error.reason) }
    guard let roster else { throw LedgerError(.refusedEntry, "the ledger has no roster yet") }
    let (blob, before) = Blob.make(record, time: time)
    let budget = job.privacy.map { LeafBudget(epsilon: LeafDecimal(shortest: $0.epsilon), delta: LeafDecimal(shortest: $0.delta)) }
    let opened = JobOpened(
      job: job.name, record: blob, rosterSerial: Int(roster.serial), rosterDigest: roster.digest, unit: job.unit, budget: budget,
      survivorsMin: survivorsMin)
    return before + [LedgerEntry(time: time, .jobOpened(opened))]
  }

  /// - Parameters:
  ///   - plan: the plan's bytes.
  ///   - survivors: the preimage of H[survivor-set] behind ctx.
  ///   - charge: as server and sites recorded it; nil without noise.
  public func reservationEntries(plan: [UInt8], survivors: [UInt8], charge: LeafCharge?, time: UInt64) -> [LedgerEntry] {
    let context = BLAKE2b.hash(protocolLabel("context") + plan)
    let (planBlob, before) = Blob.make(plan, time: time)
    let (setsBlob, also) = Blob.make(survivors, time: time)
    return before + also
      + [LedgerEntry(time: time, .roundReserved(RoundReserved(context: context, plan: planBlob, survivors: setsBlob, charge: charge)))]
  }

  /// - Parameters:
  ///   - signatures: what survivors signed; those of a quorum with the lowest indices are taken.
  ///   - revealed: U4.
  /// - Throws: `.notFound` for a context that is not reserved.
  public func releaseEntries(
    context: [UInt8], signatures: SiteSignatures, revealed: [UInt32], sumDigest: [UInt8], weightsDigest: [UInt8], time: UInt64
  ) throws(LedgerError) -> [LedgerEntry] {
    guard let attempt = attempts[context], let job = jobs[Array(attempt.plan.job.utf8)], let bits = attempt.plan.sections.first?.bits else {
      throw LedgerError(.notFound, "no attempt of this context is reserved")
    }
    let (signed, before) = Blob.make(SiteSignatures(Array(signatures.entries.prefix(attempt.plan.quorum))).encoded, time: time)
    var list = ByteOutput()
    list.sites(revealed)
    let (shown, also) = Blob.make(list.bytes, time: time)
    var noise: ReleasedNoise?
    if case .noised(let sum)? = try? LedgerMechanism(attempt.plan.mechanism) {
      noise = ReleasedNoise(shares: attempt.plan.noiseShares, variance: sum.assuredVariance(shares: attempt.plan.noiseShares))
    } else if let (step, steps) = try? job.record.recordSteps() {
      noise = ReleasedNoise(shares: steps, variance: "\(UInt64(step.variance))")
    }
    var cost: ReleasedCost?
    if let account = job.account, let charge = attempt.cost {
      guard let round = Self.figure(account.epsilon(of: charge)), let total = account.stated else {
        throw LedgerError(.refusedEntry, "the attempt has no finite cost")
      }
      cost = ReleasedCost(round: round, total: total)
    }
    let released = RoundReleased(
      context: context, signatures: signed, revealed: shown, sumDigest: sumDigest, weightsDigest: weightsDigest,
      threshold: attempt.plan.threshold, bits: bits, clip: job.record.privacy.map { LeafDecimal(shortest: $0.clip) }, noise: noise,
      cost: cost)
    return before + also + [LedgerEntry(time: time, .roundReleased(released))]
  }

  /// - Parameter evidence: the encoded claim SA-93 for every site.
  public func refundEntries(context: [UInt8], evidence: [UInt8], time: UInt64) -> [LedgerEntry] {
    let (certificate, before) = Blob.make(evidence, time: time)
    return before + [LedgerEntry(time: time, .refund(Refund(context: context, certificate: certificate)))]
  }

  /// - Throws: `.notFound` for a job that is not open.
  public func closingEntry(job name: String, time: UInt64) throws(LedgerError) -> LedgerEntry {
    guard let job = jobs[Array(name.utf8)], !job.isClosed else { throw LedgerError(.notFound, "no open job has this name") }
    let closed = JobClosed(job: name, reserved: job.reserved, released: job.released, total: job.account?.stated)
    return LedgerEntry(time: time, .jobClosed(closed))
  }

  static func figure(_ epsilon: Double) -> LeafDecimal? {
    epsilon.isFinite && epsilon >= 0 ? try? LeafDecimal(DecimalText.roundedUp(epsilon, digits: 6)) : nil
  }
}

extension JobAccount {
  /// The account as a leaf states it; nil where it has no finite figure.
  fileprivate var stated: LeafBudget? {
    LedgerState.figure(epsilon).map { LeafBudget(epsilon: $0, delta: LeafDecimal(shortest: delta)) }
  }
}

extension RoundReserved {
  /// U3, where the leaf holds the sets itself.
  public var survivorSites: [UInt32]? {
    guard case .bytes(let preimage) = survivors else { return nil }
    return (try? SurvivorSets(preimage, context: context))?.survivors
  }
}
