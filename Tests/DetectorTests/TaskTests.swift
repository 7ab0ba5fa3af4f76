// Segmentation and classification models against recorded outputs, losses and gradients of independent software, and their own files:
// recognised, written back, and refused by what only detectors can do.

import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct SegmentationTests {
  struct Meta: Decodable {
    var total: Double
    var parts: [Double]
    enum CodingKeys: String, CodingKey {
      case total = "loss_total"
      case parts = "lbox_lseg_lobj_lcls"
    }
  }

  private func masks() throws -> MaskPlanes {
    let array = try NPYFile(path: vectorPath("tinyseg_masks.npy"))
    return MaskPlanes(batch: array.shape[0], height: array.shape[1], width: array.shape[2], objects: array.values.map { Int32($0) })
  }

  @Test func evaluationMatchesTheRecord() throws {
    let network = try Recorded.network("tinyseg")
    #expect(network.spec.task == .segment && network.spec.classes == 2)
    let outputs = network.forward(try Recorded.images(), training: false)
    let decoded = MapDecoder.decode(
      Array(outputs.dropLast()), anchors: network.anchors, strides: network.strides, coefficients: network.spec.coefficients)
    let expected = try NPYFile(path: vectorPath("tinyseg_eval_decoded.npy"))
    #expect([decoded.batch, decoded.count, decoded.outputs] == expected.shape)
    #expect(largestDifference(decoded.values, expected.floats) < 5e-3)
    let prototypes = try Recorded.channelsLast("tinyseg_eval_proto.npy")
    let shape = [outputs[3].batch, outputs[3].outputs, outputs[3].height, outputs[3].width]
    #expect(shape == prototypes.shape)
    #expect(largestDifference(outputs[3].values, prototypes.values) < 2e-4)
  }

  @Test(arguments: [1, 2]) func trainingMatchesTheRecord(threads: Int) throws {
    let network = try Recorded.network("tinyseg", threads: threads)
    let outputs = network.forward(try Recorded.images(), training: true)
    for level in 0..<3 {
      #expect(largestDifference(outputs[level].values, try Recorded.map("tinyseg_train_out\(level).npy").values) < 2e-4)
    }
    #expect(largestDifference(outputs[3].values, try Recorded.channelsLast("tinyseg_train_proto.npy").values) < 2e-4)
    let meta = try JSONDecoder().decode(Meta.self, from: Data(contentsOf: URL(fileURLWithPath: vectorPath("tinyseg_meta.json"))))
    let loss = SegmentationLoss(classes: 2, anchors: network.anchors, gains: .standard(classes: 2, imageSize: 160))
    let targets = try LossVector.targets(vectorPath("tinyseg_targets.npy"))
    let (parts, mask, gradients) = loss.evaluate(outputs: outputs, targets: targets, masks: try masks())
    for (found, expected) in zip([parts.box, mask, parts.objectness, parts.classification], meta.parts) {
      #expect(abs(found - expected) < 1e-5 * expected, "\(found) against \(expected)")
    }
    #expect(abs(parts.total - meta.total) < 1e-5 * meta.total)
    network.backward(gradients)
    try Recorded.expectGradients(network, "tinyseg")
  }

  /// The mask part's slopes by central differences, in coefficients and in prototypes.
  @Test func maskSlopesAreDifferences() throws {
    let network = try Recorded.network("tinyseg")
    var outputs = network.forward(try Recorded.images(), training: true)
    let loss = SegmentationLoss(classes: 2, anchors: network.anchors, gains: .standard(classes: 2, imageSize: 160))
    let (targets, planes) = (try LossVector.targets(vectorPath("tinyseg_targets.npy")), try masks())
    let gradients = loss.evaluate(outputs: outputs, targets: targets, masks: planes).gradients
    var checked = 0
    for output in [0, 1, 3] {
      let gradient = gradients[output]
      let isCoefficient = { (index: Int) in output == 3 || index % gradient.outputs >= 7 }
      let largest = gradient.values.indices.filter(isCoefficient).sorted { abs(gradient.values[$0]) > abs(gradient.values[$1]) }
      for index in largest.prefix(4) {
        let start = outputs[output].values[index]
        func total(_ step: Float) -> Double {
          outputs[output].values[index] = start + step
          defer { outputs[output].values[index] = start }
          return loss.evaluate(outputs: outputs, targets: targets, masks: planes).parts.total
        }
        let slope = Double(gradient.values[index])
        let found = (total(0x1p-6) - total(-0x1p-6)) / 0x1p-5
        #expect(abs(found - slope) < 1e-2 * abs(slope) + 1e-7, "output \(output), \(index): \(found) against \(slope)")
        checked += slope == 0 ? 0 : 1
      }
    }
    #expect(checked == 12)
  }

  @Test func withoutTargetsOnlyObjectnessIsTaught() throws {
    let network = try Recorded.network("tinyseg")
    let outputs = network.forward(try Recorded.images(), training: true)
    let loss = SegmentationLoss(classes: 2, anchors: network.anchors, gains: .standard(classes: 2, imageSize: 160))
    let (parts, mask, gradients) = loss.evaluate(outputs: outputs, targets: [], masks: try masks())
    #expect(parts.box == 0 && parts.classification == 0 && mask == 0 && parts.objectness > 0)
    #expect(gradients[3].values.allSatisfy { $0 == 0 })
  }
}

