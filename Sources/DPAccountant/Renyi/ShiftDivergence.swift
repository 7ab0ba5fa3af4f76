// Rényi divergence between the sum of discrete Gaussians and the same sum shifted by an integer, from the periodic factor of its
// probabilities. p(x) = u(x)·exp(−x²/2s²) / N, hence ln p(x − k) / p(x) = ln u(x − k) − ln u(x) + (2xk − k²) / 2s².
import Foundation

struct ShiftDivergence: Sendable {
  let factor: LatticeFactor
  private let logNorm: Double

  init(_ factor: LatticeFactor) {
    self.factor = factor
    let total = factor.total
    let reach = Int((total * 2 * (45 + factor.spread)).squareRoot()) + 1
    logNorm = LogSpace.sum((-reach...reach).map { factor.log($0) - Double($0) * Double($0) / (2 * total) })
  }

  /// D_α(p shifted by k ‖ p), rounded up; the same in the other direction, p being even.
  func divergence(order: Double, shift k: Int) -> Double {
    if k == 0 { return 0 }
    let (square, total) = (Double(k) * Double(k), factor.total)
    let plain = order * square / (2 * total)
    let excess = (order - 1) * plain
    if excess > 1 || square > 50 * total { return direct(order, k, plain) }
    let log = centred(order, k)
    return min(LogExcess(log: log, error: 2e-11).divergence(order: order), .greatestFiniteMagnitude)
  }

  /// αk²/2s² + ln Σ_x u(x − k)^α u(x)^{1−α} exp(−(x − αk)²/2s²) / N / (α − 1).
  private func direct(_ order: Double, _ k: Int, _ plain: Double) -> Double {
    let centre = order * Double(k)
    let terms = range(order, centre...centre).map { x in
      let distance = Double(x) - centre
      return order * factor.log(x - k) + (1 - order) * factor.log(x) - distance * distance / (2 * factor.total)
    }
    let log = LogSpace.sum(terms) - logNorm
    let error = 1e-13 + Upward.unit * 4 * (order * factor.spread + 50 + centre / factor.total.squareRoot())
    return Upward.inflate(plain + (log + error) / (order - 1), relative: 16 * Upward.unit)
  }

  /// ln(A − 1) with A − 1 = E_p[(1 + y)^α − 1 − αy] ≥ 0 and 1 + y = p(x − k) / p(x): E_p[y] = 0.
  private func centred(_ order: Double, _ k: Int) -> Double {
    let (step, total) = (Double(k), factor.total)
    let terms = range(order, 0...(order * step)).map { x -> Double in
      let here = factor.log(x)
      let ratio = factor.log(x - k) - here + step * (2 * Double(x) - step) / (2 * total)
      return log(LogSpace.excessPower(expm1(ratio), order)) + here - Double(x) * Double(x) / (2 * total)
    }
    return LogSpace.sum(terms) - logNorm
  }

  /// The integers within reach of `centres`: what is left out is below e^−45 of what is summed, u varying by e^spread at most.
  private func range(_ order: Double, _ centres: ClosedRange<Double>) -> ClosedRange<Int> {
    let reach = (factor.total * 2 * (45 + (order + 1) * factor.spread)).squareRoot() + 1
    return Int((centres.lowerBound - reach).rounded(.down))...Int((centres.upperBound + reach).rounded(.up))
  }

  /// max_{1 ≤ k ≤ shifts} D_α(k) / k², or more. For every k, D_α(k) ≤ αk²/2s² + (α + 1)·spread / (α − 1), also with any larger α in place
  /// of α: once that is within 1e-10 of the largest so far, it stands for all further k.
  func largestPerSquare(order: Double, shifts: Int, oneByOne: Int) -> Double {
    func rest(_ k: Int) -> Double {
      let bounds = [order, max(order, 2), max(order, 8)].map { alpha in
        alpha / (2 * factor.total) + (alpha + 1) / (alpha - 1) * factor.spread / (Double(k) * Double(k))
      }
      return Upward.inflate(bounds.min() ?? .infinity, relative: 1e-13)
    }
    var largest = 0.0
    var k = 1
    while k <= shifts {
      if rest(k) <= largest * (1 + 1e-10) { return max(largest, rest(k)) }
      if k > oneByOne { return max(largest, rest(k)) }
      largest = max(largest, Upward.divide(divergence(order: order, shift: k), Double(k) * Double(k)))
      k += 1
    }
    return largest
  }
}
