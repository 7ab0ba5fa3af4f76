// The losses of one release in one direction of the neighbours, on a grid: what is convolved. Bounds go one way: pessimistic masses are at
// or above those of a pair that dominates the release, optimistic ones at or below those of a pair that it dominates.
import Foundation

struct DirectedLosses: Sendable {
  let interval: Double
  /// Grid index of the first mass.
  let first: Int
  /// Probability, under the first distribution, of each loss.
  let masses: [Double]
  /// Probability of an infinite loss.
  let infinite: Double

  func loss(_ index: Int) -> Double { Double(first + index) * interval }

  /// ln Σ mass·e^{s·loss}: the cumulant generating function of the finite losses.
  func cumulant(_ s: Double) -> Double {
    // Within a block the exponential is a geometric sequence; 256 multiplications lose nothing that matters, and must not overflow.
    let ratio = exp(s * interval)
    let block = max(1, min(256, Int(300 / max(abs(s) * interval, 1))))
    let anchor = s >= 0 ? loss(masses.count - 1) : loss(0)
    var total = 0.0
    for start in stride(from: 0, to: masses.count, by: block) {
      var (weight, sum) = (1.0, 0.0)
      for index in start..<min(start + block, masses.count) {
        sum += masses[index] * weight
        weight *= ratio
      }
      total += sum * exp(s * (loss(start) - anchor))
    }
    return log(total) + s * anchor
  }

  /// Both directions of a pessimistic grid: with the record in the first distribution, and in the second.
  static func both(_ grid: LossGrid) -> (removed: DirectedLosses, added: DirectedLosses) {
    let (h, count) = (grid.interval, grid.masses.count)
    let removed = grid.masses.enumerated().map { $1 * exp(Double(grid.first + $0) * h) }
    return (
      DirectedLosses(interval: h, first: grid.first, masses: removed, infinite: grid.missing),
      DirectedLosses(interval: h, first: -(grid.first + count - 1), masses: grid.masses.reversed(), infinite: grid.missing)
    )
  }
}
