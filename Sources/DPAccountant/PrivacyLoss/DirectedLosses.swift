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

  /// Masses times e^{tilt·loss}, of sum 1.
  func tilted(_ tilt: Double) -> [Double] {
    let norm = cumulant(tilt)
    return masses.enumerated().map { $1 == 0 ? 0 : $1 * exp(tilt * loss($0) - norm) }
  }

  /// ln Σ mass·e^{s·loss}: the cumulant generating function of the finite losses.
  func cumulant(_ s: Double) -> Double {
    // Within a block the exponential is a geometric sequence, in eight lanes; 32 multiplications lose nothing that matters, and must not
    // overflow.
    let (ratio, eighth) = (exp(8 * s * interval), exp(s * interval))
    let block = 8 * max(1, min(32, Int(37 / max(abs(s) * interval, 1))))
    let anchor = s >= 0 ? loss(masses.count - 1) : loss(0)
    var powers = SIMD8<Double>(repeating: 1)
    for lane in 1..<8 { powers[lane] = powers[lane - 1] * eighth }
    var total = 0.0
    masses.withUnsafeBufferPointer { masses in
      for start in stride(from: 0, to: masses.count, by: block) {
        var (weight, sum) = (powers, SIMD8<Double>.zero)
        let end = min(start + block, masses.count)
        var index = start
        while index + 8 <= end {
          let next = SIMD8(
            masses[index], masses[index + 1], masses[index + 2], masses[index + 3], masses[index + 4], masses[index + 5], masses[index + 6],
            masses[index + 7])
          sum += next * weight
          weight *= ratio
          index += 8
        }
        for lane in 0..<(end - index) { sum[lane] += masses[index + lane] * weight[lane] }
        total += sum.sum() * exp(s * (loss(start) - anchor))
      }
    }
    return log(total) + s * anchor
  }

  /// Both directions of a pessimistic grid: with the record in the first distribution, and in the second.
  static func both(_ grid: LossGrid) -> (removed: DirectedLosses, added: DirectedLosses) {
    let (h, count) = (grid.interval, grid.masses.count)
    let removed = grid.masses.enumerated().map { $1 == 0 ? 0 : $1 * exp(Double(grid.first + $0) * h) }
    return (
      DirectedLosses(interval: h, first: grid.first, masses: removed, infinite: grid.missing),
      DirectedLosses(interval: h, first: -(grid.first + count - 1), masses: grid.masses.reversed(), infinite: grid.missing)
    )
  }
}
