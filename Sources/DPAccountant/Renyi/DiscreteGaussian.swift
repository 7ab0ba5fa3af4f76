// Rényi divergence of the sum of discrete Gaussians on an integer vector: the smaller of the published bound (Kairouz, Liu, Steinke 2021,
// for sums in d dimensions) and the bound from the exact distribution (spec/10, "The exact-convolution bound").
import Foundation

struct DiscreteGaussianTerm: RenyiTerm {
  let noise: DiscreteGaussianSum
  private let shift: ShiftDivergence?
  private let tau: Double
  private let known = Memo<Double, Double>()
  /// Orders above it get the published bound alone.
  static let exactOrderMax = 1024.0
  /// Shifts that are looked at one by one; larger ones share a bound.
  static let shiftsMax = 512

  init(_ noise: DiscreteGaussianSum) {
    self.noise = noise
    tau = DiscreteGaussianTerm.tau(noise.count, noise.variance)
    // From a variance of 16 on the two bounds agree to more than twelve digits.
    let factor = noise.variance < 16 ? LatticeFactor(count: noise.count, variance: noise.variance) : nil
    shift = factor.map(ShiftDivergence.init)
  }

  /// Two bounds and their minimum are not cumulants.
  var isConvex: Bool { false }

  func divergence(order: Double) -> Double {
    known.value(order) { min(published(order: order), exact(order: order) ?? .infinity) }
  }

  /// min{ αΔ₂²/2s² + τd, (α/2)(Δ₂²/s² + 2Δ₁τ/s + τ²d), (α/2)(Δ₂/s + √d·τ)² } with s² = hσ² and τ = 10 Σ_{k=1}^{h−1} exp(−2π²σ²k/(k+1)).
  /// Without a second summand τ = 0: αΔ₂² / 2σ² (Canonne, Kamath, Steinke 2020, proposition 5). Infinite where σ < ½ is not covered.
  func published(order: Double) -> Double {
    let h = Double(noise.count)
    guard noise.count == 1 || noise.variance >= 0.25 else { return .infinity }
    let (total, d) = (h * noise.variance, Double(noise.dimension))
    let (l2, l1, s) = (noise.l2, noise.l1, total.squareRoot())
    let first = order * l2 * l2 / (2 * total) + tau * d
    let second = order / 2 * (l2 * l2 / total + 2 * l1 * tau / s + tau * tau * d)
    let root = l2 / s + d.squareRoot() * tau
    return Upward.inflate(min(first, second, order / 2 * root * root), relative: 16 * Upward.unit)
  }

  static func tau(_ count: Int, _ variance: Double) -> Double {
    let factor = 2 * Double.pi * Double.pi * variance
    guard count > 1, factor < 1500 else { return 0 }
    // The summands fall to e^{−factor}; from 10^6 on that many equal ones are an upper bound, as k/(k+1) still grows.
    let direct = min(count - 1, 1_000_000)
    var sum = CompensatedSum()
    for k in 1...direct { sum.add(exp(-factor * Double(k) / Double(k + 1))) }
    sum.add(Double(count - 1 - direct) * exp(-factor * Double(direct) / Double(direct + 1)))
    return Upward.inflate(10 * sum.value, relative: 4 * (factor + 8) * Upward.unit)
  }

  /// Δ₂²·max_{1 ≤ k ≤ Δ₂} D_α(k) / k²; for a single coordinate D_α(Δ₂). nil where the distribution is not computed.
  func exact(order: Double) -> Double? {
    guard let shift, order <= DiscreteGaussianTerm.exactOrderMax else { return nil }
    let largest = noise.l2 * (1 + 4 * Upward.unit)
    let whole = largest < 1e15 ? Int(largest) : Int(1e15)
    if noise.dimension == 1, whole <= 4096 { return shift.divergence(order: order, shift: whole) }
    let perSquare = shift.largestPerSquare(order: order, shifts: whole, oneByOne: DiscreteGaussianTerm.shiftsMax)
    return Upward.inflate(noise.l2 * noise.l2 * perSquare, relative: 4 * Upward.unit)
  }
}
