// A base measure moved onto losses that are multiples of an interval. The pessimistic way splits each point between its two neighbours on
// the grid so that both of its probabilities stay (Doroshenko, Ghazi, Kamath, Kumar, Manurangsi 2022, "connect the dots"): more
// distinguishable than the pair itself, never less. One array serves both directions of the neighbours: at loss iλ the base has mass G_i
// and the other distribution e^{iλ}·G_i.
import Foundation

struct LossGrid: Sendable {
  let interval: Double
  /// Grid index of the first mass.
  let first: Int
  /// Base masses G_i, a little more than the exact ones where the bound is pessimistic.
  let masses: [Double]
  let missing: Double

  /// Quadrature, exponentials and products together stay far below this: masses are raised by it.
  static let massError = 2e-13
  /// Cells beyond which the interval must be made larger.
  static let cellsMax = 1 << 22

  /// Indices that the losses of `pair` need.
  static func indices(_ pair: LossPair, _ interval: Double) -> ClosedRange<Int>? {
    let (low, high) = (pair.losses.lowerBound / interval, pair.losses.upperBound / interval)
    guard high - low < Double(cellsMax), abs(low) < 1e12, abs(high) < 1e12 else { return nil }
    return Int(low.rounded(.down)) - 1...Int(high.rounded(.up)) + 1
  }

  /// nil where the grid would have too many cells.
  static func pessimistic(_ pair: LossPair, interval: Double, thinning: LossThinning = LossThinning()) -> LossGrid? {
    guard let indices = indices(pair, interval) else { return nil }
    var masses = [Double](repeating: 0, count: indices.count)
    // Of the cell from `index` to `next`: `ratio` is shifted / base − 1, `floor` the same at its lower end, `width` e^{its length} − 1.
    func split(_ mass: Double, _ ratio: Double, _ index: Int, _ next: Int, _ floor: Double, _ width: Double) {
      let upper = min(1, max(0, (ratio - floor) / ((1 + floor) * width)))
      masses[index - indices.lowerBound] += mass * (1 - upper)
      masses[next - indices.lowerBound] += mass * upper
    }
    for atom in pair.atoms {
      let index = Int((pair.loss(exponent: atom.exponent) / interval).rounded(.down))
      split(atom.mass, pair.rate * expm1(atom.exponent), index, index + 1, expm1(Double(index) * interval), expm1(interval))
    }
    if let line = pair.line {
      var (lower, index, floor) = (line.low, indices.lowerBound, expm1(Double(indices.lowerBound) * interval))
      let widths = (0...LossThinning.levels).map { expm1(Double(1 << $0) * interval) }
      var level = 0
      while index < indices.upperBound {
        let loss = Double(index) * interval
        while level < thinning.losses.count, thinning.losses[level] <= loss { level += 1 }
        let cells = min(1 << level, indices.upperBound - index)
        let (width, next) = (cells == 1 << level ? widths[level] : expm1(Double(cells) * interval), index + cells)
        let ceiling = expm1(Double(next) * interval)
        let upper = LossGrid.place(pair, line, Double(next) * interval, ratio: ceiling)
        if upper > lower {
          LossGrid.integrate(pair, line, lower, upper) { mass, ratio in split(mass, ratio, index, next, floor, width) }
          lower = upper
        }
        (index, floor) = (next, ceiling)
      }
    }
    return LossGrid(
      interval: interval, first: indices.lowerBound, masses: masses.map { $0 * (1 + massError) }, missing: pair.missing)
  }

  /// Where on the line the loss is ε, kept within the line. `ratio` is e^ε − 1.
  static func place(_ pair: LossPair, _ line: LossPair.Line, _ loss: Double, ratio: Double) -> Double {
    min(line.high, max(line.low, (pair.exponent(loss: loss, ratio: ratio) - line.offset) / line.slope))
  }

  /// Hands masses and ratios − 1 of a piece of the line to `take`: Gauss–Legendre with three nodes on panels of at most 1/20 of a scale
  /// length, or with two on less than 1/400 of one, which leaves 1e-14 of a panel.
  @inline(__always)
  static func integrate(
    _ pair: LossPair, _ line: LossPair.Line, _ low: Double, _ high: Double, _ take: (Double, Double) -> Void
  ) {
    let steepness = max(line.steepness(low), line.steepness(high))
    let panels = max(1, Int(((high - low) * steepness * 20).rounded(.up)))
    let half = (high - low) / Double(2 * panels)
    if (high - low) * steepness < 0.0025 {
      for y in [low + half * (1 - 0.577350269189625765), low + half * (1 + 0.577350269189625765)] {
        take(half * line.density(y), pair.rate * expm1(line.slope * y + line.offset))
      }
      return
    }
    for panel in 0..<panels {
      let centre = low + half * Double(2 * panel + 1)
      for (node, weight) in [(-0.774596669241483377, 5.0 / 9), (0, 8.0 / 9), (0.774596669241483377, 5.0 / 9)] {
        let y = centre + half * node
        take(weight * half * line.density(y), pair.rate * expm1(line.slope * y + line.offset))
      }
    }
  }
}

/// Losses that are rare are split between grid points that lie farther apart, which is as valid: from each of these losses on, ascending,
/// twice as far as before it.
struct LossThinning {
  static let levels = 8
  var losses: [Double] = []

  init() {}

  /// From a coarse look at both directions and their tilts: the distance doubles where the losses beyond have a hundredth of the tilted
  /// mass in all, and again with each quarter of it, so that what the tail loses by splitting stays far below what the rest does.
  init(_ removed: (losses: DirectedLosses, tilt: Double), _ added: (losses: DirectedLosses, tilt: Double)) {
    let (first, second) = (removed.losses.tilted(removed.tilt), added.losses.tilted(added.tilt))
    var (left, right, share) = (0.0, 0.0, 0.01 * pow(0.25, Double(LossThinning.levels - 1)))
    for index in first.indices.reversed() where losses.count < LossThinning.levels {
      (left, right) = (left + first[index], right + (second.count > first.count - 1 - index ? second[first.count - 1 - index] : 0))
      while max(left, right) > share, losses.count < LossThinning.levels {
        losses.append(removed.losses.loss(index + 1))
        share *= 4
      }
    }
    losses.reverse()
  }
}
