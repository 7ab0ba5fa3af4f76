// The server's step: the mean update is added to the weights (FedAvg, McMahan et al. 2017, algorithm 1), with momentum a part of the
// last step again (FedAvgM, Hsu et al. 2019, "Measuring the Effects of Non-Identical Data Distribution for Federated Visual
// Classification"). The last step is the difference of two saved weights, so there is no further state to keep or to lose. Scalar IEEE
// arithmetic in index order, each value rounded to Float once, so that whoever applies the same sum gets the same bits on any processor.

public enum ServerOptimizer {
  /// Weights after the round: w + Δ̄ + momentum · (w − w of the round before).
  ///
  /// - Parameters:
  ///   - weights: the weights that the round started from.
  ///   - before: the weights that the round before started from, same length; nil where there was none, or without momentum.
  ///   - momentum: at least 0, below 1.
  ///   - meanUpdate: Σ w·Δ / Σ w of the sites in the sum, same length.
  /// - Precondition: equal lengths. A result that is not finite is a caller's bug: decoding refuses such sums.
  public static func step(_ weights: [Float], before: [Float]? = nil, momentum: Double = 0, meanUpdate: [Double]) -> [Float] {
    precondition(weights.count == meanUpdate.count, "weights and update have different lengths")
    precondition(before.map { $0.count == weights.count } ?? true, "two rounds' weights have different lengths")
    var out = weights
    for index in out.indices {
      let weight = Double(weights[index])
      let velocity = before.map { momentum * (weight - Double($0[index])) } ?? 0
      out[index] = Float(weight + (meanUpdate[index] + velocity))
    }
    return out
  }
}
