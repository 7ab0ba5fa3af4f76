// On which grid and with which tilts the losses of a job are composed, and how: by low frequencies where the sum is smooth, else by
// transforms. An interval is the largest that was asked for; a finer one is taken as far as it costs little. Any grid and any tilt give a
// proved bound.
import Foundation

struct GridPlan {
  let pairs: [(pair: LossPair, count: Int)]
  let delta: Double
  let isPessimistic: Bool
  /// Largest interval that is wanted, and whether the caller asked for it.
  let interval: Double
  let isRequested: Bool

  struct Directions {
    let removed: LossComposition.Direction
    let added: LossComposition.Direction
    var width: Double { max(removed.width, added.width) }
    var cells: Int { max(removed.cells, added.cells) }
  }
  typealias Tilts = (removed: Double, added: Double)

  /// Largest transforms: of an interval of our own choice, of one below 1e-4, and of one that was asked for.
  private static let transformMost = (coarse: 1 << 20, fine: 1 << 19, requested: 1 << 21)
  /// Smallest transform: what it costs is not seen.
  private static let transformLeast = 1 << 14
  /// Cells of one release up to which an interval is halved without a reason, with one, and once; and those of the first look.
  private static let releaseCells = (few: 1 << 14, many: 1 << 19, most: 1 << 20, look: 1 << 16)
  /// No grid is finer than this part of the interval.
  private static let finestPart = 16.0
  /// Below this many releases a sum is not smooth.
  private static let smoothSteps = 16.0
  /// Where another tilt makes the masses about ε likelier by e to this power, they are looked at with that one as well.
  private static let gain = 3.0
  /// About ln of what composed masses are off by.
  private static let roundingLog = -30.0

  private var steps: Double { pairs.reduce(0) { $0 + Double($1.count) } }

  /// The best ε that is found; nil where no grid holds the losses.
  func epsilon() -> Double? {
    guard let look = coarseLook(), var found = composed(look, tilts: nil) else { return nil }
    var best = found.composition.epsilon(delta: delta)
    for _ in 0..<3 {
      let directions = found.directions
      let tilts = (better(directions.removed, epsilon: best), better(directions.added, epsilon: best))
      guard best > 0, best.isFinite, tilts.0 != nil || tilts.1 != nil,
        let next = composed(look, tilts: (tilts.0 ?? directions.removed.tilt, tilts.1 ?? directions.added.tilt))
      else { break }
      let epsilon = next.composition.epsilon(delta: delta)
      guard isPessimistic ? epsilon < best : epsilon > best else { break }
      (found, best) = (next, epsilon)
    }
    return best
  }

  /// The tilt that is best for Chernoff's bound need not make the losses about ε likely: those of few, rare, large losses are not. Then
  /// another one is tried, nil where there is no better one.
  private func better(_ direction: LossComposition.Direction, epsilon: Double) -> Double? {
    let likelier = direction.tilt(for: epsilon)
    if direction.gain(of: likelier, for: epsilon) > GridPlan.gain { return likelier }
    // Where the masses about ε drown in what they are off by, the bound is Chernoff's with that in place of δ.
    let masses = log(delta) - direction.cumulant + direction.tilt * epsilon
    guard masses < GridPlan.roundingLog + 8 else { return nil }
    let other = LossComposition.chernoffTilt(direction.parts, log(delta) - GridPlan.roundingLog)
    return abs(log(other / direction.tilt)) > 0.05 ? other : nil
  }

  private func composed(_ look: Look, tilts: Tilts?) -> (composition: LossComposition, directions: Directions)? {
    if steps >= GridPlan.smoothSteps, let directions = directions(smoothInterval, after: look, tilts: tilts),
      let composition = LossComposition(lowFrequencies: directions.removed, directions.added, isPessimistic: isPessimistic)
    {
      return (composition, directions)
    }
    return transformable(look, tilts: tilts).map {
      (LossComposition($0.removed, $0.added, isPessimistic: isPessimistic), $0)
    }
  }

  /// Both directions on a coarse grid: where the sum lies, and which tilt suits it.
  private struct Look {
    let directions: Directions
    /// Whether the grid is fine enough for the tilts to be kept.
    let isFine: Bool
  }

  private func coarseLook() -> Look? {
    let scale = pairs.map(\.pair.scale).min() ?? 1
    var coarse = max(interval, min(releaseSpan / 4096, scale / 4), releaseSpan / Double(GridPlan.releaseCells.look))
    while coarse <= 64 {
      if let directions = directions(coarse, after: nil, tilts: nil) { return Look(directions: directions, isFine: coarse <= scale) }
      coarse *= 2
    }
    return nil
  }

