// The characteristic function of one release's tilted losses at low frequencies, and a bound of it at all higher ones. A sum of many losses
// is smooth: what it is made of are a few dozen frequencies, however fine the grid of one release is (spec/10, "Low frequencies").
import Foundation

struct LossSpectrum: Sendable {
  /// Tilted masses, of sum 1 or a little less; what is missing is in `massError`.
  private let masses: [Double]
  /// Grid index of the first mass.
  private let first: Int
  /// What tilted masses are off by in sum: rounding of their exponents, and light ends that are left out.
  private let massError: Double
  /// For some heights c a part of each mass, at most c and at most the next one, so that thinned tails have none: its sum, and its
  /// variation Σ |difference| from cell to cell, ends included.
  private let layers: [(mass: Double, variation: Double)]

  init(_ losses: DirectedLosses, tilt: Double) {
    let norm = losses.cumulant(tilt)
    var (masses, error) = ([Double](repeating: 0, count: losses.masses.count), 0.0)
    for (index, mass) in losses.masses.enumerated() where mass > 0 {
      let exponent = tilt * losses.loss(index)
      masses[index] = mass * exp(exponent - norm)
      error += masses[index] * LossSpectrum.tiltingUnits(exponent, norm)
    }
    // Ends that weigh next to nothing.
    var (start, end, left, right) = (0, masses.count, 0.0, 0.0)
    while start < end - 1, left + masses[start] < LossSpectrum.light { (left, start) = (left + masses[start], start + 1) }
    while end > start + 1, right + masses[end - 1] < LossSpectrum.light { (right, end) = (right + masses[end - 1], end - 1) }
    let kept = Array(masses[start..<end])
    (self.masses, first) = (kept, losses.first + start)
    massError = error * Double.ulpOfOne + left + right
    // From the first thinned place on there is nothing that layers could use.
    let dense = kept.prefix(1 + (kept.indices.dropLast().last { kept[$0] > 0 && kept[$0 + 1] > 0 } ?? 0))
    let top = dense.max() ?? 0
    layers = (0..<10).map { LossSpectrum.layer(dense, top * pow(0.25, Double($0))) }
  }

  private static let light = 1e-17

  /// Units by which mass·e^{exponent − norm} is off, the exponent being a tilt times a loss: three roundings of it, and what the rest does.
  static func tiltingUnits(_ exponent: Double, _ norm: Double) -> Double { 2 * abs(exponent) + abs(norm) + 4 }

  private static func layer(_ masses: ArraySlice<Double>, _ height: Double) -> (mass: Double, variation: Double) {
    var (mass, variation, before, next) = (0.0, 0.0, 0.0, 0.0)
    // From the last to the first, so that the next mass is at hand.
    for each in masses.reversed() {
      let cut = min(each, next, height)
      mass += cut
      variation += abs(cut - before)
      (before, next) = (cut, each)
    }
    // Sums of this many terms lose less.
    return (mass * (1 - 1e-9), (variation + before) * (1 + 1e-9))
  }

  /// The characteristic function has this magnitude at most at every angle a cell from `angle` ≤ π on. A layer contributes no more than its
  /// variation / |1 − e^{−iθ}| (summation by parts), what is above it no more than its mass.
  func magnitude(from angle: Double) -> Double {
    let chord = 2 * sin(angle / 2)
    return layers.reduce(1 + 1e-9) { min($0, max(0, 1 + 1e-9 - $1.mass) + $1.variation / chord) }
  }

  /// Σ mass·e^{−iθ(index − anchor)} at θ = 2πk / window for k = 0 ... highest.
  struct Values {
    var real: [Double]
    var imaginary: [Double]
    var anchor: Int
    /// No value is off by more.
    var errors: [Double]
  }

  /// Cells in a block, whose angle is `LossMoments.reach` at most at the highest frequency on each side of its centre.
  private static func blockCells(_ window: Int, _ highest: Int) -> Int {
    max(1, min(256, Int(LossMoments.reach * Double(window) / (.pi * Double(max(1, highest))))))
  }

  /// Blocks times frequencies that `values` goes through; each takes some 70 operations.
  func work(window: Int, highest: Int) -> Int {
    let cells = LossSpectrum.blockCells(window, highest)
    let blocks = stride(from: 0, to: masses.count, by: 4 * cells).reduce(0) { count, start in
      count + (masses[start..<min(start + 4 * cells, masses.count)].contains { $0 > 0 } ? 4 : 0)
    }
    return blocks * (highest + 1)
  }

