// The losses of a whole job in one direction, tilted, and what (ε, δ) they prove.
import Foundation

/// The losses of a job in one direction, and what they prove.
protocol ComposedLoss: Sendable {
  /// The ε at which δ passes `delta`, at least 0: never below the exact one where the bound is pessimistic, never above it otherwise.
  /// Infinite where no ε has so small a δ.
  func epsilon(delta: Double) -> Double
}

struct ComposedLosses: ComposedLoss {
  private let direction: LossComposition.Direction
  private let interval: Double
  /// Tilted masses of the window's losses, in order; where cells carry the error's bound, moved by it to the safe side.
  private let masses: [Double]
  /// What is added to Σ mass·weight for any weights e^{−tilt·u}·(1 − e^−u) of losses u above ε: what lies outside the window, and the
  /// error's bound where cells do not carry it. Negative where the bound is optimistic.
  private let rest: Double
  private let isPessimistic: Bool

  init(transforming direction: LossComposition.Direction, isPessimistic: Bool) {
    (self.direction, self.isPessimistic) = (direction, isPessimistic)
    let (cells, error) = ComposedLosses.compose(direction)
    interval = direction.parts[0].losses.interval
    // The weights w = e^{−tu}(1 − e^{−u}) rise once and fall once: they are 1 / (t + 1) at most, and their sum over cells is their integral
    // over the interval and that at most. Σ w cells at `cell` each, or by Cauchy and Schwarz √Σ w² times `norm`: the smaller one.
    let (tilt, highest) = (direction.tilt, 1 / (direction.tilt + 1))
    let sum = 1 / (tilt * (tilt + 1) * interval) + highest
    let byCell = error.cell * sum
    let byNorm = error.norm * (sum * highest).squareRoot()
    let sign = isPessimistic ? 1.0 : -1.0
    let moved = byCell <= byNorm ? sign * error.cell : 0
    // Weights at an ε up to a cell below a grid loss are larger by the last factor.
    rest = sign * (2 * exp(-LossComposition.tailNats) * highest + (byCell <= byNorm ? 0 : byNorm)) * exp(tilt * interval)
    masses = (direction.low...max(direction.low, direction.high)).prefix(cells.count).map {
      let mass = cells[$0 & (cells.count - 1)] + moved
      return byCell <= byNorm ? max(0, mass) : mass
    }
  }

  /// The masses of the sum, index modulo their number, and what they may be off by: each of them, and the root of the sum of their squares.
  private static func compose(_ direction: LossComposition.Direction) -> (cells: [Double], error: (cell: Double, norm: Double)) {
    let (count, steps) = (direction.cells, direction.parts.reduce(0.0) { $0 + Double($1.count) })
    if steps == 1 {
      // Nothing to convolve, and nothing lost.
      var cells = [Double](repeating: 0, count: count)
      _ = direction.tilted(direction.parts[0].losses, into: &cells)
      return (cells, (0, 0))
    }
    let transform = RealTransform(count: count)
    var (product, error) = (SpectrumPower(count: count / 2 + 1), 0.0)
    for part in direction.parts {
      var cells = [Double](repeating: 0, count: count)
      // Of a factor's spectrum: the transform of a sequence of sum 1, and the tilting of its masses.
      let own = direction.tilted(part.losses, into: &cells) + transform.relativeError
      transform.forward(cells) { product.multiply($0, $1, $2, power: part.count, error: own) }
      error = max(error, own)
    }
    let rounding = transform.relativeError + 8 * Double.ulpOfOne * (1 + steps)
    // Every frequency but two stands for its mirror too. The tilted masses of one release have norm 1 at most, a transform keeps norms, and
    // a product of spectra of magnitude 1 passes an error on once for each factor.
    let cell = 4 * (product.error * error + rounding * product.magnitude) / Double(count) + 1e-60
    let norm = 2 * (steps * error * exp(steps * error) + rounding)
    return (transform.backward((product.real, product.imaginary)), (cell, norm))
  }

  /// ε is looked for from the largest loss down, where few losses count and each is exact against the others.
  ///
  /// For ε between two grid losses, δ(ε) = A − e^ε·B with A = Σ P(ℓ), B = Σ P(ℓ)·e^−ℓ over the losses above ε.
  func epsilon(delta: Double) -> Double {
    let target = isPessimistic ? delta - direction.infinite : delta
    guard target > 0 else { return .infinity }
    // P(ℓ) = mass·e^{cumulant − tilt·ℓ}. A is kept relative to e^{cumulant − tilt·reference}, B to that times e^−reference, the reference
    // being the loss that is looked at.
    let (fall, ratio) = (exp(-direction.tilt * interval), exp(-interval))
    let slack = isPessimistic ? 1 + 1e-13 : 1 - 1e-13
    func inUnits(_ loss: Double) -> Double { exp(max(-700, min(700, log(target) - direction.cumulant + direction.tilt * loss))) }
    // Above the window only what is outside of it counts.
    let top = Double(direction.low + masses.count - 1) * interval
    if rest > inUnits(top) { return bounded(top + log(rest / inUnits(top)) / direction.tilt) }
    var (a, b) = (0.0, 0.0)
    for index in masses.indices.reversed() {
      // The reference moves down to this loss; what is in A and B stands above it.
      (a, b) = (a * fall, b * fall * ratio)
      let loss = Double(direction.low + index) * interval
      // The target in the same units, less what is outside the window.
      let scaled = inUnits(loss) - rest
      if (a - b) * slack > scaled {
        // δ(loss) is above the target: it is passed between this loss and the next one up.
        guard a > scaled, b > 0 else { return bounded(isPessimistic ? loss + interval : loss) }
        return bounded(min(loss + interval, max(loss, loss + log((a - scaled) / b))))
      }
      (a, b) = (a + masses[index], b + masses[index])
    }
    return isPessimistic ? bounded(Double(direction.low) * interval) : 0
  }

  private func bounded(_ epsilon: Double) -> Double { direction.bounded(epsilon, isPessimistic: isPessimistic) }
}
