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
  static let massError = 1e-12
  /// Cells beyond which the interval must be made larger.
  static let cellsMax = 1 << 22

  /// Indices that the losses of `pair` need.
  static func indices(_ pair: LossPair, _ interval: Double) -> ClosedRange<Int>? {
    var exponents = pair.atoms.map(\.exponent)
    if let line = pair.line { exponents += [line.low, line.high].map { line.slope * $0 + line.offset } }
    let losses = exponents.map { pair.loss(exponent: $0) / interval }
    guard let low = losses.min(), let high = losses.max(), high - low < Double(cellsMax), abs(low) < 1e12, abs(high) < 1e12 else {
      return nil
    }
    return Int(low.rounded(.down)) - 1...Int(high.rounded(.up)) + 1
  }

  /// nil where the grid would have too many cells.
  static func pessimistic(_ pair: LossPair, interval: Double) -> LossGrid? {
    guard let indices = indices(pair, interval) else { return nil }
    var masses = [Double](repeating: 0, count: indices.count)
    let width = expm1(interval)
    // `ratio` is shifted / base − 1, `floor` the same at the cell's lower end.
    func split(_ mass: Double, _ ratio: Double, _ index: Int, _ floor: Double) {
      let upper = min(1, max(0, (ratio - floor) / ((1 + floor) * width)))
      masses[index - indices.lowerBound] += mass * (1 - upper)
      masses[index + 1 - indices.lowerBound] += mass * upper
    }
    for atom in pair.atoms {
      let index = Int((pair.loss(exponent: atom.exponent) / interval).rounded(.down))
      split(atom.mass, pair.rate * expm1(atom.exponent), index, expm1(Double(index) * interval))
    }
    if let line = pair.line {
      var (lower, floor) = (line.low, 0.0)
      for index in indices.dropLast() {
        let upper = LossGrid.place(pair, line, Double(index + 1) * interval)
        guard upper > lower else { continue }
        floor = expm1(Double(index) * interval)
        LossGrid.integrate(pair, line, lower, upper) { mass, ratio in split(mass, ratio, index, floor) }
        lower = upper
      }
    }
    return LossGrid(
      interval: interval, first: indices.lowerBound, masses: masses.map { $0 * (1 + massError) }, missing: pair.missing)
  }

  /// Where on the line the loss is ε, kept within the line.
  static func place(_ pair: LossPair, _ line: LossPair.Line, _ loss: Double) -> Double {
    min(line.high, max(line.low, (pair.exponent(loss: loss) - line.offset) / line.slope))
  }

  /// Hands masses and ratios − 1 of a piece of the line to `take`: Gauss–Legendre with three nodes on panels of at most 1/20 of a scale
  /// length, which leaves 1e-14 of a panel.
  @inline(__always)
  static func integrate(
    _ pair: LossPair, _ line: LossPair.Line, _ low: Double, _ high: Double, _ take: (Double, Double) -> Void
  ) {
    let steepness = max(line.steepness(low), line.steepness(high))
    let panels = max(1, Int(((high - low) * steepness * 20).rounded(.up)))
    let half = (high - low) / Double(2 * panels)
    for panel in 0..<panels {
      let centre = low + half * Double(2 * panel + 1)
      for (node, weight) in [(-0.774596669241483377, 5.0 / 9), (0, 8.0 / 9), (0.774596669241483377, 5.0 / 9)] {
        let y = centre + half * node
        take(weight * half * line.density(y), pair.rate * expm1(line.slope * y + line.offset))
      }
    }
  }
}