@Suite struct ClassificationTests {
  @Test func evaluationMatchesTheRecord() throws {
    let network = try Recorded.network("tinycls")
    #expect(network.spec.task == .classify && network.spec.classes == 5)
    let scores = network.forward(try Recorded.images("tinycls_input.npy"), training: false)[0]
    let shape = [scores.batch, scores.height, scores.width, scores.anchors, scores.outputs]
    #expect(shape == [4, 1, 1, 1, 5] as [Int])
    #expect(largestDifference(scores.values, try NPYFile(path: vectorPath("tinycls_eval_logits.npy")).floats) < 2e-4)
  }

  @Test(arguments: [1, 2]) func trainingMatchesTheRecord(threads: Int) throws {
    struct Meta: Decodable {
      var loss: Double
      enum CodingKeys: String, CodingKey { case loss = "loss_ce_smoothing_0.1" }
    }
    let network = try Recorded.network("tinycls", threads: threads)
    let scores = network.forward(try Recorded.images("tinycls_input.npy"), training: true)[0]
    #expect(largestDifference(scores.values, try NPYFile(path: vectorPath("tinycls_train_logits.npy")).floats) < 2e-4)
    let meta = try JSONDecoder().decode(Meta.self, from: Data(contentsOf: URL(fileURLWithPath: vectorPath("tinycls_meta.json"))))
    let labels = try NPYFile(path: vectorPath("tinycls_labels.npy")).values.map { Int($0) }
    let (loss, gradient) = ClassificationLoss().evaluate(scores: scores, labels: labels)
    #expect(abs(loss - meta.loss) < 1e-5 * meta.loss)
    network.backward([gradient])
    try Recorded.expectGradients(network, "tinycls")
  }

  @Test func slopesAreDifferences() {
    var scores = FeatureMap(batch: 2, height: 1, width: 1, anchors: 1, outputs: 3, values: [0.5, -1, 2, 30, -30, 0])
    for smoothing in [0, 0.1, 0.5] {
      let loss = ClassificationLoss(smoothing: smoothing)
      let gradient = loss.evaluate(scores: scores, labels: [1, 2]).gradient.values
      for index in 0..<6 {
        let start = scores.values[index]
        func value(_ step: Float) -> Double {
          scores.values[index] = start + step
          defer { scores.values[index] = start }
          return loss.evaluate(scores: scores, labels: [1, 2]).loss
        }
        #expect(abs((value(0x1p-7) - value(-0x1p-7)) / 0x1p-6 - Double(gradient[index])) < 1e-4)
      }
    }
  }

