// Skellam noise on integer vectors (Agarwal, Kairouz, Liu 2021): integer orders.

struct SkellamTerm: IntegerOrderTerm {
  let noise: SkellamNoise

  /// αΔ₂² / 2μ + min{ ((2α − 1)Δ₂² + 6Δ₁) / 4μ², 3Δ₁ / 2μ }, rounded up.
  func divergence(integerOrder order: Int) -> Double {
    let (alpha, mu) = (Double(order), noise.variance)
    let square = noise.l2 * noise.l2
    let excess = min(((2 * alpha - 1) * square + 6 * noise.l1) / (4 * mu) / mu, 3 * noise.l1 / (2 * mu))
    return Upward.inflate(alpha * square / (2 * mu) + excess, relative: 8 * Upward.unit)
  }
}
