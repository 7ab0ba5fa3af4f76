// The sum of many independent losses by Fourier transform. Masses are tilted first: multiplied by e^{λ·loss}, so that the losses that
// decide δ are the likely ones and rounding is small against them, not against 1. Everything that rounding, wrapping around and
// truncation can do is bounded and added (spec/10, "Composition by Fourier transform").
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
    /// Largest |tilt·loss|: rounding of that exponent is a relative error of a tilted mass.
    let exponentMax: Double

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
      var (low, high) = (-Double.infinity, Double.infinity)
      for factor in [0.03, 0.1, 0.25, 0.5, 0.7, 0.85, 1, 1.2] {
        let s = factor * natural
        let (above, below) = (
          (total(tilt + s) - cumulant + LossComposition.tailNats) / s, -(total(tilt - s) - cumulant + LossComposition.tailNats) / s
        )
        if above.isFinite { high = min(high, above) }
        if below.isFinite { low = max(low, below) }
      }
      self.cumulant = cumulant
      exponentMax = parts.reduce(0) { max($0, tilt * abs($1.losses.loss(0)), tilt * abs($1.losses.loss($1.losses.masses.count - 1))) }
      // No sum is outside the sum of the supports.
      let least = parts.reduce(0.0) { $0 + Double($1.count) * Double($1.losses.first) }
      let most = parts.reduce(0.0) { $0 + Double($1.count) * Double($1.losses.first + $1.losses.masses.count - 1) }
      self.low = Int(max(least, (low / h).rounded(.down) - 1).clamped)
      self.high = Int(min(most, (high / h).rounded(.up) + 1).clamped)
      infinite = min(1, parts.reduce(0) { $0 + Double($1.count) * $1.losses.infinite } * (1 + 1e-12))
    }

    /// Adds the tilted masses of one release, of sum 1, to `cells`, index modulo its length.
    func tilted(_ losses: DirectedLosses, into cells: inout [Double]) {
      let norm = losses.cumulant(tilt)
      let mask = cells.count - 1
      for (index, mass) in losses.masses.enumerated() where mass > 0 {
        cells[(losses.first + index) & mask] += mass * exp(tilt * losses.loss(index) - norm)
      }
    }
  }

  let removed: ComposedLosses
  let added: ComposedLosses

  /// Cells of a transform that holds both windows, a power of two.
  static func cells(_ removed: Direction, _ added: Direction) -> Int {
    var cells = 16
    while cells <= max(removed.high - removed.low, added.high - added.low) + 1, cells < 1 << 40 { cells *= 2 }
    return cells
  }

  /// Both directions share one complex transform: one is the real part, the other the imaginary part.
  init(_ removed: Direction, _ added: Direction, cells count: Int, isPessimistic: Bool) {
    let steps = removed.parts.reduce(0.0) { $0 + Double($1.count) }
    func composed(_ direction: Direction, _ cells: [Double], _ error: CompositionError) -> ComposedLosses {
      ComposedLosses(direction, cells, error: error, isPessimistic: isPessimistic)
    }
    if steps == 1, removed.parts.count == 1 {
      // Nothing to convolve, and nothing lost.
      var (first, second) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
      removed.tilted(removed.parts[0].losses, into: &first)
      added.tilted(added.parts[0].losses, into: &second)
      self.removed = composed(removed, first, .none)
      self.added = composed(added, second, .none)
      return
    }
    let transform = FourierTransform(count: count)
    var (left, right) = (SpectrumPower(count: count), SpectrumPower(count: count))
    // Of a factor's spectrum: the transform of two sequences of sum 1, and the tilting of their masses.
    let error = 2 * transform.relativeError + 1e-14 + 4 * Double.ulpOfOne * max(removed.exponentMax, added.exponentMax)
    for (first, second) in zip(removed.parts, added.parts) {
      var (real, imaginary) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
      removed.tilted(first.losses, into: &real)
      added.tilted(second.losses, into: &imaginary)
      transform.forward(&real, &imaginary)
      for place in 0..<count {
        // Spectra of real sequences: the mirror place holds the conjugate.
        let mirror = FourierTransform.mirror(place)
        guard place <= mirror else { continue }
        let (p, q, r, s) = (real[place], imaginary[place], real[mirror], imaginary[mirror])
        left.multiply(place, (p + r) / 2, (q - s) / 2, power: first.count, error: error)
        right.multiply(place, (q + s) / 2, (r - p) / 2, power: second.count, error: error)
      }
    }
    left.mirror()
    right.mirror()
    let (total, errors) = (left.magnitude + right.magnitude, (left.error + right.error) * error)
    for place in 0..<count {
      (left.real[place], left.imaginary[place]) =
        (left.real[place] - right.imaginary[place], left.imaginary[place] + right.real[place])
    }
    transform.backward(&left.real, &left.imaginary)
    let rounding = transform.relativeError + 8 * Double.ulpOfOne * (1 + steps)
    let bound = CompositionError(
      cell: (errors + rounding * total) / Double(count) + 1e-60, norm: 2 * (steps * error * exp(steps * error) + rounding))
    self.removed = composed(removed, left.real, bound)
    self.added = composed(added, left.imaginary, bound)
  }
}

