// How samples are compared with a distribution: Pearson's statistic over cells that cover every integer, and moments. Probabilities in
// double precision, computed in another way than the samplers' (the Skellam ones by Miller's backward recurrence).
import Foundation

@testable import DPAccountant

/// Probabilities of −reach … reach and of what lies beyond on either side.
struct CellModel {
  /// Samples x go to cell (x + reach), from there to a group; everything beyond is the first or last group.
  let reach: Int
  let group: [Int]
  let probability: [Double]

  /// - Parameters:
  ///   - pmf: of 0 … reach.
  ///   - least: smallest expected share of a group.
  init(pmf: [Double], least: Double) {
    reach = pmf.count - 1
    var group: [Int] = []
    var probability: [Double] = []
    let beyond = max(0, (1 - pmf[0] - 2 * pmf.dropFirst().reduce(0, +)) / 2)
    var open = beyond
    // Ascending x; a group closes when it is large enough, so that the outermost holds the tail.
    for x in -reach...reach {
      group.append(probability.count)
      open += pmf[abs(x)]
      if open >= least {
        probability.append(open)
        open = 0
      }
    }
    // What did not fill a group joins the last one, with the tail beyond.
    probability[probability.count - 1] += open + beyond
    self.group = group.map { min($0, probability.count - 1) }
    self.probability = probability
  }

  func counts(_ samples: some Sequence<Int64>) -> [Int] {
    var counts = [Int](repeating: 0, count: probability.count)
    for sample in samples { counts[group[min(max(Int(sample) + reach, 0), 2 * reach)]] += 1 }
    return counts
  }

  /// Pearson's statistic in standard deviations (Wilson and Hilferty 1931): above z with probability about erfc(z/√2)/2.
  func deviation(_ counts: [Int]) -> Double {
    let total = Double(counts.reduce(0, +))
    var statistic = 0.0
    for (count, share) in zip(counts, probability) {
      let expected = share * total
      statistic += (Double(count) - expected) * (Double(count) - expected) / expected
    }
    let freedom = Double(probability.count - 1)
    let spread = 2 / (9 * freedom)
    return (cbrt(statistic / freedom) - (1 - spread)) / spread.squareRoot()
  }
}

enum Pmf {
  /// exp(−m²/2σ²) for m = 0 … reach, normalised over the integers.
  static func gaussian(variance: Double, reach: Int) -> [Double] {
    let far = max(reach, Int(40 * variance.squareRoot()) + 4)
    let weights = (0...far).map { exp(-Double($0) * Double($0) / (2 * variance)) }
    return normalised(weights, reach)
  }

  /// e^−μ I_m(μ), by I_{m−1} = I_{m+1} + (2m/μ) I_m from far out.
  static func skellam(variance: Double, reach: Int) -> [Double] {
    let far = max(reach, Int(40 * variance.squareRoot()) + 60)
    var weights = [Double](repeating: 0, count: far + 2)
    weights[far] = 1e-280
    for m in stride(from: far, to: 0, by: -1) {
      weights[m - 1] = weights[m + 1] + 2 * Double(m) / variance * weights[m]
      if weights[m - 1] > 1e250 { for index in (m - 1)...far { weights[index] *= 1e-280 } }
    }
    return normalised(weights, reach)
  }

  private static func normalised(_ weights: [Double], _ reach: Int) -> [Double] {
    let total = weights[0] + 2 * weights.dropFirst().reversed().reduce(0, +)
    return weights.prefix(reach + 1).map { $0 / total }
  }
}
