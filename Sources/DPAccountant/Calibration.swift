// The noise multiplier for a target, and the number of releases for a budget: searches that end on the safe side.
import Foundation

public enum Calibration {
  /// Where noise multipliers are searched.
  public static let searchRange = 0.05...1e6
  /// How far above the smallest sufficient noise multiplier the result may lie, relatively.
  public static let tolerance = 1e-6

  /// The smallest noise multiplier, 1e-6 relative at most above it, whose event stays within (epsilon, delta).
  /// - Parameter event: the whole job's event for a given noise multiplier; more noise must not cost more.
  /// - Throws: `.targetOutOfReach` where even the range's end is not enough; `.parameterOutOfRange`, `.unsupportedEvent`.
  public static func noiseMultiplier(
    epsilon: Double, delta: Double, relation: NeighbourRelation = .addOrRemove, _ event: (Double) -> NoiseEvent
  ) throws(AccountingError) -> Double {
    try checkTarget(epsilon)
    var start = RenyiAccountant.firstGuess
    return try smallest(epsilon: epsilon, delta: delta) { sigma throws(AccountingError) in
      var accountant = try RenyiAccountant(relation: relation)
      try accountant.compose(event(sigma))
      return try accountant.epsilon(delta: delta, rule: .improved, start: &start).epsilon
    }
  }

  /// As `noiseMultiplier`, for any account whose ε falls with the noise.
  static func smallest(
    epsilon: Double, delta: Double, _ cost: (Double) throws(AccountingError) -> Double
  ) throws(AccountingError) -> Double {
    /// ln of ε over its target: positive where the noise is too small.
    func excess(_ sigma: Double) throws(AccountingError) -> Double { log(try cost(sigma) / epsilon) }
    var (low, high, atLow, atHigh) = (1.0, 1.0, try excess(1), 0.0)
    if atLow > 0 {
      repeat {
        if high > low { (low, atLow) = (high, atHigh) }
        guard high < searchRange.upperBound else {
          throw AccountingError(.targetOutOfReach, "no noise multiplier up to 1e6 gives epsilon \(epsilon) at delta \(delta)")
        }
        high = min(4 * high, searchRange.upperBound)
        atHigh = try excess(high)
      } while atHigh > 0
    } else {
      atHigh = atLow
      repeat {
        if low < high { (high, atHigh) = (low, atLow) }
        if high <= searchRange.lowerBound { return high }
        low = max(low / 2, searchRange.lowerBound)
        atLow = try excess(low)
      } while atLow <= 0
    }
    var isSecant = true
    while high > low * (1 + tolerance) {
      // In logarithms ε is nearly a straight line: the secant, set a little to the safe side; bisection where it does not help.
      let (left, right) = (log(low), log(high))
      var middle = exp((left + right) / 2)
      if isSecant, atLow.isFinite, atHigh.isFinite {
        let secant = exp(right - atHigh * (right - left) / (atHigh - atLow))
        let aim = secant * (1 + tolerance / 3)
        middle = aim < high / (1 + tolerance / 3) ? max(aim, low * (1 + tolerance / 3)) : high / (1 + tolerance * 0.9)
      }
      // A few doubles apart there is nothing between them.
      guard middle > low, middle < high else { break }
      let before = high / low
      let value = try excess(middle)
      if value > 0 { (low, atLow) = (middle, value) } else { (high, atHigh) = (middle, value) }
      isSecant = log(high / low) < log(before) / 2 || !isSecant
    }
    return high
  }

  /// The largest number of repetitions of `event` that stays within (epsilon, delta), at most 2^53.
  /// - Throws: `.parameterOutOfRange`, `.unsupportedEvent`; `.targetOutOfReach` where not even one release does.
  public static func steps(
    epsilon: Double, delta: Double, relation: NeighbourRelation = .addOrRemove, _ event: NoiseEvent
  ) throws(AccountingError) -> Int {
    try checkTarget(epsilon)
    // One release is priced once; repetitions only change its count.
    var once = try RenyiAccountant(relation: relation)
    try once.compose(event)
    let first = once
    func meets(_ count: Int) throws(AccountingError) -> Bool {
      var accountant = first
      try accountant.compose(event, count: count - 1)
      return try accountant.epsilon(delta: delta).epsilon <= epsilon
    }
    guard try meets(1) else { throw AccountingError(.targetOutOfReach, "one release already costs more than epsilon \(epsilon)") }
    var (good, bad) = (1, 2)
    while bad <= RenyiAccountant.countMax, try meets(bad) { (good, bad) = (bad, 2 * bad) }
    if bad > RenyiAccountant.countMax { return good }
    while bad - good > 1 {
      let middle = good + (bad - good) / 2
      if try meets(middle) { good = middle } else { bad = middle }
    }
    return good
  }

  static func checkTarget(_ epsilon: Double) throws(AccountingError) {
    guard epsilon > 0, epsilon.isFinite else { throw AccountingError(.parameterOutOfRange, "a target epsilon is positive and finite") }
  }
}
