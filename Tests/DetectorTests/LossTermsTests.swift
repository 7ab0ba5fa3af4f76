// The loss's other forms: smoothed labels, weighted positives, focal factor, against their definitions and finite differences.

import Foundation
import TestSupport
import Testing

@testable import Detector

@Suite struct LossTermsTests {
  static let entropies = [
    BinaryCrossEntropy(), BinaryCrossEntropy(positiveWeight: 0.5), BinaryCrossEntropy(positiveWeight: 3),
    BinaryCrossEntropy(focalGamma: 1.5), BinaryCrossEntropy(focalGamma: 0.5), BinaryCrossEntropy(positiveWeight: 2, focalGamma: 2),
  ]
  static let truths = [0.0, 0.05, 0.3, 0.5, 0.95, 1]

  @Test(arguments: entropies.indices, truths) func valuesFollowTheDefinition(index: Int, truth: Double) {
    let entropy = Self.entropies[index]
    for logit in [-6, -1.5, -0.2, 0, 0.7, 3, 6] {
      let p = 1 / (1 + exp(-logit))
      var wanted = -(entropy.positiveWeight * truth * log(p) + (1 - truth) * log(1 - p))
      if entropy.focalGamma > 0 {
        let agreement = truth * p + (1 - truth) * (1 - p)
        wanted *= (truth * 0.25 + (1 - truth) * 0.75) * pow(1 - agreement, entropy.focalGamma)
      }
      let found = entropy.evaluate(logit: logit, truth: truth)
      #expect(abs(found.value - wanted) < 1e-9 * max(1, wanted))
      let step = 1e-5
      let slope =
        (entropy.evaluate(logit: logit + step, truth: truth).value - entropy.evaluate(logit: logit - step, truth: truth).value) / (2 * step)
      #expect(abs(found.slope - slope) < 1e-7)
    }
  }

  @Test(arguments: entropies.indices, truths) func extremeLogitsStayFinite(index: Int, truth: Double) {
    for logit in [-1e30, -800, -40, 40, 800, 1e30] {
      let found = Self.entropies[index].evaluate(logit: logit, truth: truth)
      #expect(found.value.isFinite && found.slope.isFinite && found.value >= 0)
    }
  }

  static let hypers: [HyperParameters] = {
    var (smooth, weighted, focal, all) = (HyperParameters(), HyperParameters(), HyperParameters(), HyperParameters())
    smooth.labelSmoothing = 0.1
    (weighted.classPositiveWeight, weighted.objectnessPositiveWeight) = (0.5, 2)
    focal.focalGamma = 1.5
    all.labelSmoothing = 0.2
    (all.classPositiveWeight, all.objectnessPositiveWeight, all.focalGamma) = (3, 0.7, 0.5)
    (all.boxGain, all.classGain, all.objectnessGain, all.anchorRatioMax) = (0.1, 2, 0.6, 3)
    return [smooth, weighted, focal, all]
  }()

  /// The same check as for the plain loss: α and the objectness target are constants for the gradient, so box outputs are left out.
  @Test(arguments: hypers.indices) func gradientsAgreeWithFiniteDifferences(index: Int) throws {
    let vector = try LossVector("tiny3", maps: "tiny3")
    let loss = DetectionLoss(classes: 3, anchors: gridAnchors, hyper: Self.hypers[index], imageSize: 640)
    let (parts, gradients) = loss.evaluate(maps: vector.maps, targets: vector.targets)
    #expect(parts.total != vector.loss.evaluate(maps: vector.maps, targets: vector.targets).parts.total)
    var generator = SeededGenerator(seed: 12)
    for level in 0..<3 {
      for _ in 0..<20 {
        let cells = vector.maps[level].values.count / 8
        let position = Int.random(in: 0..<cells, using: &generator) * 8 + Int.random(in: 4..<8, using: &generator)
        var (raised, lowered) = (vector.maps, vector.maps)
        raised[level].values[position] += 1e-2
        lowered[level].values[position] -= 1e-2
        let up = loss.evaluate(maps: raised, targets: vector.targets).parts.total
        let down = loss.evaluate(maps: lowered, targets: vector.targets).parts.total
        let slope = Double(gradients[level].values[position])
        #expect(abs((up - down) / 2e-2 - slope) <= 1e-3 * abs(slope) + 2e-6)
      }
    }
  }

  @Test func gainsScaleTheirParts() throws {
    let vector = try LossVector("tiny3", maps: "tiny3")
    var hyper = HyperParameters()
    (hyper.boxGain, hyper.classGain, hyper.objectnessGain) = (0.1, 1.5, 0.5)
    func parts(_ hyper: HyperParameters) -> LossParts {
      DetectionLoss(classes: 3, anchors: gridAnchors, hyper: hyper, imageSize: 640)
        .evaluate(maps: vector.maps, targets: vector.targets).parts
    }
    let (changed, plain) = (parts(hyper), parts(HyperParameters()))
    #expect(abs(changed.box / plain.box - 2) < 1e-9)
    #expect(abs(changed.classification / plain.classification - 3) < 1e-9)
    #expect(abs(changed.objectness / plain.objectness - 0.5) < 1e-9)
  }

  @Test func aStricterAnchorRatioMatchesFewerBoxes() throws {
    let vector = try LossVector("n3", maps: "n3")
    func count(_ ratio: Float) -> Int {
      TargetAssignment(anchors: gridAnchors[1], shapeRatioMax: ratio).matches(targets: vector.targets, width: 8, height: 8).count
    }
    #expect(count(1.5) < count(4) && count(4) <= count(8))
  }

  @Test(arguments: [1, 2, 3, 4, 5]) func everyLevelHasItsBalance(levels: Int) {
    let gains = LossGains(HyperParameters(), classes: 80, imageSize: 640, levels: levels)
    #expect(gains.balance.count == levels && gains.balance[0] == 4)
    #expect(abs(gains.box - 0.05 * 3 / Double(levels)) < 1e-12)
  }
}
