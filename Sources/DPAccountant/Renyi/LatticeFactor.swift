// The sum of h discrete Gaussians N_Z(0, σ²) is not quite a Gaussian on the integers: its probabilities are u(x)·exp(−x² / 2hσ²) with a
// factor u that has period h exactly, because shifting all summands by one multiplies a Gaussian by an exponential (spec/10, "The
// periodic factor"). One period of ln u is therefore the whole distribution, tails and all.
import Foundation

struct LatticeFactor: Sendable {
  /// Largest work that one factor may take, in multiplications.
  static let workMax = 4e7

  /// h, the number of summands.
  let period: Int
  /// σ² of one summand.
  let variance: Double
  /// ln u(x) − ln u(0) for 0 ≤ x < h, exact to a few units of 1e-16.
  let logs: [Double]
  /// Largest minus smallest of `logs`, rounded up.
  let spread: Double

  /// h·σ².
  var total: Double { Double(period) * variance }

  /// Whether the factor can be had in reasonable time.
  private static func isFeasible(count: Int, variance: Double) -> Bool {
    guard count > 1 else { return variance >= 1e-3 && variance <= 1e9 }
    let h = Double(count)
    return variance >= 1.0 / 16 && variance <= 64 && h * (80 * h * variance).squareRoot() * 4 < workMax
      && (160 * variance * h * h * h / 4).squareRoot() < workMax
  }

  /// ln u(x) − ln u(0), any x.
  func log(_ x: Int) -> Double {
    let rest = x % period
    return logs[rest < 0 ? rest + period : rest]
  }

  /// nil where it cannot be had: too much work, or a factor that varies beyond what a double holds.
  init?(count: Int, variance: Double) {
    guard count > 0, LatticeFactor.isFeasible(count: count, variance: variance) else { return nil }
    (period, self.variance) = (count, variance)
    var factor = [DoubleDouble(1)]
    // Binary expansion of h from its second digit: double, then add one where the digit says so.
    for bit in stride(from: Int.bitWidth - count.leadingZeroBitCount - 2, through: 0, by: -1) {
      factor = LatticeFactor.sum(factor, factor, variance)
      if count >> bit & 1 == 1 { factor = LatticeFactor.sum(factor, [DoubleDouble(1)], variance) }
    }
    let first = factor[0]
    logs = factor.map { $0.high < 0.5 ? Foundation.log(($0 / first).double) : log1p((($0 - first) / first).double) }
    guard logs.allSatisfy({ abs($0) < 400 }) else { return nil }
    spread = ((logs.max() ?? 0) - (logs.min() ?? 0)) * (1 + 1e-12)
  }

  /// u of a + b summands from those of a and of b: u(x) = Σ_y u_a(y) u_b(x − y) exp(−(y − a x / (a + b))² (a + b) / 2σ²ab), all terms
  /// positive. What lies beyond the cut is e^−75 of what is summed.
  private static func sum(_ left: [DoubleDouble], _ right: [DoubleDouble], _ variance: Double) -> [DoubleDouble] {
    let (a, b) = (left.count, right.count)
    let n = a + b
    let kernel = kernel(a, b, variance, cut: 80 + 2 * (spread(left) + spread(right)))
    var result: [DoubleDouble] = []
    result.reserveCapacity(n)
    for x in 0...(n / 2) {
      // All y with |n·y − a·x| < kernel.count, from the smallest on.
      let bound = a * x - (kernel.count - 1)
      var (y, total) = (bound >= 0 ? (bound + n - 1) / n : -(-bound / n), DoubleDouble(0))
      while n * y - a * x < kernel.count {
        total = total + left[residue(y, a)] * right[residue(x - y, b)] * kernel[abs(n * y - a * x)]
        y += 1
      }
      result.append(total)
    }
    // u is even and periodic: the other half is the mirror image. Only ratios matter, so the scale is set back to 1.
    for x in result.count..<n { result.append(result[n - x]) }
    let scale = result[0]
    return result.map { $0 / scale }
  }

  private static func residue(_ x: Int, _ period: Int) -> Int {
    let rest = x % period
    return rest < 0 ? rest + period : rest
  }

  private static func spread(_ factor: [DoubleDouble]) -> Double {
    let values = factor.map(\.high)
    return Foundation.log((values.max() ?? 1) / (values.min() ?? 1))
  }

  /// g^{d²} for d = 0, 1, …, where g = exp(−1 / 2σ²ab(a + b)), down to e^−cut.
  private static func kernel(_ a: Int, _ b: Int, _ variance: Double, cut: Double) -> [DoubleDouble] {
    let product = DoubleDouble(2 * variance) * DoubleDouble(Double(a) * Double(b)) * DoubleDouble(Double(a + b))
    let base = DoubleDouble.expNegative(DoubleDouble(1) / product)
    let square = base * base
    var values = [DoubleDouble(1)]
    var ratio = base
    for _ in 0..<Int((cut * product.high).squareRoot().rounded(.up)) {
      values.append(values[values.count - 1] * ratio)
      ratio = ratio * square
    }
    return values
  }
}
