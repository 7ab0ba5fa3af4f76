// The largest ε that a count of right guesses refutes. The search ends on an ε whose tail, rounded up, was computed and is small enough:
// the bound is rounded down, and needs no monotony to hold (spec/14-auditing.md, "The bound").
import Foundation

struct AuditSearch {
  /// mδ, rounded up.
  private let excess: Double
  /// ln((1 − confidence)/tests), rounded down.
  private let logLevel: Double
  private let tail: AuditTail
  /// The bracket's width at the end, relatively.
  static let tolerance = 1e-13

  /// - Precondition: parameters that `AuditRange` took; tests ≥ 1.
  init(canaries: Int, delta: Double, confidence: Double, tests: Int, tail: AuditTail) {
    excess = Upward.multiply(Double(canaries), delta)
    // 1 − confidence is exact from ½ on.
    let log = log(((1 - confidence) / Double(tests)).nextDown)
    logLevel = (log - abs(log) * Upward.libraryUnits * Upward.unit).nextDown
    self.tail = tail
  }

  /// The bound for `correct` right guesses, and the one for all.
  func bounds(guesses: Int, correct: Int) -> (shown: Double, possible: Double) {
    guard guesses > 0 else { return (0, 0) }
    let table = BinomialTable(trials: guesses)
    func bound(_ correct: Int) -> Double {
      correct == 0 ? 0 : largest(GuessTail(table: table, correct: correct, excess: excess, kind: tail))
    }
    let possible = bound(guesses)
    return (correct == guesses ? possible : bound(correct), possible)
  }

  private func largest(_ tail: GuessTail) -> Double {
    func isRefuted(_ epsilon: Double) -> Bool { tail.logProbability(epsilon: epsilon) <= logLevel }
    guard isRefuted(0) else { return 0 }
    // It ends: P[W ≥ v] nears 1, and the level is at most ½.
    var (low, high) = (0.0, 1.0)
    while isRefuted(high) { (low, high) = (high, 2 * high) }
    while high - low > AuditSearch.tolerance * high {
      let middle = low + (high - low) / 2
      if isRefuted(middle) { low = middle } else { high = middle }
    }
    return low
  }
}
