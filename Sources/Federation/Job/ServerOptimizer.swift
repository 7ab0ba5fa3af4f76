// The server's step: the mean update is added to the weights (FedAvg, McMahan et al. 2017, algorithm 1). Scalar IEEE arithmetic in
// index order, each value rounded to Float once, so that whoever applies the same sum gets the same bits on any processor.

public enum ServerOptimizer {
  /// Weights after the round.
  ///
  /// - Parameters:
  ///   - weights: the weights that the round started from.
  ///   - meanUpdate: Σ w·Δ / Σ w of the sites in the sum, same length.
  /// - Precondition: equal lengths. A result that is not finite is a caller's bug: decoding refuses such sums.
  public static func federatedAverage(_ weights: [Float], meanUpdate: [Double]) -> [Float] {
    precondition(weights.count == meanUpdate.count, "weights and update have different lengths")
    var out = weights
    for index in out.indices { out[index] = Float(Double(out[index]) + meanUpdate[index]) }
    return out
  }
}
