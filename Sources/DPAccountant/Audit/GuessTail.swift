// The probability of many right guesses about canaries under (ε, δ)-differential privacy, rounded up (spec/14-auditing.md, "The tail").
import Foundation

/// Which bound of the tail an audit takes. Both hold; W ~ Bin(r, 1/(1 + e^−ε)) and β = P[W ≥ v].
public enum AuditTail: String, Sendable, CaseIterable {
  /// β + 2mδ·max_i P[v − i ≤ W < v]/i (Steinke, Nasr, Jagielski 2023, theorem 5.2), or `tight` where that is larger: its figures can be
  /// compared with the literature's.
  case published
  /// β + mδ·β(1 − β)/(v·P[W = v]): proved in spec/14, where programs are shown that reach it. Its ε are at least as large.
  case tight
}

/// The tail of one count of right guesses as a function of ε.
struct GuessTail {
  let table: BinomialTable
  let correct: Int
  /// mδ, rounded up.
  let excess: Double
  let kind: AuditTail

  /// - Precondition: 1 ≤ correct ≤ the table's trials; excess ≥ 0 and finite.
  init(table: BinomialTable, correct: Int, excess: Double, kind: AuditTail) {
    precondition((1...table.trials).contains(correct) && excess >= 0 && excess.isFinite, "a tail begins at a right guess")
    (self.table, self.correct, self.excess, self.kind) = (table, correct, excess, kind)
  }

  /// ln of the bound of P[at least `correct` guesses are right], at most 0, never below the exact one.
  func logProbability(epsilon: Double) -> Double {
    let masses = table.masses(epsilon: epsilon)
    let above = GuessTail.logSum(masses, correct...table.trials)
    guard excess > 0 else { return min(0, above.up) }
    var part = tightPart(masses, above)
    if kind == .published { part = max(part, (GuessTail.logUp(2 * excess) + logBestWindow(masses)).nextUp) }
    let (large, small) = (max(above.up, part), min(above.up, part))
    return min(0, (large + Upward.logOnePlusExp((small - large).nextUp, error: 0)).nextUp)
  }

  /// ln of mδ·β(1 − β)/(v·P[W = v]).
  private func tightPart(_ masses: BinomialTable.Masses, _ above: (up: Double, down: Double)) -> Double {
    // 1 − β loses its digits where β is nearly 1; what lies below v is added up instead.
    var below = above.down < 0 ? GuessTail.logUp(Upward.inflate(-expm1(above.down), relative: 2 * Upward.libraryUnits * Upward.unit)) : 0
    if above.up > -0.7 { below = min(below, GuessTail.logSum(masses, 0...correct - 1).up) }
    let mass = masses.log(correct) - masses.error(correct)
    let parts = [GuessTail.logUp(excess), above.up, below, -log(Double(correct)), -mass]
    return (parts.reduce(0) { ($0 + $1).nextUp } + Upward.libraryUnits * Upward.unit * log(Double(correct))).nextUp
  }

  /// ln of max_i P[v − i ≤ W < v]/i, i = 1 … v.
  private func logBestWindow(_ masses: BinomialTable.Masses) -> Double {
    // Any scale near the largest term does; all terms together are below 2e^−scale.
    let right = 1 / (1 + exp(-masses.epsilon))
    let scale = masses.log(min(correct - 1, Int(Double(table.trials + 1) * right)))
    var (sum, best, i) = (CompensatedSum(), 0.0, 0.0)
    for k in stride(from: correct - 1, through: 0, by: -1) {
      i += 1
      sum.add(exp(masses.log(k) + masses.error(k) - scale))
      best = max(best, sum.value / i)
      if 2 * exp(-scale) <= best * i { break }
    }
    return (GuessTail.logUp(Upward.inflate(best, relative: 16 * Upward.unit)) + scale).nextUp
  }

  /// ln Σ P[W = k] over a range, and how low it may be.
  private static func logSum(_ masses: BinomialTable.Masses, _ range: ClosedRange<Int>) -> (up: Double, down: Double) {
    let sum = LogSpace.sum(range.map(masses.log))
    // Each term's own error, the largest at the range's lower end; then that of exponentials, whose arguments are below ln 10^6 on
    // average where they count, and that of the logarithm of their sum, which is up to 10^6.
    let error = masses.error(range.lowerBound) + 128 * Upward.unit + 4 * Upward.unit * abs(sum)
    return ((sum + error).nextUp, (sum - error).nextDown)
  }

  private static func logUp(_ value: Double) -> Double {
    let log = log(value)
    return (log + abs(log) * Upward.libraryUnits * Upward.unit).nextUp
  }
}
