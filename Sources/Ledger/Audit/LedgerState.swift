// What a ledger says, leaf after leaf, and whether each leaf may follow those before it (spec/15-ledger.md, "Reading the entries"). Pure:
// the same code runs in the auditor and before the server writes. After a fault a state is used up: whoever goes on keeps a copy.
import Sodium

public struct LedgerState: Sendable {
  /// The consortium's key that the auditor pinned; without one the first leaf's roster is believed.
  let pinnedKey: Ed25519.PublicKey?
  /// Leaves so far.
  public internal(set) var count = 0
  /// Of the newest leaf; 0 before the first.
  public internal(set) var time: UInt64 = 0
  /// The newest roster; nil before the first leaf.
  public internal(set) var roster: LedgerRoster?
  /// Where rosters stand, for reports.
  public internal(set) var rosters: [(index: Int, time: UInt64, roster: LedgerRoster)] = []
  var jobs: [[UInt8]: JobState] = [:]
  /// Names in the order of their opening.
  var jobOrder: [[UInt8]] = []
  var attempts: [[UInt8]: AttemptState] = [:]
  /// Contexts in the order of their reservation.
  var attemptOrder: [[UInt8]] = []
  public internal(set) var refusals: [(index: Int, time: UInt64, refusal: SiteRefused)] = []
  public internal(set) var aborts: [(index: Int, time: UInt64, abort: RoundAborted)] = []
  /// Signatures that were not verified yet.
  public internal(set) var claims: [SignatureClaim] = []
  /// How often each check was made.
  public internal(set) var made: [AuditCheck: Int] = [:]
  /// Rounds and attempts that were reserved, and rounds that were: kept here, since what a job holds is copied when it changes.
  var usedAttempts: Set<AttemptName> = []
  var abortedContexts: Set<[UInt8]> = []
  var values = AttachedValues()
  var curves = ChargeCurves()
  var graph = GraphNumbers()

  public init(pinnedKey: Ed25519.PublicKey? = nil) { self.pinnedKey = pinnedKey }

  /// - Parameter rootBefore: the root over the leaves before this one; asked for where a roster changes.
  /// - Throws: the first rule that the leaf breaks.
  public mutating func accept(_ entry: LedgerEntry, rootBefore: () -> [UInt8]) throws(AuditFault) {
    count(.times)
    guard entry.time >= time else { throw AuditFault(.time, "the time goes back from \(time) to \(entry.time)") }
    if case .attachment(let attachment) = entry.body {
      count(.attachments)
      try values.add(attachment)
    } else {
      let long = try values.taken(by: entry.body.blobs)
      guard roster != nil || entry.body.isRoster else { throw AuditFault(.roster, "the ledger does not begin with a roster") }
      try apply(entry, long, rootBefore)
      values = AttachedValues()
    }
    time = entry.time
    count += 1
  }

  private mutating func apply(_ entry: LedgerEntry, _ long: LongValues, _ rootBefore: () -> [UInt8]) throws(AuditFault) {
    switch entry.body {
    case .attachment: break
    case .rosterChanged(let body): try change(body, long, entry.time, rootBefore)
    case .jobOpened(let body): try open(body, long)
    case .roundReserved(let body): try reserve(body, long, entry.time)
    case .roundReleased(let body): try release(body, long, entry.time)
    case .roundAborted(let body): try abort(body, entry.time)
    case .refused(let body): try refuse(body, entry.time)
    case .refund(let body): try refund(body, long)
    case .jobClosed(let body): try close(body)
    }
  }

  mutating func count(_ check: AuditCheck, _ times: Int = 1) { made[check, default: 0] += times }

  /// - Throws: LG-31 for a job that is not open.
  func openJob(_ name: String) throws(AuditFault) -> JobState {
    guard let job = jobs[Array(name.utf8)] else { throw AuditFault(.jobOrder, "the job \(name.prefix(60)) was not opened") }
    guard !job.isClosed else { throw AuditFault(.jobOrder, "the job \(name.prefix(60)) is closed") }
    return job
  }

  /// The roster that leaves refer to; there is one behind the first leaf.
  var current: LedgerRoster {
    guard let roster else { preconditionFailure("leaves before the first roster are refused") }
    return roster
  }
}

/// One job of a ledger.
struct JobState: Sendable {
  let record: LedgerJob
  let opened: JobOpened
  let openedAt: Int
  let time: UInt64
  var isClosed = false
  /// Of the weights that the next round starts from.
  var weights: [UInt8]
  var lastReleased: UInt32?
  var account: JobAccount?
  var reserved = 0
  var released = 0
}

/// An attempt of a job, or with no attempt a round.
struct AttemptName: Hashable, Sendable {
  let job: [UInt8]
  let round: UInt32
  let attempt: UInt32?
}

/// One reserved attempt.
struct AttemptState: Sendable {
  enum Fate: String, Sendable { case reserved, aborted, released, refunded }
  let index: Int
  let time: UInt64
  let plan: LedgerPlan
  let sets: SurvivorSets
  let charge: LeafCharge?
  let cost: JobAccount.Charge?
  var fate = Fate.reserved
  var releasedAt: Int?
  /// U4.
  var revealed: [UInt32] = []
  /// Own figures, not the logged ones.
  var epsilonRound: Double?
  var epsilonTotal: Double?
}
