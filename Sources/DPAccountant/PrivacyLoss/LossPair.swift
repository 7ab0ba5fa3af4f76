// The pair of output distributions that costs most: a base measure and, at each of its points, the logarithm of the shifted density over
// it. Points are atoms or lie on a line where that logarithm is affine; Gaussian, Laplace and discrete Gaussian noise are such.
import Foundation

struct LossPair: Sendable {
  /// A point of the base measure. `exponent` is ln(shifted / base).
  struct Atom: Sendable {
    let mass: Double
    let exponent: Double
  }

  enum Density: Sendable {
    /// exp(−y² / 2) / √2π.
    case normal
    /// exp(−y) / 2.
    case halfExponential

    func callAsFunction(_ y: Double) -> Double {
      switch self {
      case .normal: 0.398942280401432677939946 * exp(-y * y / 2)
      case .halfExponential: 0.5 * exp(-y)
      }
    }
  }

  /// The continuous part: low ≤ y ≤ high, exponent = slope·y + offset with slope > 0.
  struct Line: Sendable {
    let low, high, slope, offset: Double
    let density: Density

    /// Largest |d ln| of density times ratio at y: quadrature panels are small against its inverse.
    func steepness(_ y: Double) -> Double {
      switch density {
      case .normal: 1 + abs(y) + slope
      case .halfExponential: 2 + slope
      }
    }
  }

  var atoms: [Atom] = []
  var line: Line?
  /// Poisson sampling rate: the base measure stays, the ratio becomes 1 − q + q·exp(exponent).
  var rate = 1.0
  /// Bound of the mass, under either distribution, of all that is left out.
  var missing = 0.0
  /// A standard deviation of the loss, roughly: what a grid must resolve.
  var scale = 1.0

  /// Two normals 1/σ standard deviations apart; what is left out has mass `tail` or less at each end.
  static func gaussian(noiseMultiplier sigma: Double, tail: Double) -> LossPair {
    let reach = (2 * log(1 / tail)).squareRoot()
    let line = Line(low: -reach, high: reach + 1 / sigma, slope: 1 / sigma, offset: -0.5 / sigma / sigma, density: .normal)
    return LossPair(line: line, missing: 2 * tail, scale: 1 / sigma)
  }

  /// Two Laplace distributions of scale b whose centres are 1 apart.
  static func laplace(noiseMultiplier b: Double) -> LossPair {
    let t = 1 / b
    let atoms = [Atom(mass: 0.5, exponent: -t), Atom(mass: 0.5 * exp(-t), exponent: t)]
    return LossPair(atoms: atoms, line: Line(low: 0, high: t, slope: 2, offset: -t, density: .halfExponential), scale: t)
  }

  /// A sum of discrete Gaussians on one integer, shifted by k.
  static func discrete(_ factor: LatticeFactor, shift k: Int, tail: Double) -> LossPair {
    let total = factor.total
    let reach = Int((2 * total * (log(1 / tail) + 3 * factor.spread + 3)).squareRoot()) + 2
    let step = Double(k)
    let weights = (-reach...(reach + k)).map { x in factor.log(x) - Double(x) * Double(x) / (2 * total) }
    let norm = LogSpace.sum(weights)
    let atoms = weights.enumerated().map { index, weight -> Atom in
      let x = index - reach
      let ratio = factor.log(x - k) - factor.log(x) + step * (2 * Double(x) - step) / (2 * total)
      return Atom(mass: exp(weight - norm), exponent: ratio)
    }
    return LossPair(atoms: atoms, missing: 2 * tail, scale: step / total.squareRoot())
  }

  /// From the smallest loss to the largest.
  var losses: ClosedRange<Double> {
    var exponents = atoms.map(\.exponent)
    if let line { exponents += [line.low, line.high].map { line.slope * $0 + line.offset } }
    return loss(exponent: exponents.min() ?? 0)...loss(exponent: exponents.max() ?? 0)
  }

  /// ln(1 − q + q·e^w): increasing in w.
  func loss(exponent w: Double) -> Double { rate == 1 ? w : log1p(rate * expm1(w)) }

  /// The w at which the loss is ε; −∞ where no w makes it so small. `ratio` is e^ε − 1.
  func exponent(loss: Double, ratio: Double) -> Double {
    if rate == 1 { return loss }
    return ratio > -rate ? log1p(ratio / rate) : -.infinity
  }
}