  /// The finest grid whose transform is large enough for the wanted interval, or the largest of all.
  private func transformable(_ look: Look, tilts: Tilts?) -> Directions? {
    var best: Directions?
    var fitting = fitting(width: look.directions.width)
    while fitting <= 64 {
      guard let next = directions(fitting, after: look, tilts: tilts), next.cells <= transformMost(next.width) else {
        if best != nil { break }
        fitting = rounded(fitting * 1.1)
        continue
      }
      best = next
      // A coarse grid shows the sum wider than it is: what a finer one would be is looked at again.
      let finer = self.fitting(width: next.width)
      guard finer < 0.7 * fitting else { break }
      fitting = finer
    }
    return best
  }

  /// The interval whose transform a sum of this width fills.
  private func fitting(width: Double) -> Double {
    var cells = GridPlan.transformLeast
    while Double(cells) * 0.8 < width / interval, cells < transformMost(width) { cells *= 2 }
    let fitting = max(width * 1.01 / Double(cells), interval / GridPlan.finestPart)
    return rounded(max(fitting, min(interval, releaseSpan / Double(GridPlan.releaseCells.many))))
  }

  /// Atoms that lie on the grid of the wanted interval lie on that of its parts as well, and are not split there; those that lie on every
  /// 64th of its points keep lying on its doubles'.
  private func rounded(_ fitting: Double) -> Double {
    if pairs.allSatisfy({ $0.pair.atoms.isEmpty }) { return fitting }
    return fitting < interval ? interval / (interval / fitting).rounded(.down) : interval * exp2(log2(fitting / interval).rounded(.up))
  }

  private func transformMost(_ width: Double) -> Int {
    if isRequested { return GridPlan.transformMost.requested }
    return width < 0.9e-4 * Double(GridPlan.transformMost.fine) ? GridPlan.transformMost.fine : GridPlan.transformMost.coarse
  }

  /// Range of the losses of one release, in nats.
  private var releaseSpan: Double { pairs.map { $0.pair.losses.upperBound - $0.pair.losses.lowerBound }.max() ?? 0 }

  /// The interval halved once, and on while one release's grid is small, or while splitting losses between grid points costs more than some
  /// 1e-8 of ε. It costs n(t + 1)·interval²/12 at a tilt of t: only that rests on what is estimated here.
  private var smoothInterval: Double {
    let nats = 2 * log(1 / delta)
    let variance = pairs.reduce(0) { $0 + Double($1.count) * $1.pair.scale * $1.pair.scale }
    let (tilt, epsilon) = ((nats / variance).squareRoot(), (nats * variance).squareRoot() + variance / 2)
    func cells(_ interval: Double) -> Double { releaseSpan / interval }
    var finer = cells(interval / 2) <= Double(GridPlan.releaseCells.most) ? interval / 2 : interval
    while finer > interval / GridPlan.finestPart {
      let costs = steps * (tilt + 1) * finer * finer / 12 > 1e-8 * epsilon
      guard cells(finer / 2) <= Double(costs ? GridPlan.releaseCells.many : GridPlan.releaseCells.few) else { break }
      finer /= 2
    }
    return finer
  }

  /// Both directions on a grid; nil where it would be too large. Tilts are the given ones, those of a look that was fine enough, or looked
  /// for; tails are thinned as such a look shows.
  private func directions(_ interval: Double, after look: Look?, tilts: Tilts?) -> Directions? {
    let fine = look.flatMap { $0.isFine ? $0.directions : nil }
    var (removed, added): ([(losses: DirectedLosses, count: Int)], [(losses: DirectedLosses, count: Int)]) = ([], [])
    for (place, (pair, count)) in pairs.enumerated() {
      let thinning = fine.map {
        LossThinning(
          ($0.removed.parts[place].losses, tilts?.removed ?? $0.removed.tilt), ($0.added.parts[place].losses, tilts?.added ?? $0.added.tilt)
        )
      }
      let both =
        isPessimistic
        ? LossGrid.pessimistic(pair, interval: interval, thinning: thinning ?? LossThinning()).map(DirectedLosses.both)
        : OptimisticGrid.both(pair, interval: interval)
      guard let both else { return nil }
      removed.append((both.removed, count))
      added.append((both.added, count))
    }
    let chosen: Tilts = (
      tilts?.removed ?? fine?.removed.tilt ?? LossComposition.chernoffTilt(removed, log(delta)),
      tilts?.added ?? fine?.added.tilt ?? LossComposition.chernoffTilt(added, log(delta))
    )
    // Beyond 1 / interval a single cell decides.
    return Directions(
      removed: LossComposition.Direction(removed, tilt: min(chosen.removed, 0.5 / interval)),
      added: LossComposition.Direction(added, tilt: min(chosen.added, 0.5 / interval)))
  }
}