  /// - Precondition: 2π·highest ≤ window.
  func values(window: Int, highest: Int) -> Values {
    let cells = LossSpectrum.blockCells(window, highest)
    let blocks = LossMoments(masses, cells: cells)
    var values = Values(
      real: [Double](repeating: 0, count: highest + 1), imaginary: [Double](repeating: 0, count: highest + 1),
      anchor: first + masses.count / 2, errors: [])
    // Twice the distance of the first block's centre from the anchor: a whole number, so that angles are reduced exactly.
    let offset = 2 * (first - values.anchor) + cells - 1
    for k in 0...highest {
      (values.real[k], values.imaginary[k]) = blocks.transform(k, window: window, offset: offset)
      values.errors.append(massError + blocks.error(k, window: window))
    }
    return values
  }
}

/// cos and sin of 2π·steps / turn, the angle reduced in whole numbers.
struct UnitAngle {
  let cosine: Double
  let sine: Double

  init(_ steps: Int, of turn: Int) {
    var reduced = steps % turn
    if reduced < 0 { reduced += turn }
    let angle = 2 * Double.pi * (Double(reduced) / Double(turn))
    (cosine, sine) = (cos(angle), sin(angle))
  }
}

/// Moments of blocks of cells about their centres, divided by factorials: Σ mass·e^{−ixu} is their series in x, |u| ≤ 1, of which 34 terms
/// leave 1e-18 up to x = 4. Four blocks stand side by side.
private struct LossMoments {
  static let reach = 4.0
  static let terms = 34
  let cells: Int
  /// `terms` moments of four blocks each, without the groups that are empty.
  let groups: [(index: Int, moments: [SIMD4<Double>])]

  init(_ masses: [Double], cells: Int) {
    self.cells = cells
    let half = Double(cells) / 2
    groups = stride(from: 0, to: masses.count, by: 4 * cells).enumerated().compactMap { index, start in
      var moments = [SIMD4<Double>](repeating: .zero, count: LossMoments.terms)
      for cell in 0..<cells {
        var power = SIMD4<Double>.zero
        for lane in 0..<4 where start + lane * cells + cell < masses.count { power[lane] = masses[start + lane * cells + cell] }
        if power == .zero { continue }
        let u = (Double(cell) - Double(cells - 1) / 2) / half
        for term in 0..<LossMoments.terms {
          moments[term] += power
          power *= u / Double(term + 1)
        }
      }
      return moments[0] == .zero ? nil : (index, moments)
    }
  }

  private func angle(_ k: Int, _ window: Int) -> Double { Double.pi * Double(k) * Double(cells) / Double(window) }

  /// What `transform` is off by, the masses adding up to 1: cells of a block and blocks are added in turn, the latter eight groups at a
  /// time; 34 terms, which grow to cosh x, by Horner's rule; eight turns of an angle.
  func error(_ k: Int, window: Int) -> Double {
    let units = Double(cells) + Double(groups.count) / 8 + 64 + 40 * cosh(angle(k, window))
    return units * Double.ulpOfOne / 2 + 2e-18
  }

  /// Σ over all blocks at frequency k; `offset` is twice the distance of the first centre from the anchor, in cells.
  func transform(_ k: Int, window: Int, offset: Int) -> (Double, Double) {
    let x = angle(k, window)
    let square = -x * x
    let (step, stride) = (UnitAngle(k * cells, of: window), UnitAngle(4 * k * cells, of: window))
    var (cosine, sine) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
    var (real, imaginary, total) = (SIMD4<Double>.zero, SIMD4<Double>.zero, (real: 0.0, imaginary: 0.0))
    // As many terms, an even number, as leave 1e-18.
    var (terms, left) = (2, x * x / 2)
    while left > 1e-18, terms < LossMoments.terms { (terms, left) = (terms + 2, left * x * x / Double((terms + 1) * (terms + 2))) }
    var next = -1
    for (index, moments) in groups {
      if index != next || index.isMultiple(of: 8) {
        // The angle of this group anew; in between it is turned on.
        total = (total.real + real.sum(), total.imaginary + imaginary.sum())
        (real, imaginary) = (.zero, .zero)
        let start = UnitAngle(k * (offset + 8 * cells * index), of: 2 * window)
        (cosine[0], sine[0]) = (start.cosine, start.sine)
        for lane in 1..<4 {
          cosine[lane] = cosine[lane - 1] * step.cosine - sine[lane - 1] * step.sine
          sine[lane] = sine[lane - 1] * step.cosine + cosine[lane - 1] * step.sine
        }
      }
      var (even, odd) = (moments[terms - 2], moments[terms - 1])
      for term in Swift.stride(from: terms - 4, through: 0, by: -2) {
        even = even * square + moments[term]
        odd = odd * square + moments[term + 1]
      }
      odd *= x
      // (even − i·odd)·e^{−i·angle}.
      real += even * cosine - odd * sine
      imaginary -= even * sine + odd * cosine
      next = index + 1
      (cosine, sine) = (cosine * stride.cosine - sine * stride.sine, sine * stride.cosine + cosine * stride.sine)
    }
    return (total.real + real.sum(), total.imaginary + imaginary.sum())
  }
}
