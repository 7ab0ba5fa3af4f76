// Anchors against labels: recall by hand, clusters that are plainly there, and when old anchors stay.

import TestSupport
import Testing

@testable import Detector

@Suite struct AutoAnchorTests {
  private func boxes(_ centres: [SIMD2<Float>], each: Int, spread: Float, seed: UInt64 = 5) -> [SIMD2<Float>] {
    var random = SeededGenerator(seed: seed)
    return centres.flatMap { centre in
      (0..<each).map { _ in
        SIMD2(
          centre.x * Float.random(in: 1 - spread...1 + spread, using: &random),
          centre.y * Float.random(in: 1 - spread...1 + spread, using: &random))
      }
    }
  }

  private static let nine: [SIMD2<Float>] = [
    [8, 8], [12, 30], [30, 12], [40, 40], [60, 140], [140, 60], [150, 150], [300, 120], [120, 300],
  ]

  private func check(_ boxes: [SIMD2<Float>], ratio: Double = 4) -> AutoAnchor {
    AutoAnchor(boxes: boxes, checked: boxes, ratioMax: ratio, seed: 1)
  }

  @Test func recallCountsBoxesWithAnAnchorOfTheirShape() {
    let fit = AnchorFit(boxes: [[10, 10], [10, 90], [39, 39], [41, 10]], anchors: [[10, 10], [20, 20]], ratioMax: 4)
    // 10x90 is more than four times as high as either, 41x10 too wide for the first only; the others suit both.
    #expect(fit.recall == 0.75)
    #expect(fit.anchorsPerBox == 5.0 / 4)
    #expect(AnchorFit(boxes: [], anchors: [[1, 1]], ratioMax: 4).recall == 0)
  }

  @Test func goodAnchorsStay() {
    let outcome = check(boxes(ModelSpec.defaultAnchors.flatMap { $0 }, each: 20, spread: 0.1)).run(ModelSpec.defaultAnchors)
    #expect(outcome.before.recall == 1 && outcome.after == nil && outcome.anchors == nil)
  }

  @Test func badAnchorsAreReplacedSmallToLarge() throws {
    let made = boxes(Self.nine.map { $0 / 8 + 1 }, each: 30, spread: 0.15)
    let outcome = check(made, ratio: 2).run(ModelSpec.defaultAnchors)
    #expect(outcome.before.recall < 0.9)
    let after = try #require(outcome.after)
    #expect(after.recall > 0.98)
    let found = try #require(outcome.anchors)
    #expect(found.map(\.count) == [3, 3, 3])
    let areas = found.flatMap { $0 }.map { $0.x * $0.y }
    #expect(areas == areas.sorted())
    // The same seed gives the same anchors.
    #expect(check(made, ratio: 2).run(ModelSpec.defaultAnchors) == outcome)
  }

  @Test func clustersAreFound() throws {
    let found = try #require(check(boxes(Self.nine, each: 40, spread: 0.05)).fitted(count: 9))
    for centre in Self.nine { #expect(found.contains { AnchorFit.agreement(centre, $0) > 0.8 }, "\(centre) in \(found)") }
  }

  @Test func mutationNeverLosesFitness() throws {
    let made = boxes(Self.nine, each: 15, spread: 0.4)
    let auto = check(made)
    var random = SampleRandom(seed: 1, stream: 0x616E_6368, 1)
    let start = BoxClusters(made, count: 9, &random).centres
    let end = try #require(auto.fitted(count: 9))
    #expect(auto.fitness(end, made) >= auto.fitness(start, made))
  }

  @Test func fitnessFollowsItsDefinition() {
    let made = boxes(Self.nine, each: 5, spread: 0.5)
    let anchors: [SIMD2<Float>] = [[10, 10], [50, 30], [200, 260]]
    var wanted = 0.0
    for box in made {
      let best = anchors.map { AnchorFit.agreement(box, $0) }.max() ?? 0
      if best > 0.25 { wanted += Double(best) }
    }
    #expect(abs(check(made).fitness(anchors, made) - wanted / Double(made.count)) < 1e-6)
  }

  @Test func tooFewBoxesKeepTheOldAnchors() {
    for made in [[], [[5, 5]], [SIMD2<Float>](repeating: [500, 2], count: 50)] as [[SIMD2<Float>]] {
      let outcome = check(made).run(ModelSpec.defaultAnchors)
      #expect(outcome.after == nil && outcome.anchors == nil)
    }
  }

  @Test func aFitThatWasAskedForIsMadeEvenWhereOldOnesAreGood() {
    let made = boxes(ModelSpec.defaultAnchors.flatMap { $0 }, each: 20, spread: 0.1)
    let outcome = check(made).run(ModelSpec.defaultAnchors, isForced: true)
    #expect(outcome.before.recall == 1 && outcome.after?.recall == 1 && outcome.anchors != nil)
  }

  @Test func labelsAreMeasuredAtTheSizeOfTraining() throws {
    try withTemporaryFolder { folder in
      let data = try TinyDataset(folder: folder, training: 5, validation: 1)
      let dataset = try Dataset(yaml: data.yaml, split: .train)
      let check = AutoAnchor(dataset: dataset, sizes: try dataset.sizes(), imageSize: 128, ratioMax: 4, seed: 1)
      #expect(check.boxes.count == 5)
      for (box, label) in zip(check.boxes, dataset.labels.flatMap { $0 }) { #expect(abs(box.x - label.w * 128) < 1e-3) }
    }
  }
}
