// The sum of many independent losses, by Fourier transform or by its low frequencies. Masses are tilted first: multiplied by e^{tilt·loss},
// so that the losses that decide δ are the likely ones and rounding is small against them, not against 1. Everything that rounding,
// wrapping around and truncation can do is bounded and added (spec/10, "Composition by Fourier transform").
import Foundation

struct LossComposition: Sendable {
  /// Losses outside the window have tilted probability e^−tailNats or less at each end.
  static let tailNats = 33.0

  /// One direction of several releases, each `count` times.
  struct Direction: Sendable {
    let parts: [(losses: DirectedLosses, count: Int)]
    let tilt: Double
    /// Σ count·cumulant(tilt).
    let cumulant: Double
    /// Window of grid indices.
    let low: Int
    let high: Int
    let infinite: Double
    /// The largest loss of all, each release having its largest.
    let largest: Double

    init(_ parts: [(losses: DirectedLosses, count: Int)], tilt: Double) {
      (self.parts, self.tilt) = (parts, tilt)
      func total(_ s: Double) -> Double { parts.reduce(0) { $0 + Double($1.count) * $1.losses.cumulant(s) } }
      let cumulant = total(tilt)
      let h = parts[0].losses.interval
      // Chernoff bounds of the tilted sum on both sides, the best of some exponents around the natural one.
      let probe = 1e-3 * max(tilt, 1)
      let curvature = (total(tilt + probe) - 2 * cumulant + total(tilt - probe)) / (probe * probe)
      // Losses that all but coincide have no curvature that arithmetic could show: any exponent is valid.
      let steepest = 40 / h
      let natural = curvature > 0 ? min(steepest, (2 * LossComposition.tailNats / curvature).squareRoot()) : steepest
      // A bound has one valley in its exponent: uphill from the natural one in steps, or downhill.
      func least(_ bound: (Double) -> Double) -> Double {
        func value(_ s: Double) -> Double {
          let value = bound(s)
          return value.isFinite ? value : .infinity
        }
        var (s, best) = (natural, value(natural))
        for (first, factor) in [(1.3, 2.0), (0.75, 0.6)] {
          var next = s * first
          while next <= 2 * steepest, next > 1e-9, case let other = value(next), other < best || best == .infinity {
            (s, best, next) = (next, other, next * factor)
          }
        }
        return best
      }
      let high = least { (total(tilt + $0) - cumulant + LossComposition.tailNats) / $0 }
      let low = -least { (total(tilt - $0) - cumulant + LossComposition.tailNats) / $0 }
      self.cumulant = cumulant
      // No sum is outside the sum of the supports.
      let least = parts.reduce(0.0) { $0 + Double($1.count) * Double($1.losses.first) }
      let most = parts.reduce(0.0) { $0 + Double($1.count) * Double($1.losses.first + $1.losses.masses.count - 1) }
      self.low = Int(max(least, (low / h).rounded(.down) - 1).clamped)
      self.high = Int(min(most, (high / h).rounded(.up) + 1).clamped)
      largest = most * h
      infinite = min(1, parts.reduce(0) { $0 + Double($1.count) * $1.losses.infinite } * (1 + 1e-12))
    }

    /// An ε moved to the safe side by what losses are off by, a few units of 1e-16 in each release and in reading them, and by what δ is
    /// off by in relative terms, which moves ε by its 1 / tilt.
    func bounded(_ epsilon: Double, isPessimistic: Bool) -> Double {
      let steps = parts.reduce(0.0) { $0 + Double($1.count) }
      let lossError = 8 * Double.ulpOfOne * (steps + abs(Double(high) * parts[0].losses.interval) + 1)
      let error = lossError + 1e-12 + (1e-12 + 8 * Double.ulpOfOne * abs(cumulant)) / tilt
      // Beyond the largest loss there is nothing but what counts as infinite.
      return max(0, isPessimistic ? min(epsilon, largest) + error : epsilon - error)
    }

    /// Adds the tilted masses of one release, of sum 1, to `cells`, index modulo its length. Returns what they may be off by in sum.
    func tilted(_ losses: DirectedLosses, into cells: inout [Double]) -> Double {
      let (norm, mask) = (losses.cumulant(tilt), cells.count - 1)
      var error = 0.0
      for (index, mass) in losses.masses.enumerated() where mass > 0 {
        let exponent = tilt * losses.loss(index)
        let tilted = mass * exp(exponent - norm)
        cells[(losses.first + index) & mask] += tilted
        error += tilted * LossSpectrum.tiltingUnits(exponent, norm)
      }
      return error * Double.ulpOfOne
    }

    /// The window in nats.
    var width: Double { Double(high - low + 1) * parts[0].losses.interval }

    /// Cells of a transform that holds the window, a power of two.
    var cells: Int {
      var cells = 16
      while cells <= high - low + 1, cells < 1 << 40 { cells *= 2 }
      return cells
    }
  }

  let removed: any ComposedLoss
  let added: any ComposedLoss

  func epsilon(delta: Double) -> Double { max(removed.epsilon(delta: delta), added.epsilon(delta: delta)) }

  /// By low frequencies; nil where they are too many.
  init?(lowFrequencies removed: Direction, _ added: Direction, isPessimistic: Bool) {
    guard let first = LowFrequencyLosses(removed, isPessimistic: isPessimistic),
      let second = LowFrequencyLosses(added, isPessimistic: isPessimistic)
    else { return nil }
    (self.removed, self.added) = (first, second)
  }

  /// By transforms.
  init(_ removed: Direction, _ added: Direction, isPessimistic: Bool) {
    self.removed = ComposedLosses(transforming: removed, isPessimistic: isPessimistic)
    self.added = ComposedLosses(transforming: added, isPessimistic: isPessimistic)
  }
}

extension Double {
  /// Within what an `Int` holds.
  fileprivate var clamped: Double { Swift.min(4e18, Swift.max(-4e18, self)) }
}
