// An audit as `--json` prints it. Keys and their meaning are fixed: scripts rely on them.
import Ledger

struct AuditSummary: Encodable {
  struct Check: Encodable {
    var name: String
    var ok: Bool
    var detail: String
  }

  struct FirstBad: Encodable {
    /// nil where no single record is at fault.
    var index: Int?
    var cause: String
    var reason: String

    enum CodingKeys: String, CodingKey { case index, cause, reason }
    func encode(to encoder: any Encoder) throws {
      var box = encoder.container(keyedBy: CodingKeys.self)
      try box.encode(index, forKey: .index)
      try box.encode(cause, forKey: .cause)
      try box.encode(reason, forKey: .reason)
    }
  }

  struct Round: Encodable {
    var index: Int
    var job: String
    var round: UInt32
    var attempt: UInt32
    var state: String
    var time: UInt64
    var invited: [UInt32]
    var survivors: [UInt32]
    var dropped: [UInt32]
    var revealed: [UInt32]
    var epsilonRound: Double?
    var epsilon: Double?

    enum CodingKeys: String, CodingKey {
      case index, job, round, attempt, state, time, invited, survivors, dropped, revealed, epsilon
      case epsilonRound = "epsilon_round"
    }
  }

  struct Job: Encodable {
    var name: String
    var unit: String
    var epsilon: Double?
    var delta: Double?
    var budget: Double?
    var reserved: Int
    var released: Int
    var closed: Bool
  }

  var ok: Bool
  var checks: [Check]
  /// Checks that nothing was given for, or that an earlier fault kept from being reached.
  var notMade: [Check]
  var firstBad: FirstBad?
  /// Of the job with the largest; jobs stand below one by one. nil where no job has noise.
  var epsilon: Double?
  var delta: Double?
  var jobs: [Job]
  var rounds: [Round]
  var size: Int?
  var cosigners: [UInt32]

  enum CodingKeys: String, CodingKey {
    case ok, checks, epsilon, delta, jobs, rounds, size, cosigners
    case notMade = "not_made"
    case firstBad = "first_bad"
  }

  init(_ report: AuditReport) {
    ok = report.holds
    func listed(_ results: [CheckResult]) -> [Check] {
      results.map { Check(name: $0.check.rawValue, ok: $0.outcome == .held, detail: $0.detail) }
    }
    checks = listed(report.results.filter { $0.outcome != .notMade })
    notMade = listed(report.results.filter { $0.outcome == .notMade })
    firstBad = report.firstBad.map { FirstBad(index: $0.index, cause: $0.fault.cause.rawValue, reason: $0.fault.reason) }
    let summaries = report.state.jobSummaries
    jobs = summaries.map { job in
      Job(
        name: job.name, unit: job.unit.rawValue, epsilon: job.privacy?.epsilon, delta: job.privacy?.delta, budget: job.privacy?.budget,
        reserved: job.reserved, released: job.released, closed: job.isClosed)
    }
    let most = summaries.compactMap(\.privacy).max { $0.epsilon < $1.epsilon }
    (epsilon, delta) = (most?.epsilon, most?.delta)
    rounds = report.state.rounds.map { round in
      Round(
        index: round.index, job: round.job, round: round.round, attempt: round.attempt, state: round.fate, time: round.time,
        invited: round.invited, survivors: round.survivors, dropped: round.dropped, revealed: round.revealed,
        epsilonRound: round.epsilonRound, epsilon: round.epsilonTotal)
    }
    (size, cosigners) = (report.checkpoint?.checkpoint.size, report.cosigners)
  }

  func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    try box.encode(ok, forKey: .ok)
    try box.encode(checks, forKey: .checks)
    try box.encode(notMade, forKey: .notMade)
    try box.encode(firstBad, forKey: .firstBad)
    try box.encode(epsilon, forKey: .epsilon)
    try box.encode(delta, forKey: .delta)
    try box.encode(jobs, forKey: .jobs)
    try box.encode(rounds, forKey: .rounds)
    try box.encode(size, forKey: .size)
    try box.encode(cosigners, forKey: .cosigners)
  }
}
