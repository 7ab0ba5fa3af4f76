// The losses of a whole job in one direction, tilted, and what (ε, δ) they prove.
import Foundation

struct ComposedLosses: Sendable {
  private let direction: LossComposition.Direction
  private let interval: Double
  /// Tilted masses of the window's losses, in order; where cells carry the error's bound, moved by it to the safe side.
  private let masses: [Double]
  /// What is added to Σ mass·weight for any weights e^{−tilt·u}·(1 − e^−u) of losses u above ε: what lies outside the window, and the
  /// error's bound where cells do not carry it. Negative where the bound is optimistic.
  private let rest: Double
  private let isPessimistic: Bool

  init(_ direction: LossComposition.Direction, _ cells: [Double], error: CompositionError, isPessimistic: Bool) {
    (self.direction, self.isPessimistic) = (direction, isPessimistic)
    interval = direction.parts[0].losses.interval
    // Σ w ≤ 1 / (1 − e^{−tilt·interval}) cells at `cell` each, or by Cauchy and Schwarz √Σ w² times `norm`: the smaller one.
    let byCell = error.cell / -expm1(-direction.tilt * interval)
    let byNorm = error.norm / (-expm1(-2 * direction.tilt * interval)).squareRoot()
    let sign = isPessimistic ? 1.0 : -1.0
    let moved = byCell <= byNorm ? sign * error.cell : 0
    rest = sign * (2 * exp(-LossComposition.tailNats) + (byCell <= byNorm ? 0 : byNorm))
    masses = (direction.low...max(direction.low, direction.high)).prefix(cells.count).map {
      let mass = cells[$0 & (cells.count - 1)] + moved
      return byCell <= byNorm ? max(0, mass) : mass
    }
  }

  /// Losses are off by no more than this: a few units of 1e-16 in each release, and in reading them.
  private var lossError: Double {
    let steps = direction.parts.reduce(0.0) { $0 + Double($1.count) }
    return 8 * Double.ulpOfOne * (steps + abs(Double(direction.high) * interval) + 1)
  }

  /// The ε at which δ passes `delta`, at least 0: looked for from the largest loss down, where few losses count and each is exact against
  /// the others. Never below the exact one where the bound is pessimistic, never above it otherwise. Infinite where no ε has so small a δ.
  ///
  /// For ε between two grid losses, δ(ε) = A − e^ε·B with A = Σ P(ℓ), B = Σ P(ℓ)·e^−ℓ over the losses above ε.
  func epsilon(delta: Double) -> Double {
    let target = isPessimistic ? delta - direction.infinite : delta
    guard target > 0 else { return .infinity }
    // P(ℓ) = mass·e^{cumulant − tilt·ℓ}. A is kept relative to e^{cumulant − tilt·reference}, B to that times e^−reference, the reference
    // being the loss that is looked at.
    let (fall, ratio) = (exp(-direction.tilt * interval), exp(-interval))
    let slack = isPessimistic ? 1 + 1e-13 : 1 - 1e-13
    var (a, b) = (0.0, 0.0)
    for index in masses.indices.reversed() {
      // The reference moves down to this loss; what is in A and B stands above it.
      (a, b) = (a * fall, b * fall * ratio)
      let loss = Double(direction.low + index) * interval
      // The target in the same units, less what is outside the window.
      let scaled = exp(max(-700, min(700, log(target) - direction.cumulant + direction.tilt * loss))) - rest
      if (a - b) * slack > scaled {
        // δ(loss) is above the target: it is passed between this loss and the next one up.
        return bounded(a > scaled ? loss + log((a - max(scaled, 0)) / b) : loss)
      }
      (a, b) = (a + masses[index], b + masses[index])
    }
    return bounded(Double(direction.low) * interval)
  }

  /// Rounding of sums and logarithms is a relative error of δ, which moves ε by its 1 / tilt.
  private func bounded(_ epsilon: Double) -> Double {
    let error = lossError + 1e-12 * (1 + 1 / direction.tilt)
    return max(0, isPessimistic ? epsilon + error : epsilon - error)
  }

  /// δ at ε: never below the exact one where the bound is pessimistic, never above it otherwise.
  func delta(epsilon: Double) -> Double {
    let threshold = isPessimistic ? epsilon - lossError : epsilon + lossError
    let start = max(0, Int(max(-4e18, min(4e18, (threshold / interval).rounded(.down)))) - direction.low)
    var sum = CompensatedSum()
    for index in masses.indices.dropFirst(start) {
      let above = Double(direction.low + index) * interval - threshold
      if above > 0 { sum.add(masses[index] * exp(-direction.tilt * above) * -expm1(-above)) }
    }
    let scale = exp(min(700, direction.cumulant - direction.tilt * threshold))
    let finite = scale * (sum.value * (1 + (isPessimistic ? 1e-12 : -1e-12)) + rest)
    return max(0, min(1, isPessimistic ? finite + direction.infinite : finite))
  }
}