  /// The head's norm has constants of its own: after one training forward each running mean has moved by its own share.
  @Test func normsHaveTheirOwnMomentum() throws {
    let before = try SafetensorsFile.read(path: vectorPath("tinycls_weights.safetensors"))
    let network = try Recorded.network("tinycls")
    _ = network.forward(try Recorded.images("tinycls_input.npy"), training: true)
    let once = try SafetensorsFile(parsing: network.safetensors().serialise())
    _ = network.forward(try Recorded.images("tinycls_input.npy"), training: true)
    let twice = try SafetensorsFile(parsing: network.safetensors().serialise())
    for (name, momentum) in [("model.9.conv.bn.running_mean", 0.1), ("model.8.cv3.bn.running_mean", 0.03)] {
      let values = try [before, once, twice].map { try $0.floats(name) }
      // Both steps go to the same batch mean: the second is (1 - momentum) of the first.
      let first = zip(values[0], values[1]).map { $1 - $0 }
      let second = zip(values[1], values[2]).map { $1 - $0 }
      #expect(relativeError(second, first.map { $0 * Float(1 - momentum) }) < 1e-3, "\(name)")
    }
  }
}

@Suite struct TaskFileTests {
  @Test(arguments: [
    ModelSpec(task: .segment, depth: 1.0 / 3, width: 0.125, classes: 4),
    ModelSpec(task: .classify, depth: 1.0 / 3, width: 0.125, classes: 7),
    ModelSpec(task: .classify, depth: 2.0 / 3, width: 0.25, classes: 1),
  ])
  func roundTripIsExact(spec: ModelSpec) throws {
    let first = Network(spec: spec, seed: 3, threads: 1)
    let file = try SafetensorsFile(parsing: first.safetensors().serialise())
    #expect(try ModelSpec.infer(from: file) == spec)
    let second = try Network(weights: file, threads: 1)
    #expect(second.safetensors().serialise() == first.safetensors().serialise())
  }

  /// Published sizes (Ultralytics v7.0): n-seg with 80 classes; n, s and m classifiers with 1,000.
  @Test func sizesAreThePublishedOnes() {
    func count(_ task: ModelTask, _ depth: Double, _ width: Double, _ classes: Int) -> Int {
      Network(spec: ModelSpec(task: task, depth: depth, width: width, classes: classes), seed: 1, threads: 1).parameterCount
    }
    #expect(count(.segment, 1.0 / 3, 0.25, 80) == 1_991_549)
    #expect(count(.classify, 1.0 / 3, 0.25, 1000) == 2_493_000)
    #expect(count(.classify, 1.0 / 3, 0.5, 1000) == 5_453_480)
    #expect(count(.classify, 2.0 / 3, 0.75, 1000) == 12_957_640)
  }

  @Test func prototypesComeLastInTheFile() throws {
    let network = Network(spec: ModelSpec(task: .segment, depth: 1.0 / 3, width: 0.125, classes: 2), seed: 1, threads: 1)
    let names = try SafetensorsFile(parsing: network.safetensors().serialise()).entries.map(\.name)
    let head = names.filter { $0.hasPrefix("model.24") && ($0.hasSuffix("weight") || $0.hasSuffix("anchors")) && !$0.contains(".bn.") }
    let expected = [
      "anchors", "m.0.weight", "m.1.weight", "m.2.weight", "proto.cv1.conv.weight", "proto.cv2.conv.weight", "proto.cv3.conv.weight",
    ]
    #expect(head == expected.map { "model.24." + $0 })
  }

  @Test(arguments: ["tinyseg", "tinycls"]) func detectorCommandsRefuseOtherTasks(name: String) throws {
    let file = try WeightsFile.read(vectorPath("\(name)_weights.safetensors"))
    #expect { try WeightsFile.network(file, threads: 1) } throws: { error in
      (error as? TrainingError)?.code == .unsuitableWeights && "\(error)".contains(name == "tinyseg" ? "segment" : "classify")
    }
  }

  @Test func networksDoNotTakeAnotherTasksWeights() throws {
    let detector = Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2), seed: 1, threads: 1)
    #expect(throws: NetworkError.self) {
      try detector.load(SafetensorsFile.read(path: vectorPath("tinyseg_weights.safetensors")))
    }
  }
}
