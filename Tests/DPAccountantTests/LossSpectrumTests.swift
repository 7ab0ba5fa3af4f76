// Compositions by low frequencies: their pieces against definitions, the whole against the transform and against exact figures. [AC-22] to
// [AC-24], [AC-27], [AC-28].
import Foundation
import TestSupport
import Testing

@testable import DPAccountant

@Suite struct LossSpectrumTests {
  private struct Vectors: Decodable {
    let compositions: [[String: String]]
  }

  /// [AC-20], [AC-27], [AC-28] Exact figures by an integral that knows no grid lie between the bounds. The bound is not above
  /// dp-accounting's on the same interval, but where dp-accounting's is below the exact figure: rounding of its transform makes it so at
  /// small δ.
  @Test func exactFiguresLieBetweenTheBounds() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: vectorPath("losses.json")))
    let rows = try JSONDecoder().decode(Vectors.self, from: data).compositions
    #expect(rows.count >= 100)
    var (compared, undercut) = (0, 0)
    for row in rows {
      let (rate, exact, delta) = (number(row["rate"]), number(row["exact"]), number(row["delta"]))
      let gaussian = NoiseEvent.gaussian(noiseMultiplier: number(row["sigma"]))
      for (name, interval) in [("peer_1e-3", 1e-3), ("peer_1e-4", 1e-4)] {
        var accountant = try PLDAccountant(lossInterval: interval)
        try accountant.compose(rate == 1 ? gaussian : .poissonSampled(samplingRate: rate, gaussian), count: Int(number(row["steps"])))
        let high = try accountant.epsilon(delta: delta).epsilon
        #expect(high >= exact * (1 - 1e-13), "\(row): \(high / exact - 1)")
        #expect(high <= exact * (1 + 2 * interval), "\(row): \(high / exact - 1)")
        if rate == 1 { #expect(high <= exact * (1 + 1e-12), "\(row): \(high / exact - 1)") }
        let peer = number(row[name])
        if peer >= exact { #expect(high <= peer, "\(row): \(high / peer - 1)") }
        (compared, undercut) = (compared + 1, undercut + (peer < exact ? 1 : 0))
        if interval == 1e-3 {
          let low = try accountant.epsilonAtLeast(delta: delta)
          #expect(low <= exact * (1 + 1e-13) && low >= exact * (1 - 0.1), "\(row): \(low / exact - 1)")
        }
      }
    }
    #expect(undercut * 10 <= compared, "the peer is below the exact figure in \(undercut) of \(compared)")
  }

  /// [AC-27] Both ways of composing, on one grid.
  @Test(arguments: [(1.0, 0.05, 300, 1e-6), (0.8, 0.3, 40, 1e-4), (3, 0.2, 2000, 1e-9), (2, 1, 20, 1e-12)])
  func lowFrequenciesAreTheTransform(_ sigma: Double, _ rate: Double, _ steps: Int, _ delta: Double) throws {
    for isPessimistic in [true, false] {
      let (removed, added) = try directions(sigma, rate, steps, delta, isPessimistic)
      let low = try #require(LossComposition(lowFrequencies: removed, added, isPessimistic: isPessimistic))
      let transformed = LossComposition(removed, added, isPessimistic: isPessimistic)
      for (one, other) in [(low.removed, transformed.removed), (low.added, transformed.added)] {
        let (first, second) = (one.epsilon(delta: delta), other.epsilon(delta: delta))
        #expect(abs(first - second) <= 1e-8 * max(first, 1e-3), "\(first) and \(second)")
      }
    }
  }

  /// [AC-27] No frequency is above its bound, and none is off by more than what is said.
  @Test(arguments: [(1.0, 0.05), (0.6, 0.01), (4, 0.5), (2, 1)]) func spectrumIsItsDefinition(_ sigma: Double, _ rate: Double) throws {
    let (removed, added) = try directions(sigma, rate, 10, 1e-6, true)
    for direction in [removed, added] {
      let losses = direction.parts[0].losses
      let spectrum = LossSpectrum(losses, tilt: direction.tilt)
      let (window, highest) = (5 * losses.masses.count + 7, 600)
      let values = spectrum.values(window: window, highest: highest)
      let tilted = losses.tilted(direction.tilt)
      for k in stride(from: 0, through: window / 2, by: 37) {
        var (a, b) = (CompensatedSum(), CompensatedSum())
        for (index, mass) in tilted.enumerated() {
          let angle = UnitAngle(-k * (losses.first + index - values.anchor), of: window)
          a.add(mass * angle.cosine)
          b.add(mass * angle.sine)
        }
        let size = (a.value * a.value + b.value * b.value).squareRoot()
        if k > 0 { #expect(size <= spectrum.magnitude(from: 2 * .pi * Double(k) / Double(window))) }
        if k <= highest {
          #expect(
            abs(values.real[k] - a.value) <= values.errors[k] && abs(values.imaginary[k] - b.value) <= values.errors[k], "frequency \(k)")
        }
      }
      #expect(values.errors.allSatisfy { $0 < 1e-11 })
    }
  }

  /// [AC-27] A sum that is not smooth has no few frequencies: it is left to the transform.
  @Test func roughSumsAreLeftToTheTransform() throws {
    let laplace = LossPair.laplace(noiseMultiplier: 1)
    let both = DirectedLosses.both(try #require(LossGrid.pessimistic(laplace, interval: 1e-3)))
    let removed = LossComposition.Direction([(both.removed, 20)], tilt: 2)
    let added = LossComposition.Direction([(both.added, 20)], tilt: 2)
    #expect(LossComposition(lowFrequencies: removed, added, isPessimistic: true) == nil)
  }

  /// [AC-22] Thinning keeps the mass under both distributions and never makes δ smaller.
  @Test func thinnedTailsDominate() throws {
    var pair = LossPair.gaussian(noiseMultiplier: 1, tail: 1e-14)
    pair.rate = 0.05
    let full = try #require(LossGrid.pessimistic(pair, interval: 1e-3))
    var thinning = LossThinning()
    thinning.losses = [0.1, 0.15, 0.3, 0.31, 0.32, 0.5, 1, 1.5]
    let thin = try #require(LossGrid.pessimistic(pair, interval: 1e-3, thinning: thinning))
    #expect(thin.masses.filter { $0 > 0 }.count * 2 < full.masses.filter { $0 > 0 }.count)
    func sums(_ grid: LossGrid, _ epsilon: Double) -> (base: Double, shifted: Double, delta: Double) {
      grid.masses.enumerated().reduce((0, 0, 0)) { sum, mass in
        let ratio = exp(Double(grid.first + mass.offset) * grid.interval)
        return (
          sum.0 + mass.element, sum.1 + mass.element * ratio, sum.2 + mass.element * max(0, ratio - exp(epsilon))
        )
      }
    }
    for epsilon in stride(from: -0.05, through: 2, by: 0.0107) {
      let (first, second) = (sums(full, epsilon), sums(thin, epsilon))
      #expect(abs(first.base - second.base) < 1e-12 && abs(first.shifted - second.shifted) < 1e-12)
      #expect(second.delta >= first.delta * (1 - 1e-10))
    }
  }

  /// [AC-28] Many Gaussians and trees are one; a mixture counts them as well.
  @Test func gaussiansAreOne() throws {
    var (parts, whole) = (try PLDAccountant(), try PLDAccountant())
    try parts.compose(.composed([.gaussian(noiseMultiplier: 2), .repeated(.gaussian(noiseMultiplier: 4), count: 5)]))
    try parts.compose(.treeAggregation(noiseMultiplier: 8, stepCounts: [3, 2]))
    try whole.compose(.gaussian(noiseMultiplier: 1 / (1.0 / 4 + 5.0 / 16 + 2.0 / 64).squareRoot()))
    for delta in [0.9, 1e-3, 1e-12, 1e-30] {
      let (high, low) = (try parts.epsilon(delta: delta).epsilon, try parts.epsilonAtLeast(delta: delta))
      #expect(abs(high - (try whole.epsilon(delta: delta).epsilon)) <= 1e-13 * high)
      #expect(low <= high && high - low <= 1e-12 * high + 1e-13)
    }
    // Little noise, many times: within reach of the closed form, in a mixture by several louder ones.
    var quiet = try PLDAccountant(lossInterval: 1e-3)
    try quiet.compose(.gaussian(noiseMultiplier: 0.1), count: 16)
    let alone = try quiet.epsilon(delta: 1e-6).epsilon
    #expect(abs(alone / 989.192220717673 - 1) < 1e-12)
    try quiet.compose(.poissonSampled(samplingRate: 1e-4, .gaussian(noiseMultiplier: 10)))
    let mixed = try quiet.epsilon(delta: 1e-6).epsilon
    #expect(mixed >= alone * (1 - 1e-12) && mixed <= alone + 0.2, "\(mixed) and \(alone)")
    #expect(try quiet.epsilonAtLeast(delta: 1e-6) <= mixed)
  }

  private func number(_ text: String?) -> Double { text.flatMap(Double.init) ?? .nan }

  private func directions(
    _ sigma: Double, _ rate: Double, _ steps: Int, _ delta: Double, _ isPessimistic: Bool
  ) throws -> (LossComposition.Direction, LossComposition.Direction) {
    var pair = LossPair.gaussian(noiseMultiplier: sigma, tail: 1e-16)
    pair.rate = rate
    let interval = isPessimistic ? 2e-3 : 5e-4
    let grid = LossGrid.pessimistic(pair, interval: interval).map(DirectedLosses.both)
    let both = try #require(isPessimistic ? grid : OptimisticGrid.both(pair, interval: interval))
    // Where the sum centres on the ε of δ.
    func tilt(_ losses: DirectedLosses) -> Double {
      let choices = (0..<200).map { 0.05 * pow(1.05, Double($0)) }
      func cost(_ s: Double) -> Double { (Double(steps) * losses.cumulant(s) - log(delta)) / s }
      return choices.min { cost($0) < cost($1) } ?? 1
    }
    return (
      LossComposition.Direction([(both.removed, steps)], tilt: tilt(both.removed)),
      LossComposition.Direction([(both.added, steps)], tilt: tilt(both.added))
    )
  }
}
