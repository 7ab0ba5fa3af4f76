// What an audit found out about each attempt and job, in the order of the log: for tables, reports and machines.

public struct RoundSummary: Equatable, Sendable {
  public let index: Int
  public let releasedAt: Int?
  public let time: UInt64
  public let job: String
  public let round: UInt32
  public let attempt: UInt32
  public let context: [UInt8]
  /// `reserved`, `aborted`, `released` or `refunded`.
  public let fate: String
  /// U0, U1, U2, U3 and U4.
  public let invited: [UInt32]
  public let keyed: [UInt32]
  public let masked: [UInt32]
  public let survivors: [UInt32]
  public let revealed: [UInt32]
  /// Digests of the masked inputs, in the order of the survivors.
  public let digests: [[UInt8]]
  public let threshold: Int
  /// Own figures, at the job's δ; nil without noise or without a release.
  public let epsilonRound: Double?
  public let epsilonTotal: Double?

  /// Members of U0 that are not in the sum.
  public var dropped: [UInt32] { invited.filter { !isSubset([$0], of: survivors) } }
}

public struct JobSummary: Sendable {
  public let name: String
  public let model: String
  public let openedAt: Int
  public let time: UInt64
  public let unit: PrivacyUnit
  public let rounds: Int
  public let reserved: Int
  public let released: Int
  public let isClosed: Bool
  /// nil without noise.
  public let privacy: Privacy?

  public struct Privacy: Sendable {
    public let clip: Double
    public let noiseMultiplier: Double
    public let budget: Double
    public let delta: Double
    /// Own figure of everything that was reserved and not refunded.
    public let epsilon: Double
    /// q and steps of a round, where the unit is a record.
    public let samplingRate: Double?
    public let steps: Int?
  }
}

extension LedgerState {
  public var rounds: [RoundSummary] {
    attemptOrder.compactMap { context in
      guard let attempt = attempts[context] else { return nil }
      let (plan, sets) = (attempt.plan, attempt.sets)
      return RoundSummary(
        index: attempt.index, releasedAt: attempt.releasedAt, time: attempt.time, job: plan.job, round: plan.round, attempt: plan.attempt,
        context: context, fate: attempt.fate.rawValue, invited: plan.sites, keyed: sets.keyed, masked: sets.masked,
        survivors: sets.survivors, revealed: attempt.revealed, digests: sets.digests, threshold: plan.threshold,
        epsilonRound: attempt.epsilonRound, epsilonTotal: attempt.epsilonTotal)
    }
  }

  public var jobSummaries: [JobSummary] {
    jobOrder.compactMap { key in
      guard let job = jobs[key] else { return nil }
      let record = job.record
      let privacy = record.privacy.map { privacy in
        JobSummary.Privacy(
          clip: privacy.clip, noiseMultiplier: privacy.noiseMultiplier, budget: privacy.epsilon, delta: privacy.delta,
          epsilon: job.account?.epsilon ?? 0, samplingRate: privacy.records?.samplingRate, steps: (try? record.recordSteps())?.steps)
      }
      return JobSummary(
        name: record.name, model: record.model, openedAt: job.openedAt, time: job.time, unit: record.unit, rounds: record.rounds,
        reserved: job.reserved, released: job.released, isClosed: job.isClosed, privacy: privacy)
    }
  }
}