/// What the tilted masses of a composition may be off by: each of them, and the root of the sum of their squares. The tilted masses of one
/// release have norm 1 at most, a transform keeps norms, and a product of spectra of magnitude 1 passes an error on once for each factor.
struct CompositionError: Sendable {
  let cell: Double
  let norm: Double

  static let none = CompositionError(cell: 0, norm: 0)
}

/// A product of powers of spectra, and what an error in each factor does to it, frequency by frequency.
private struct SpectrumPower {
  var real: [Double]
  var imaginary: [Double]
  /// ln of the product of (magnitude + error) to its power.
  private var logs: [Double]
  /// Σ power / (magnitude + error).
  private var weights: [Double]

  init(count: Int) {
    real = [Double](repeating: 1, count: count)
    imaginary = [Double](repeating: 0, count: count)
    logs = imaginary
    weights = imaginary
  }

  @inline(__always)
  mutating func multiply(_ place: Int, _ x: Double, _ y: Double, power: Int, error: Double) {
    let size = (x * x + y * y).squareRoot() + error
    logs[place] += Double(power) * log(size)
    weights[place] += Double(power) / size
    // Far below anything that counts; squaring on would only make subnormal numbers. The error's bound still holds: it is larger.
    guard logs[place] > SpectrumPower.negligible else {
      (real[place], imaginary[place]) = (0, 0)
      return
    }
    var (a, b, exponent) = (x, y, power)
    while exponent > 0 {
      if exponent & 1 == 1 {
        (real[place], imaginary[place]) = (real[place] * a - imaginary[place] * b, real[place] * b + imaginary[place] * a)
      }
      (a, b) = (a * a - b * b, 2 * a * b)
      exponent >>= 1
    }
  }

  /// ln of what is taken as 0; its part in the error is in the constant that `cellError` ends with.
  private static let negligible = -200.0

  /// Fills the places that were left out: conjugates of their mirrors.
  mutating func mirror() {
    for place in real.indices {
      let mirror = FourierTransform.mirror(place)
      guard mirror < place else { continue }
      (real[place], imaginary[place], logs[place], weights[place]) = (real[mirror], -imaginary[mirror], logs[mirror], weights[mirror])
    }
  }

  /// Sum over the frequencies of what an error of 1 in every factor's spectrum would do, to first order with (magnitude + error) as base:
  /// |Π a^k − Π b^k| ≤ |a − b|·Σ k·m^{k−1}·(the other factors) where m is at least both magnitudes.
  var error: Double {
    zip(logs, weights).reduce(0) { $0 + ($1.0 > SpectrumPower.negligible ? exp($1.0) * $1.1 : 0) }
  }
  var magnitude: Double { zip(real, imaginary).reduce(0) { $0 + abs($1.0) + abs($1.1) } }
}

extension Double {
  /// Within what an `Int` holds.
  fileprivate var clamped: Double { Swift.min(4e18, Swift.max(-4e18, self)) }
}
