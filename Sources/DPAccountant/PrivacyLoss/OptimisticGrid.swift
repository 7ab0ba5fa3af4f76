// The optimistic way onto the grid: all outcomes of a cell are merged into one (post-processing, hence dominated), whose loss is then
// rounded down to the grid. Cells lie around grid points, moved a little so that nearly every merged loss is just above its own grid
// point: the loss that rounding costs is of second order in the interval.
import Foundation

enum OptimisticGrid {
  /// nil where the grid would have too many cells.
  static func both(_ pair: LossPair, interval: Double) -> (removed: DirectedLosses, added: DirectedLosses)? {
    guard let indices = LossGrid.indices(pair, interval) else { return nil }
    let plain = cells(pair, interval, indices) { _ in 0 }
    func moves(_ sign: Double) -> [Double] {
      let lacks = plain.map { $0.mass > 0 ? max(0, -sign * $0.excess / $0.mass) : 0 }
      return lacks.indices.map { min(interval / 4, 1.05 * max(lacks[$0], $0 + 1 < lacks.count ? lacks[$0 + 1] : 0)) }
    }
    let (up, down) = (moves(1), moves(-1))
    let high = cells(pair, interval, indices) { up[$0] }
    let low = cells(pair, interval, indices) { -down[$0] }
    let keep = 1 - 2 * LossGrid.massError
    var removed = [Double](repeating: 0, count: indices.count + 1)
    var added = removed
    for index in 0..<indices.count {
      // Index 0 of `removed` is one below the first cell; `added` runs the other way.
      let ratio = exp(Double(indices.lowerBound + index) * interval)
      removed[high[index].excess >= 0 ? index + 1 : index] += keep * ratio * max(0, high[index].mass + high[index].excess)
      let back = indices.count - 1 - index
      added[low[index].excess <= 0 ? back + 1 : back] += keep * low[index].mass
    }
    return (
      DirectedLosses(interval: interval, first: indices.lowerBound - 1, masses: removed, infinite: 0),
      DirectedLosses(interval: interval, first: -indices.upperBound - 1, masses: added, infinite: 0)
    )
  }

  /// Base mass of a cell, and Σ mass·(ratio / e^loss of its grid point − 1).
  private struct Cell {
    var mass = 0.0
    var excess = 0.0
  }

  /// Cell i ends at the loss (i + ½)·interval + move(i). An atom may join any one cell: it joins the nearest grid point's.
  private static func cells(
    _ pair: LossPair, _ interval: Double, _ indices: ClosedRange<Int>, _ move: (Int) -> Double
  ) -> [Cell] {
    var cells = [Cell](repeating: Cell(), count: indices.count)
    func add(_ mass: Double, _ ratio: Double, _ index: Int, _ centre: Double) {
      cells[index - indices.lowerBound].mass += mass
      cells[index - indices.lowerBound].excess += mass * (ratio - centre) / (1 + centre)
    }
    for atom in pair.atoms {
      let index = Int((pair.loss(exponent: atom.exponent) / interval).rounded())
      add(atom.mass, pair.rate * expm1(atom.exponent), index, expm1(Double(index) * interval))
    }
    guard let line = pair.line else { return cells }
    var lower = line.low
    for index in indices {
      let end = (Double(index) + 0.5) * interval + move(index - indices.lowerBound)
      let upper = index == indices.upperBound ? line.high : LossGrid.place(pair, line, end, ratio: expm1(end))
      guard upper > lower else { continue }
      let centre = expm1(Double(index) * interval)
      LossGrid.integrate(pair, line, lower, upper) { mass, ratio in add(mass, ratio, index, centre) }
      lower = upper
    }
    return cells
  }
}
