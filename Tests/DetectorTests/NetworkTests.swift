// The whole network against recorded numbers of independent software: evaluation and training maps, norm statistics,
// gradients of every tensor, and the weights after optimiser steps. Each test prints its largest difference.

import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct NetworkTests {
  @Test(arguments: ["n3", "tiny3"])
  func evaluationMapsAndBoxesMatchTheRecord(name: String) throws {
    let network = try Recorded.network(name)
    let images = try Recorded.images()
    let maps = network.forward(images, training: false)
    for (level, map) in maps.enumerated() {
      let difference = largestDifference(map.values, try Recorded.map("\(name)_eval_raw\(level).npy").values)
      print("\(name) evaluation map \(level): largest difference \(difference)")
      #expect(difference < 2e-4)
    }
    let expected = try NPYFile(path: vectorPath("\(name)_eval_decoded.npy")).floats
    let decoded = MapDecoder.decode(maps, anchors: network.anchors, strides: network.strides).values
    let difference = largestDifference(decoded, expected)
    print("\(name) decoded: largest difference \(difference) (boxes in pixels)")
    #expect(difference < 5e-3)
  }

  @Test(arguments: ["n3", "tiny3"])
  func trainingMapsAndStatisticsMatchTheRecord(name: String) throws {
    let network = try Recorded.network(name)
    let maps = network.forward(try Recorded.images(), training: true)
    for (level, map) in maps.enumerated() {
      let difference = largestDifference(map.values, try Recorded.map("\(name)_train_out\(level).npy").values)
      print("\(name) training map \(level): largest difference \(difference)")
      #expect(difference < 2e-4)
    }
    let expected = try SafetensorsFile.read(path: vectorPath("\(name)_bn_after_forward.safetensors"))
    let written = try SafetensorsFile(parsing: network.safetensors().serialise())
    var worst = (0.0, "")
    for entry in expected.entries {
      if entry.dtype == .i64 {
        #expect(try written.int64s(entry.name) == entry.int64s())
      } else {
        let error = relativeError(try written.floats(entry.name), try entry.floats())
        if error > worst.0 { worst = (error, entry.name) }
        #expect(error < 1e-5, "\(entry.name)")
      }
    }
    print("\(name) norm statistics: worst relative error \(worst)")
  }

  @Test(arguments: ["n3", "tiny3", "tiny3_empty"], [1, 2])
  func gradientsMatchTheRecord(name: String, threads: Int) throws {
    let network = try Recorded.network(name.hasPrefix("tiny3") ? "tiny3" : name, threads: threads)
    let maps = network.forward(try Recorded.images(), training: true)
    let (parts, gradients) = try Recorded.loss(name, network, maps)
    let expectedLoss = try LossVector(name, maps: name.hasPrefix("tiny3") ? "tiny3" : name).expected.lossTotalF64
    #expect(abs(parts.total - expectedLoss) < 1e-5 * expectedLoss)
    network.backward(gradients)
    try Recorded.expectGradients(network, name)
  }

  /// With frozen statistics a training forward computes what evaluation does, and leaves the statistics as they are.
  @Test(arguments: ["n3", "tiny3"])
  func frozenTrainingMapsAreThoseOfEvaluation(name: String) throws {
    let network = try Recorded.network(name)
    network.norm = .frozen
    let before = try SafetensorsFile(parsing: network.safetensors().serialise())
    let maps = network.forward(try Recorded.images(), training: true)
    for (level, map) in maps.enumerated() {
      #expect(largestDifference(map.values, try Recorded.map("\(name)_eval_raw\(level).npy").values) < 2e-4)
    }
    let after = try SafetensorsFile(parsing: network.safetensors().serialise())
    for entry in before.entries where entry.dtype.isFloating { #expect(try after.floats(entry.name) == entry.floats()) }
    network.norm = .batch
    let batch = network.forward(try Recorded.images(), training: true)
    #expect(largestDifference(batch[0].values, try Recorded.map("\(name)_train_out0.npy").values) < 2e-4)
  }

  @Test(arguments: [".bn.weight", ".bn.bias", "model.24", "model.0.conv", "model.9.cv1.conv", "model.17"])
  func frozenGradientsPredictEvaluation(part: String) throws {
    let network = try Recorded.network("tiny3")
    network.norm = .frozen
    try expectGradientsPredict(network, part: part)
  }

  @Test func gradientsAccumulateAndAreCleared() throws {
    let network = try Recorded.network("tiny3")
    let images = try Recorded.images()
    let (_, gradients) = try Recorded.loss("tiny3", network, network.forward(images, training: true))
    network.backward(gradients)
    let once = network.parameters.map { $0.gradients() }
    network.backward(gradients)
    for (parameter, first) in zip(network.parameters, once) {
      #expect(relativeError(parameter.gradients(), first.map { $0 * 2 }) < 1e-5, "\(parameter.name)")
    }
    network.zeroGradients()
    #expect(network.parameters.allSatisfy { $0.gradient.allSatisfy { $0 == 0 } })
  }

  @Test func weightsAfterStepsMatchTheRecord() throws {
    struct Trace: Decodable {
      struct Step: Decodable {
        var loss: Double
        var gradientNorm: Double
        enum CodingKeys: String, CodingKey {
          case loss
          case gradientNorm = "grad_norm_before_clip"
        }
      }
      var steps: [Step]
      var averages: [String: [Double]]
      enum CodingKeys: String, CodingKey {
        case steps = "sgd_trace"
        case averages = "ema_after3"
      }
    }
    let trace = try JSONDecoder().decode(
      Trace.self, from: Data(contentsOf: URL(fileURLWithPath: vectorPath("n3_training.json"))))
    let network = try Recorded.network("n3")
    let start = try SafetensorsFile.read(path: vectorPath("n3_weights.safetensors"))
    let images = try Recorded.images()
    let optimizer = Optimizer(network: network, weightDecay: 5e-4)
    let average = WeightAverage(network)
    for (number, expected) in trace.steps.enumerated() {
      let (parts, gradients) = try Recorded.loss("n3", network, network.forward(images, training: true))
      #expect(abs(parts.total - expected.loss) < (number == 0 ? 1e-5 : 1e-3) * expected.loss)
      network.zeroGradients()
      network.backward(gradients)
      let norm = optimizer.step(.init(biasRate: 0.01, rate: 0.01, momentum: 0.937))
      #expect(abs(norm - expected.gradientNorm) < 1e-3 * norm)
      average.update(network)
      if number != 1 { try compareChange(network, start, "n3_change\(number + 1).safetensors", number == 0 ? 5e-3 : 3e-2) }
    }
    let decoded = try NPYFile(path: vectorPath("n3_eval_decoded_after3.npy")).floats
    let maps = network.forward(images, training: false)
    let found = MapDecoder.decode(maps, anchors: network.anchors, strides: network.strides).values
    #expect(relativeError(found, decoded) < 1e-3)
    let averaged = try average.withAverage(in: network) { try SafetensorsFile(parsing: network.safetensors().serialise()) }
    for (name, sums) in trace.averages where averaged.contains(name) && !name.hasSuffix("num_batches_tracked") {
      let total = try averaged.floats(name).reduce(0.0) { $0 + Double(abs($1)) }
      #expect(abs(total - sums[1]) <= 1e-4 * max(sums[1], 1e-3), "\(name)")
    }
  }

  /// Compares the change since `start` with the recorded one (stored as F16, times 256).
  private func compareChange(_ network: Network, _ start: SafetensorsFile, _ record: String, _ tolerance: Double) throws {
    let expected = try SafetensorsFile.read(path: vectorPath(record))
    let present = try SafetensorsFile(parsing: network.safetensors().serialise())
    var worst = (0.0, "")
    for entry in expected.entries {
      let change = zip(try present.floats(entry.name), try start.floats(entry.name)).map { ($0 - $1) * 256 }
      let error = relativeError(change, try entry.floats())
      if error > worst.0 { worst = (error, entry.name) }
      #expect(error < tolerance, "\(entry.name): \(error)")
    }
    print("\(record): worst relative error of a change \(worst)")
  }

  @Test func oneAndTwoThreadsAgree() throws {
    // Three images, so that the shares of two threads differ in size.
    var generator = TestSupport.SeededGenerator(seed: 5)
    let images = ImageBatch(
      count: 3, height: 64, width: 96, pixels: randomFloats(3 * 64 * 96 * 3, &generator).map { ($0 + 1) / 2 })
    let one = Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2), seed: 9, threads: 1)
    let two = Network(spec: one.spec, seed: 9, threads: 2)
    for training in [true, false] {
      let first = one.forward(images, training: training)
      let second = two.forward(images, training: training)
      for (a, b) in zip(first, second) { #expect(largestDifference(a.values, b.values) < 1e-4) }
      guard training else { continue }
      let gradients = first.map { map in
        var gradient = map
        gradient.values = randomFloats(map.values.count, &generator)
        return gradient
      }
      one.backward(gradients)
      two.backward(gradients)
      for (a, b) in zip(one.parameters, two.parameters) {
        #expect(relativeError(a.gradients(), b.gradients()) < 1e-3, "\(a.name)")
      }
    }
    let single = ImageBatch(count: 1, height: 64, width: 96, pixels: Array(images.pixels[..<(64 * 96 * 3)]))
    for (a, b) in zip(one.forward(single, training: false), two.forward(single, training: false)) {
      #expect(largestDifference(a.values, b.values) < 1e-4)
    }
  }

  @Test func sizesMatchThePublishedCounts() {
    let counts = [
      "yolov5n": 1_872_157, "yolov5s": 7_235_389, "yolov5m": 21_190_557, "yolov5l": 46_563_709, "yolov5x": 86_749_405,
    ]
    let entries = ["yolov5n": 349, "yolov5s": 349, "yolov5m": 481, "yolov5l": 613, "yolov5x": 745]
    for (name, count) in counts {
      guard let spec = ModelSpec.named(name, classes: 80) else {
        Issue.record("no model \(name)")
        continue
      }
      let rows = TensorTable(Graph(spec)).rows
      let learnable = rows.filter { [.weight, .scale, .shift, .bias].contains($0.role) }
      #expect(learnable.reduce(0) { $0 + $1.shape.reduce(1, *) } == count, "\(name)")
      #expect(rows.count == entries[name], "\(name)")
    }
    #expect(ModelSpec.named("yolov5z", classes: 80) == nil)
  }
}
