// The confusion matrix against a naive account of the same rule, and the curves against the scores that they belong to.

import Foundation
import TestSupport
import Testing

@testable import Detector

@Suite struct ConfusionMatrixTests {
  private func detection(_ x: Float, _ classIndex: Int, _ confidence: Float = 0.9, size: Float = 10) -> Detection {
    Detection(box: SIMD4(x, 0, x + size, size), confidence: confidence, classIndex: classIndex)
  }
  private func label(_ x: Float, _ classIndex: Int, size: Float = 10) -> LabelledBox {
    LabelledBox(box: SIMD4(x, 0, x + size, size), classIndex: classIndex)
  }

  @Test func eachCaseCountsWhereItBelongs() {
    var matrix = ConfusionMatrix(classes: 2)
    matrix.add(
      detections: [detection(0, 0), detection(100, 1), detection(200, 1), detection(300, 0, 0.25)],
      labels: [label(1, 0), label(101, 0), label(300, 1)])
    // Right; 0 taken for 1; a false alarm of 1; the last is not confident enough, so its label is missed.
    #expect(matrix.counts == [[1, 0, 0], [1, 0, 1], [0, 1, 0]])
    matrix.add(detections: [detection(0, 0)], labels: [])
    #expect(matrix.counts[0] == [1, 0, 1])
    matrix.add(detections: [], labels: [label(0, 1)])
    #expect(matrix.counts[2] == [0, 2, 0])
    #expect(matrix.shares[0] == [0.5, 0, 0.5] && matrix.shares[2] == [0, 1, 0])
  }

  @Test func overlapMustExceedTheThreshold() {
    // Two thirds of each other's width in common: IoU 0.5; a third: 0.2.
    var near = ConfusionMatrix(classes: 1)
    near.add(detections: [detection(0, 0, size: 9)], labels: [LabelledBox(box: SIMD4(3, 0, 12, 9), classIndex: 0)])
    #expect(near.counts == [[1, 0], [0, 0]])
    var far = ConfusionMatrix(classes: 1, iouMin: 0.51)
    far.add(detections: [detection(0, 0, size: 9)], labels: [LabelledBox(box: SIMD4(3, 0, 12, 9), classIndex: 0)])
    #expect(far.counts == [[0, 1], [1, 0]])
  }

  @Test func classesOutOfRangeAreLeftOut() {
    var matrix = ConfusionMatrix(classes: 1)
    matrix.add(detections: [detection(0, 5), detection(0, -1)], labels: [label(50, 3)])
    #expect(matrix.counts == [[0, 0], [0, 0]])
    #expect(matrix.shares == [[0, 0], [0, 0]])
  }

  /// The rule in the words of its definition: best label of each detection, then best detection of each label.
  private func naive(_ detections: [Detection], _ labels: [LabelledBox], classes: Int) -> [[Int]] {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: classes + 1), count: classes + 1)
    let found = detections.filter { $0.confidence > 0.25 }
    func iou(_ d: Int, _ l: Int) -> Float { DetectionMatching.iou(labels[l].box, found[d].box) }
    var wish: [Int: Int] = [:]
    for d in found.indices {
      let near = labels.indices.filter { iou(d, $0) > 0.45 }
      if let best = near.max(by: { iou(d, $0) < iou(d, $1) }) { wish[d] = best }
    }
    var matched: Set<Int> = []
    for l in labels.indices {
      let best = found.indices.filter { wish[$0] == l }.max { iou($0, l) < iou($1, l) }
      counts[best.map { found[$0].classIndex } ?? classes][labels[l].classIndex] += 1
      if let best { matched.insert(best) }
    }
    for d in found.indices where !matched.contains(d) { counts[found[d].classIndex][classes] += 1 }
    return counts
  }

  @Test func manyRandomImagesAgreeWithTheNaiveAccount() {
    var random = SeededGenerator(seed: 21)
    for _ in 0..<400 {
      func box() -> SIMD4<Float> {
        let (x, y) = (Float.random(in: 0...12, using: &random), Float.random(in: 0...12, using: &random))
        return SIMD4(x, y, x + .random(in: 6...14, using: &random), y + .random(in: 6...14, using: &random))
      }
      let labels = (0..<Int.random(in: 0...6, using: &random)).map { _ in
        LabelledBox(box: box(), classIndex: Int.random(in: 0..<3, using: &random))
      }
      let detections = (0..<Int.random(in: 0...8, using: &random)).map { _ in
        Detection(box: box(), confidence: .random(in: 0...1, using: &random), classIndex: Int.random(in: 0..<3, using: &random))
      }
      var matrix = ConfusionMatrix(classes: 3)
      matrix.add(detections: detections, labels: labels)
      #expect(matrix.counts == naive(detections, labels, classes: 3))
      // Each label is in its column once, each confident detection in its row once.
      for index in 0..<3 { #expect(matrix.counts.reduce(0) { $0 + $1[index] } == labels.count { $0.classIndex == index }) }
      let confident = detections.filter { $0.confidence > 0.25 }
      for index in 0..<3 { #expect(matrix.counts[index].reduce(0, +) == confident.count { $0.classIndex == index }) }
    }
  }
}

@Suite struct CurveSetTests {
  private func collected(_ name: String) throws -> AveragePrecision {
    var collector = AveragePrecision()
    for image in try AveragePrecisionTests.images(name) { collector.add(detections: image.detections, labels: image.labels) }
    return collector
  }

  @Test(arguments: AveragePrecisionTests.cases) func curvesPassThroughTheScores(vector: AveragePrecisionTests.Case) throws {
    let collector = try collected(vector.case)
    let (curves, scores) = (collector.curves(), collector.scores())
    #expect(abs(curves.map50 - scores.map50) < 1e-12)
    #expect(curves.classes.map(\.classIndex) == scores.classes.map(\.classIndex))
    let step = Int((curves.best.confidence * 999).rounded())
    for (curve, score) in zip(curves.classes, scores.classes) {
      #expect(curve.labels == score.labels && curve.averagePrecision == score.map50)
      #expect(curve.precision[step] == score.precision && curve.recall[step] == score.recall)
    }
    guard !curves.classes.isEmpty else { return }
    #expect(abs(curves.meanPrecision[step] - scores.precision) < 1e-12 && abs(curves.meanRecall[step] - scores.recall) < 1e-12)
    #expect(curves.best.f1 == curves.meanF1[step])
  }

  @Test(arguments: AveragePrecisionTests.cases) func curvesHaveTheirShape(vector: AveragePrecisionTests.Case) throws {
    for curve in try collected(vector.case).curves().classes {
      for values in [curve.precision, curve.recall, curve.precisionByRecall, curve.f1] {
        #expect(values.count == 1000 && values.allSatisfy { (0...1).contains($0) })
      }
      // More confidence finds less; the envelope falls along recall.
      #expect(zip(curve.recall, curve.recall.dropFirst()).allSatisfy { $0 >= $1 - 1e-12 })
      #expect(zip(curve.precisionByRecall, curve.precisionByRecall.dropFirst()).allSatisfy { $0 >= $1 - 1e-12 })
      // The area under the drawn curve is the average precision, but for the other steps.
      let area = curve.precisionByRecall.reduce(0, +) / 1000
      #expect(abs(area - curve.averagePrecision) < 0.02)
    }
  }

  @Test func nothingAddedHasNoCurves() {
    let curves = AveragePrecision().curves()
    #expect(curves.classes.isEmpty && curves.map50 == 0 && curves.best == (0, 0) && curves.meanF1.count == 1000)
  }
}
