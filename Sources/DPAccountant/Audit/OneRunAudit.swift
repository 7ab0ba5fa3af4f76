// Auditing with one run (Steinke, Nasr, Jagielski 2023, "Privacy Auditing with One (1) Training Run"; spec/14-auditing.md): canaries each
// took part by a fair coin of their own, somebody guessed from the run's results which did, and how many guesses were right bounds ε from
// below. A bound is a claim about the program that ran, wrong in at most 1 − confidence of all audits.

/// A canary's score, higher where it rather took part, and whether it did.
public typealias ScoredCanary = (score: Double, isIn: Bool)

public struct OneRunAudit: Equatable, Sendable {
  /// m: all canaries, also those about which nothing was guessed.
  public let canaries: Int
  /// r: the guess count that gave `lowerBound`.
  public let guesses: Int
  /// v: how many of these guesses were right.
  public let correct: Int
  public let delta: Double
  /// Of the whole audit, however many guess counts it tried.
  public let confidence: Double
  /// All guess counts that were tried; 1 − confidence was divided by their number.
  public let guessCounts: [Int]
  public let tail: AuditTail
  /// With `confidence`, the program is not (ε, δ)-differentially private for any ε below this one (nats; one canary added or removed).
  /// Rounded down; 0 says nothing.
  public let lowerBound: Double
  /// The bound if all guesses had been right, for the best of the guess counts: a program may cost more than this without any such
  /// audit showing it.
  public let largestPossible: Double

  /// Audits one run with one guess count, which was fixed before the memberships were known.
  /// - Parameters:
  ///   - canaries: m, up to 10^6.
  ///   - guesses: r ≤ m.
  ///   - correct: v ≤ r.
  ///   - delta: δ of the claim, 0 ≤ δ < 1. The tail grows with mδ: canaries that nobody guesses about cost too.
  ///   - confidence: 0.5 ≤ confidence < 1.
  /// - Throws: `.parameterOutOfRange`.
  public init(
    canaries: Int, guesses: Int, correct: Int, delta: Double, confidence: Double = 0.95, tail: AuditTail = .published
  ) throws(AccountingError) {
    let tried = [(guesses: guesses, correct: correct)]
    try self.init(canaries: canaries, tried: tried, delta: delta, confidence: confidence, tail: tail)
  }

  /// Audits one run, choosing the number of guesses.
  ///
  /// The theorem holds for a number of guesses that was fixed beforehand; taking the best afterwards would claim too much. So every count
  /// of `guessCounts` is tested at confidence 1 − (1 − confidence)/n, n their number, and the largest bound is reported: all n hold
  /// together with the stated confidence (union bound). The counts MUST be fixed before the scores and memberships are looked at; more of
  /// them cost a little of each bound.
  /// - Parameters:
  ///   - canaries: in the order in which they were numbered before their memberships were drawn (`MembershipGuesses`); up to 10^6.
  ///   - delta: δ of the claim, 0 ≤ δ < 1.
  ///   - confidence: of the whole, 0.5 ≤ confidence < 1.
  ///   - guessCounts: 1 to 64 counts, each up to the number of canaries; `guessCounts(canaries:)` unless given.
  /// - Throws: `.parameterOutOfRange`, also for a score that is not a number.
  public init(
    canaries: [ScoredCanary], delta: Double, confidence: Double = 0.95, guessCounts: [Int]? = nil, tail: AuditTail = .published
  ) throws(AccountingError) {
    let counts = guessCounts ?? OneRunAudit.guessCounts(canaries: canaries.count)
    try AuditRange.check(guessCounts: counts, of: canaries.count)
    let order = try MembershipGuesses.order(canaries.map(\.score))
    let isIn = canaries.map(\.isIn)
    let tried = counts.map { (guesses: $0, correct: MembershipGuesses(order: order, guesses: $0).correct(isIn)) }
    try self.init(canaries: canaries.count, tried: tried, delta: delta, confidence: confidence, tail: tail)
  }

  private init(
    canaries: Int, tried: [(guesses: Int, correct: Int)], delta: Double, confidence: Double, tail: AuditTail
  ) throws(AccountingError) {
    try AuditRange.check(confidence: confidence)
    for (guesses, correct) in tried { try AuditRange.check(canaries: canaries, guesses: guesses, correct: correct, delta: delta) }
    let search = AuditSearch(canaries: canaries, delta: delta, confidence: confidence, tests: tried.count, tail: tail)
    var (best, bound, largest) = (tried[0], -1.0, 0.0)
    for one in tried {
      let (shown, possible) = search.bounds(guesses: one.guesses, correct: one.correct)
      if shown > bound { (best, bound) = (one, shown) }
      largest = max(largest, possible)
    }
    (self.canaries, self.guesses, self.correct) = (canaries, best.guesses, best.correct)
    (self.delta, self.confidence, self.tail) = (delta, confidence, tail)
    guessCounts = tried.map(\.guesses)
    (lowerBound, largestPossible) = (bound, largest)
  }

  /// Guess counts that depend on the number of canaries alone: all of them, and halved up to five times while 16 remain.
  public static func guessCounts(canaries: Int) -> [Int] {
    var counts = [max(canaries, 0)]
    while counts.count < 6, counts[counts.count - 1] >= 32 { counts.append(counts[counts.count - 1] / 2) }
    return counts
  }

  /// ln of an upper bound of the probability that at least `correct` of `guesses` guesses are right if the program is (ε, δ)-differentially
  /// private: far below 0 where such a claim is not to be believed. For one guess count that was fixed beforehand.
  /// - Throws: `.parameterOutOfRange` as above, and unless 0 ≤ epsilon ≤ 100.
  public static func logProbability(
    canaries: Int, guesses: Int, correct: Int, epsilon: Double, delta: Double, tail: AuditTail = .published
  ) throws(AccountingError) -> Double {
    try AuditRange.check(canaries: canaries, guesses: guesses, correct: correct, delta: delta)
    try AuditRange.check(epsilon: epsilon)
    guard correct > 0 else { return 0 }
    let excess = Upward.multiply(Double(canaries), delta)
    return GuessTail(table: BinomialTable(trials: guesses), correct: correct, excess: excess, kind: tail).logProbability(epsilon: epsilon)
  }
}
