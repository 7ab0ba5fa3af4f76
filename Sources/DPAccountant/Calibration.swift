// The noise multiplier for a target: bisection that ends on the safe side, within 1e-6 of the smallest sufficient one.

public enum Calibration {
  /// Where noise multipliers are searched.
  public static let searchRange = 0.05...1e6

  /// The smallest noise multiplier, 1e-6 relative at most above it, whose event stays within (epsilon, delta).
  /// - Parameter event: the whole job's event for a given noise multiplier; more noise must not cost more.
  /// - Throws: `.targetOutOfReach` where even the range's end is not enough; `.parameterOutOfRange`, `.unsupportedEvent`.
  public static func noiseMultiplier(
    epsilon: Double, delta: Double, relation: NeighbourRelation = .addOrRemove, _ event: (Double) -> NoiseEvent
  ) throws(AccountingError) -> Double {
    guard epsilon > 0, epsilon.isFinite else {
      throw AccountingError(.parameterOutOfRange, "a target epsilon is positive and finite")
    }
    func meets(_ sigma: Double) throws(AccountingError) -> Bool {
      var accountant = try RenyiAccountant(relation: relation)
      try accountant.compose(event(sigma))
      return try accountant.epsilon(delta: delta).epsilon <= epsilon
    }
    var (low, high) = (searchRange.lowerBound, 1.0)
    if try meets(low) { return low }
    while !(try meets(high)) {
      low = high
      high *= 4
      guard high <= searchRange.upperBound else {
        throw AccountingError(.targetOutOfReach, "no noise multiplier up to 1e6 gives epsilon \(epsilon) at delta \(delta)")
      }
    }
    while high > low * (1 + 1e-6) {
      let middle = (low * high).squareRoot()
      // Two doubles apart there is nothing between them.
      guard middle > low, middle < high else { break }
      if try meets(middle) { high = middle } else { low = middle }
    }
    return high
  }
}
