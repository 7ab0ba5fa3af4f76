// Suppression, matching and average precision against recorded results of independent software, and their edge cases.

import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct SuppressionTests {
  struct Case: Decodable, CustomTestStringConvertible {
    struct Arguments: Decodable {
      var confThres: Float
      var iouThres: Float
      var multiLabel: Bool?
      var agnostic: Bool?
      var classes: [Int]?
      var maxDet: Int
    }
    var `case`: String
    var input: String
    var args: Arguments
    var nOut: [Int]
    var testDescription: String { `case` }
  }

  static let cases: [Case] = {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let data = try? Data(contentsOf: URL(fileURLWithPath: vectorPath("nms.json")))
    return data.flatMap { try? decoder.decode([Case].self, from: $0) } ?? []
  }()

  @Test func allSixParameterSetsAreThere() { #expect(Self.cases.count == 6) }

  @Test(arguments: cases) func keepsTheRecordedDetections(vector: Case) throws {
    let file = try SafetensorsFile.read(path: vectorPath("nms.safetensors"))
    let shape = try file.entry(vector.input).shape
    let values = try file.floats(vector.input)
    let suppression = NonMaximumSuppression(
      confidenceMin: vector.args.confThres, iouMax: vector.args.iouThres,
      isMultiLabel: vector.args.multiLabel ?? false, isClassAgnostic: vector.args.agnostic ?? false,
      classFilter: vector.args.classes.map { Set($0) }, detectionsMax: vector.args.maxDet)
    for image in 0..<shape[0] {
      let size = shape[1] * shape[2]
      let rows = Array(values[(image * size)..<((image + 1) * size)])
      let kept = suppression.apply(to: Predictions(classes: shape[2] - 5, values: rows))
      let expected = try file.floats("\(vector.case)_out\(image)")
      #expect(kept.count == vector.nOut[image])
      guard kept.count * 6 == expected.count else { continue }
      for (index, detection) in kept.enumerated() {
        let row = expected[(index * 6)..<(index * 6 + 6)].map { $0 }
        let found = [detection.box.x, detection.box.y, detection.box.z, detection.box.w, detection.confidence]
        #expect(zip(found, row).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) }, "image \(image) row \(index)")
        #expect(Float(detection.classIndex) == row[5])
      }
    }
  }

  @Test func nothingIsKeptOfNothing() {
    #expect(NonMaximumSuppression.validation.apply(to: Predictions(classes: 3, values: [])).isEmpty)
  }

  @Test func notANumberIsNeverKept() {
    let row: [Float] = [10, 10, 4, 4, .nan, .nan, 0.9]
    let other: [Float] = [10, 10, 4, 4, 0.9, .nan, .nan]
    for suppression in [NonMaximumSuppression.validation, .display] {
      #expect(suppression.apply(to: Predictions(classes: 2, values: row + other)).isEmpty)
    }
  }

  @Test func thresholdsAreStrict() {
    let row: [Float] = [10, 10, 4, 4, 0.5, 1]
    let at = NonMaximumSuppression(confidenceMin: 0.5, iouMax: 0.5, detectionsMax: 10)
    #expect(at.apply(to: Predictions(classes: 1, values: row)).isEmpty)
    let below = NonMaximumSuppression(confidenceMin: 0.49, iouMax: 0.5, detectionsMax: 10)
    #expect(below.apply(to: Predictions(classes: 1, values: row)).count == 1)
  }
}

@Suite struct AveragePrecisionTests {
  struct Case: Decodable, CustomTestStringConvertible {
    var `case`: String
    var p: [Double]?
    var r: [Double]?
    var f1: [Double]?
    var tp: [Double]?
    var fp: [Double]?
    var ap: [[Double]]?
    var classes: [Int]?
    var mp: Double
    var mr: Double
    var map50: Double
    var map: Double
    var testDescription: String { `case` }
  }

  static let cases: [Case] = {
    let data = try? Data(contentsOf: URL(fileURLWithPath: vectorPath("map.json")))
    return data.flatMap { try? JSONDecoder().decode([Case].self, from: $0) } ?? []
  }()

  /// Detections and labels by image number.
  static func images(_ name: String) throws -> [(detections: [Detection], labels: [LabelledBox], correct: [UInt16])] {
    let file = try SafetensorsFile.read(path: vectorPath("map.safetensors"))
    let detections = try file.floats("\(name)_det")
    let labels = try file.floats("\(name)_lab")
    let correct = try file.floats("\(name)_correct")
    var result: [Int: (detections: [Detection], labels: [LabelledBox], correct: [UInt16])] = [:]
    for row in 0..<(detections.count / 7) {
      let v = Array(detections[(row * 7)..<(row * 7 + 7)])
      let detection = Detection(box: SIMD4(v[1], v[2], v[3], v[4]), confidence: v[5], classIndex: Int(v[6]))
      let bits = (0..<10).reduce(UInt16(0)) { $0 | (correct[row * 10 + $1] != 0 ? 1 << UInt16($1) : 0) }
      result[Int(v[0]), default: ([], [], [])].detections.append(detection)
      result[Int(v[0]), default: ([], [], [])].correct.append(bits)
    }
    for row in 0..<(labels.count / 6) {
      let v = Array(labels[(row * 6)..<(row * 6 + 6)])
      let label = LabelledBox(box: SIMD4(v[2], v[3], v[4], v[5]), classIndex: Int(v[1]))
      result[Int(v[0]), default: ([], [], [])].labels.append(label)
    }
    return result.sorted { $0.key < $1.key }.map(\.value)
  }

  @Test func allSevenCasesAreThere() { #expect(Self.cases.count == 7) }

  @Test(arguments: cases) func matchesAreTheRecordedOnes(vector: Case) throws {
    for image in try Self.images(vector.case) {
      #expect(DetectionMatching.correct(detections: image.detections, labels: image.labels) == image.correct)
    }
  }

  @Test(arguments: cases) func scoresAreTheRecordedOnes(vector: Case) throws {
    var collector = AveragePrecision()
    for image in try Self.images(vector.case) { collector.add(detections: image.detections, labels: image.labels) }
    let scores = collector.scores()
    func expectClose(_ a: Double, _ b: Double, _ name: Comment) { #expect(abs(a - b) < 1e-6, name) }
    expectClose(scores.precision, vector.mp, "precision")
    expectClose(scores.recall, vector.mr, "recall")
    expectClose(scores.map50, vector.map50, "map50")
    expectClose(scores.map, vector.map, "map")
    guard let classes = vector.classes else { return }
    #expect(scores.classes.map(\.classIndex) == classes)
    for (index, found) in scores.classes.enumerated() {
      expectClose(found.precision, vector.p?[index] ?? .nan, "class precision")
      expectClose(found.recall, vector.r?[index] ?? .nan, "class recall")
      expectClose(found.f1, vector.f1?[index] ?? .nan, "class F1")
      #expect(found.truePositives == vector.tp?[index])
      #expect(found.falsePositives == vector.fp?[index])
      for (a, b) in zip(found.averagePrecision, vector.ap?[index] ?? []) { expectClose(a, b, "average precision") }
    }
  }

  @Test func twoDetectionsOfOneLabelCountOnce() {
    let box = SIMD4<Float>(0, 0, 10, 10)
    let detections = [0.9, 0.8].map { Detection(box: box, confidence: $0, classIndex: 0) }
    let correct = DetectionMatching.correct(detections: detections, labels: [LabelledBox(box: box, classIndex: 0)])
    #expect(correct == [0x3FF, 0])
  }

  @Test func anotherClassIsNeverRight() {
    let box = SIMD4<Float>(0, 0, 10, 10)
    let detection = Detection(box: box, confidence: 0.9, classIndex: 1)
    #expect(DetectionMatching.correct(detections: [detection], labels: [LabelledBox(box: box, classIndex: 0)]) == [0])
  }

  @Test func perfectDetectionsScoreOne() {
    var collector = AveragePrecision()
    for image in 0..<20 {
      let box = SIMD4<Float>(Float(image), 0, Float(image) + 10, 10)
      collector.add(
        detections: [Detection(box: box, confidence: 0.9, classIndex: 2)], labels: [LabelledBox(box: box, classIndex: 2)])
    }
    #expect(collector.scores().map50 > 0.99)
    #expect(collector.scores().map > 0.99)
    #expect(collector.scores().classes.map(\.classIndex) == [2])
  }

  @Test func nothingAddedScoresZero() {
    #expect(AveragePrecision().scores().map == 0)
    #expect(AveragePrecision().scores().classes.isEmpty)
  }
}
