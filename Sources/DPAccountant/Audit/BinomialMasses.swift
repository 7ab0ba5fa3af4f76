// The binomial distribution of right guesses as logarithms, each with a bound of its error: with ten thousand guesses the probabilities
// themselves leave the doubles.
import Foundation

/// ln C(r, k) for all k, made once for many ε.
struct BinomialTable: Sendable {
  let trials: Int
  private let logChoose: [Double]
  /// What the rounding of each grows with: the magnitudes of the logarithms that were added up, and one for each.
  private let magnitude: [Double]

  /// - Precondition: trials ≥ 1.
  init(trials: Int) {
    precondition(trials >= 1, "a binomial distribution has a trial")
    var (sum, reach) = (CompensatedSum(), 0.0)
    var choose = [Double](repeating: 0, count: trials + 1)
    var magnitude = choose
    // From C(r, r) = 1 down, so that what is near r, where many right guesses are, has the smallest error.
    for k in stride(from: trials, to: 0, by: -1) {
      let step = log(Double(k) / Double(trials - k + 1))
      sum.add(step)
      reach += abs(step) + 1
      choose[k - 1] = sum.value
      magnitude[k - 1] = reach
    }
    (self.trials, logChoose, self.magnitude) = (trials, choose, magnitude)
  }

  /// P[W = k] for W ~ Bin(r, q), q = 1/(1 + e^−ε), ε ≥ 0.
  func masses(epsilon: Double) -> Masses {
    // ln P[W = k] = ln C(r, k) + r·ln q − (r − k)·ε, as ln(1 − q) = ln q − ε.
    Masses(table: self, epsilon: epsilon, allRight: -Double(trials) * log1p(exp(-epsilon)))
  }

  struct Masses {
    fileprivate let table: BinomialTable
    let epsilon: Double
    /// r·ln q.
    fileprivate let allRight: Double

    func log(_ k: Int) -> Double { table.logChoose[k] + (allRight - Double(table.trials - k) * epsilon) }

    /// How far `log(k)` may be off; it grows from k = r down. A logarithm in the table is off by its own units and half a unit of its
    /// quotient; ln q by 8 units of it, as the exponential's error counts (1 − q) times and 1 − q ≤ −ln q.
    func error(_ k: Int) -> Double {
      let parts = table.magnitude[k] - allRight + Double(table.trials - k) * epsilon
      return 4 * Upward.libraryUnits * Upward.unit * (parts + 1)
    }
  }
}
