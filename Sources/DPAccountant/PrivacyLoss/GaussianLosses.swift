// Gaussian releases without sampling, in closed form: however many there are, together they are one (spec/10, "Gaussians in closed form"),
// and the δ of one is a difference of two normal tails.
import Foundation

struct GaussianLosses: ComposedLoss {
  /// The distance of the two normals in standard deviations, rounded to the safe side.
  private let distance: Double
  private let isPessimistic: Bool

  /// - Parameter precision: Σ 1 / σ² over the releases.
  init(precision: Double, isPessimistic: Bool) {
    distance = precision.squareRoot() * (isPessimistic ? 1 + GaussianLosses.precisionError : 1 - GaussianLosses.precisionError)
    self.isPessimistic = isPessimistic
  }

  /// 1 / σ² of a release, 0 where it is no plain Gaussian. A step of a tree is in several nodes.
  static func precision(_ event: NoiseEvent) -> Double {
    switch event {
    case .gaussian(let sigma): 1 / (sigma * sigma)
    case .treeAggregation(let sigma, let steps): Double(steps.map { Int.bitWidth - $0.leadingZeroBitCount }.max() ?? 1) / (sigma * sigma)
    case .poissonSampled(let rate, let inner) where rate == 1: precision(inner)
    default: 0
    }
  }

  /// Equal releases of that precision together, each with noise that a grid takes.
  static func releases(precision: Double, isPessimistic: Bool) -> (noiseMultiplier: Double, count: Int) {
    if precision == 0 { return (1, 0) }
    let count = max(1, (precision * 0.05 * 0.05 * (1 + 1e-9)).rounded(.up))
    return ((count / precision).squareRoot() * (1 + (isPessimistic ? -precisionError : precisionError)), Int(count))
  }

  /// A sum of 64 precisions at most, each off by three units.
  private static let precisionError = 1e-14

  /// With x = ε/μ − μ/2 and y = x + μ: δ = Q(x) − e^ε·Q(y) = density(x)·(Mills(x) − Mills(y)), which falls in x. Its edge is looked for
  /// among doubles, δ being taken with its error on the safe side.
  func epsilon(delta: Double) -> Double {
    func isMet(_ x: Double) -> Bool {
      // A tail's ratio falls more slowly than 1 / y: rounding of y is one of its units.
      let (near, far) = (Self.tailOverDensity(x), Self.tailOverDensity(x + distance))
      let error = (64 + 2 * x * x) * Upward.unit * (isPessimistic ? 1 : -1)
      return exp(-x * x / 2) / (2 * Double.pi).squareRoot() * (1 + error) * (near - far + (near + far) * error) <= delta
    }
    // Below −37 one tail is 1 and the other nothing; above the other end, e^{−x²/2} alone is below δ.
    var (low, high) = (max(-distance / 2, -37), (2 * log(1 / delta)).squareRoot() + 1)
    if low == -distance / 2, isMet(low) { return 0 }
    while case let middle = (low + high) / 2, middle > low, middle < high {
      if isMet(middle) { high = middle } else { low = middle }
    }
    let (x, error) = (isPessimistic ? high : low, 8 * Upward.unit * (distance * distance + 40 * distance))
    return max(0, distance * (x + distance / 2) + (isPessimistic ? error : -error))
  }

  /// Q(x) / density(x), the Mills ratio: good to 30 + x² units below 6 (libm's erfc and the exponent), to 30 above.
  private static func tailOverDensity(_ x: Double) -> Double {
    guard x > 6 else { return (Double.pi / 2).squareRoot() * erfc(x / 2.0.squareRoot()) * exp(x * x / 2) }
    // Laplace's continued fraction: 40 levels leave less than 1e-40.
    return 1 / (1...40).reversed().reduce(x) { x + Double($1) / $0 }
  }
}
