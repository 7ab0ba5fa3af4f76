// The loss against recorded assignments, losses and gradients of independent software, and against finite differences.

import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct LossTests {
  @Test(arguments: ["n3", "tiny3"])
  func assignmentKeepsTheRecordedOrder(name: String) throws {
    let vector = try LossVector(name, maps: name)
    let file = try SafetensorsFile.read(path: vectorPath("\(name)_build_targets.safetensors"))
    for (level, map) in vector.maps.enumerated() {
      let matches = TargetAssignment(anchors: gridAnchors[level])
        .matches(targets: vector.targets, width: map.width, height: map.height)
      let indices = try file.int64s("l\(level)_idx")
      let classes = try file.int64s("l\(level)_cls")
      let boxes = try file.floats("l\(level)_box")
      #expect(matches.count == classes.count)
      for (row, match) in matches.enumerated() where row < classes.count {
        let found = [match.image, match.anchor, match.cellY, match.cellX].map(Int64.init)
        #expect(found == Array(indices[(row * 4)..<(row * 4 + 4)]), "level \(level) row \(row)")
        #expect(Int64(match.classIndex) == classes[row])
        #expect([match.x, match.y, match.w, match.h] == Array(boxes[(row * 4)..<(row * 4 + 4)]))
      }
    }
  }

  @Test(arguments: [("n3", "n3"), ("tiny3", "tiny3"), ("tiny3_empty", "tiny3")])
  func partsAndGradientsMatchTheRecord(name: String, maps: String) throws {
    let vector = try LossVector(name, maps: maps)
    let (parts, gradients) = vector.loss.evaluate(maps: vector.maps, targets: vector.targets)
    func isClose(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool { abs(a - b) <= tolerance * max(abs(b), 1e-9) }
    #expect(isClose(parts.total, vector.expected.lossTotalF64, 1e-5))
    #expect(isClose(parts.box, vector.expected.itemsF64[0], 1e-5))
    #expect(isClose(parts.objectness, vector.expected.itemsF64[1], 1e-5))
    #expect(isClose(parts.classification, vector.expected.itemsF64[2], 1e-5))
    // The detect head's bias gradient is the sum of the map's gradient over images and cells.
    for (level, gradient) in gradients.enumerated() {
      let channels = gradient.anchors * gradient.outputs
      var sums = [Double](repeating: 0, count: channels)
      for (index, value) in gradient.values.enumerated() { sums[index % channels] += Double(value) }
      let expected = vector.expected.detectBiasGradients[level]
      let error = zip(sums, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(error <= 1e-3 * norm, "level \(level): \(error) of \(norm)")
    }
  }

  @Test func completeIoUMatchesTheRecord() throws {
    let file = try SafetensorsFile.read(path: vectorPath("ciou.safetensors"))
    let first = try file.floats("box1_xywh").map(Double.init)
    let second = try file.floats("box2_xywh").map(Double.init)
    let values = try file.floats("ciou").map(Double.init)
    let slopes = try file.floats("grad_box1_of_mean_1_minus_ciou").map(Double.init)
    #expect(values.count == 600)
    var worstValue = 0.0
    var worstSlope = 0.0
    for row in 0..<values.count {
      func box(_ v: [Double]) -> SIMD4<Double> { SIMD4(v[row * 4], v[row * 4 + 1], v[row * 4 + 2], v[row * 4 + 3]) }
      let iou = CompleteIoU(predicted: box(first), labelled: box(second))
      worstValue = max(worstValue, abs(iou.value - values[row]))
      let error = iou.gradient * (-1 / Double(values.count)) - box(slopes)
      let norm = (box(slopes) * box(slopes)).sum().squareRoot()
      // For identical boxes the true slope is zero and the record holds single-precision noise of up to 1e-7.
      worstSlope = max(worstSlope, (error * error).sum().squareRoot() / max(norm, 2e-4))
    }
    #expect(worstValue < 1e-5)
    #expect(worstSlope < 1e-3)
  }

  @Test func gradientAgreesWithFiniteDifferences() throws {
    let vector = try LossVector("tiny3", maps: "tiny3")
    // α and the objectness target are constants for the gradient, so box outputs are left to the CIoU vectors.
    let (_, gradients) = vector.loss.evaluate(maps: vector.maps, targets: vector.targets)
    var generator = SeededGenerator(seed: 11)
    for level in 0..<3 {
      for _ in 0..<20 {
        let cells = vector.maps[level].values.count / 8
        let position = Int.random(in: 0..<cells, using: &generator) * 8 + Int.random(in: 4..<8, using: &generator)
        var raised = vector.maps
        raised[level].values[position] += 1e-2
        var lowered = vector.maps
        lowered[level].values[position] -= 1e-2
        let up = vector.loss.evaluate(maps: raised, targets: vector.targets).parts.total
        let down = vector.loss.evaluate(maps: lowered, targets: vector.targets).parts.total
        let slope = Double(gradients[level].values[position])
        #expect(abs((up - down) / 2e-2 - slope) <= 1e-3 * abs(slope) + 2e-6)
      }
    }
  }

  @Test func oneClassHasNoClassLoss() {
    let map = FeatureMap(
      batch: 1, height: 4, width: 4, anchors: 3, outputs: 6, values: [Float](repeating: 0.3, count: 4 * 4 * 18))
    let loss = DetectionLoss(
      classes: 1, anchors: [gridAnchors[1]], gains: LossGains(box: 0.05, objectness: 1, classification: 1, balance: [1]))
    let target = Target(image: 0, classIndex: 0, x: 0.4, y: 0.4, w: 0.8, h: 0.8)
    let (parts, gradients) = loss.evaluate(maps: [map], targets: [target])
    #expect(parts.classification == 0)
    #expect(parts.box > 0)
    #expect(stride(from: 5, to: gradients[0].values.count, by: 6).allSatisfy { gradients[0].values[$0] == 0 })
  }

  @Test func extremeOutputsStayFinite() {
    let extremes: [Float] = [-1e30, 1e30, -200, 200, 0]
    for value in extremes {
      let map = FeatureMap(
        batch: 1, height: 4, width: 4, anchors: 3, outputs: 7, values: [Float](repeating: value, count: 4 * 4 * 21))
      let loss = DetectionLoss(
        classes: 2, anchors: [gridAnchors[1]], gains: LossGains(box: 1, objectness: 1, classification: 1, balance: [1]))
      let target = Target(image: 0, classIndex: 1, x: 0, y: 1, w: 1, h: 1)
      let (parts, gradients) = loss.evaluate(maps: [map], targets: [target])
      #expect(parts.total.isFinite)
      #expect(gradients[0].values.allSatisfy { $0.isFinite })
    }
  }

  @Test(arguments: [(0.0, 0.5), (0.5, 0.0), (0.0, 0.0)])
  func boxesWithoutAreaMatchNothing(width: Double, height: Double) {
    let target = Target(image: 0, classIndex: 0, x: 0.5, y: 0.5, w: Float(width), h: Float(height))
    #expect(TargetAssignment(anchors: gridAnchors[0]).matches(targets: [target], width: 8, height: 8).isEmpty)
  }

  @Test func boxesOnTheBorderStayInsideTheGrid() {
    let corners: [(Float, Float)] = [(0, 0), (1, 1), (0, 1), (1, 0)]
    for (x, y) in corners {
      let target = Target(image: 0, classIndex: 0, x: x, y: y, w: 0.25, h: 0.25)
      let matches = TargetAssignment(anchors: gridAnchors[0]).matches(targets: [target], width: 8, height: 8)
      #expect(!matches.isEmpty)
      #expect(matches.allSatisfy { (0..<8).contains($0.cellX) && (0..<8).contains($0.cellY) })
    }
  }
}
