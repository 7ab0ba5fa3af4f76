// Sums of gradients whose noise the sites share (spec/13-record-privacy.md, "The form distributed"): what one image can add, and that the
// sum is the clipped gradients' in the order of the weights file.

import DPAccountant
import Foundation
import Safetensors
import Testing

@testable import Detector

@Suite struct SharedGradientTests {
  private static let spec: ModelSpec = {
    var spec = ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2)
    spec.norm = .group
    return spec
  }()

  private let network = Network(spec: Self.spec, seed: 5, threads: 1)
  private let key = [UInt8](repeating: 7, count: 32)

  private func asked(clip: Double = 0.5, resolution: Int = 4096, blockBits: Int = 8) -> SharedGradients {
    var asked = SharedGradients(
      clip: clip, samplingRate: 1, resolution: resolution, normSquaredMax: 0, blockBits: blockBits, rotationKey: key)
    asked.normSquaredMax = BoundedRounding.normSquared(norm: UInt64(resolution), count: UInt64(asked.paddedCount(network.parameterCount)))
    return asked
  }

  private func layout() throws -> WeightsLayout { WeightsLayout(try SafetensorsFile(parsing: network.safetensors().serialise())) }

  private func gradient(_ value: (Int) -> Float) {
    var position = 0
    for parameter in network.parameters {
      for index in parameter.gradient.indices {
        parameter.gradient[index] = value(position)
        position += 1
      }
    }
  }

  /// The gradient in the order of the weights file.
  private func flat() throws -> [Double] {
    let values = Dictionary(uniqueKeysWithValues: network.parameters.map { ($0.name, $0.gradients()) })
    return try layout().slots.filter { $0.section == .parameters }.flatMap { try #require(values[$0.name]).map(Double.init) }
  }

  /// Undoes the rotation.
  private func turnedBack(_ sums: [Int64], _ asked: SharedGradients) -> [Double] {
    let rotation = BlockRotation(blockBits: asked.blockBits, count: sums.count, key: asked.rotationKey)
    var values = sums.map(Double.init)
    rotation.turnBackUnscaled(&values)
    return values.map { $0 * rotation.scale }
  }

  @Test("[RP-13] one image's whole numbers have a norm of at most the bound", arguments: PrivateTrainingTests.shapes.indices)
  func sensitivity(index: Int) throws {
    let asked = asked()
    let sum = try SharedGradientSum(asked, network: network, parameters: network.parameters, layout: layout())
    gradient(PrivateTrainingTests.shapes[index].value)
    sum.add()
    let total = sum.sums.reduce(0) { $0 + UInt64($1 * $1) }
    #expect(total <= asked.normSquaredMax, "\(PrivateTrainingTests.shapes[index].name)")
    #expect(sum.sums.count == asked.paddedCount(network.parameterCount))
  }

  @Test("[RP-04] a gradient that is not finite is the zero vector", arguments: [Float.nan, .infinity])
  func notFinite(value: Float) throws {
    let sum = try SharedGradientSum(asked(), network: network, parameters: network.parameters, layout: layout())
    gradient { $0 == 99 ? value : 1 }
    sum.add()
    #expect(sum.sums.allSatisfy { $0 == 0 })
  }

  @Test("[RP-13] the sum is that of the clipped gradients", arguments: [0, 8])
  func theSum(blockBits: Int) throws {
    // A grid so fine that rounding is next to nothing.
    let asked = asked(clip: 0.5, resolution: 1 << 24, blockBits: blockBits)
    let sum = try SharedGradientSum(asked, network: network, parameters: network.parameters, layout: layout())
    var expected = [Double](repeating: 0, count: try layout().parameterCount)
    for (scale, shift) in [(Float(1), 0), (1e-6, 3)] {
      gradient { scale * Float(($0 + shift) % 17 - 5) }
      let values = try flat()
      let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for index in values.indices { expected[index] += values[index] * min(1, 0.5 / norm) }
      sum.add()
    }
    let found = turnedBack(sum.sums, asked).map { $0 * 0.5 / Double(1 << 24) }
    // Each coordinate is a sum of rounding errors below a step, of two gradients, spread by the rotation.
    for (mine, theirs) in zip(found, expected) { #expect(abs(mine - theirs) < 40 * 0.5 / Double(1 << 24)) }
    #expect(found.dropFirst(expected.count).allSatisfy { abs($0) < 40 * 0.5 / Double(1 << 24) })
  }

  @Test("[RP-13] parameters that are not trained stay zero") func frozen() throws {
    let asked = asked(blockBits: 0)
    let layout = try layout()
    let moving = network.parameters.filter { $0.layer > 9 }
    let sum = try SharedGradientSum(asked, network: network, parameters: moving, layout: layout)
    gradient { _ in 1 }
    for _ in 0..<20 { sum.add() }
    let names = Set(moving.map(\.name))
    for slot in layout.slots where slot.section == .parameters && !names.contains(slot.name) {
      #expect(sum.sums[slot.offset..<slot.offset + slot.count].allSatisfy { $0 == 0 })
    }
    #expect(sum.sums.contains { $0 != 0 })
  }

  private func job(_ edit: (inout [String: Any]) -> Void) throws -> TrainerJob {
    var privacy: [String: Any] = [
      "unit": "record", "form": "distributed", "clip": 1, "sampling_rate": 0.5, "resolution": 4096, "norm_squared_max": 17_000_000,
      "block_bits": 12, "rotation_key": String(repeating: "0f", count: 32),
    ]
    edit(&privacy)
    let kind = privacy.removeValue(forKey: "kind") ?? "gradient_sum"
    let job: [String: Any] = ["kind": kind, "round": 1, "data": "data.yaml", "norm": "frozen", "privacy": privacy]
    return try TrainerJob(parsing: [UInt8](JSONSerialization.data(withJSONObject: job)), file: "job.json", folder: "/nowhere")
  }

  @Test("[RP-13] the job file says all that the sum depends on, and nothing that mixes images") func jobFile() throws {
    let read = try job { _ in }
    #expect(read.kind == .gradientSum && read.options.privacy == nil && read.options.hidesImages)
    #expect(
      read.options.sharedGradients
        == SharedGradients(
          clip: 1, samplingRate: 0.5, resolution: 4096, normSquaredMax: 17_000_000, blockBits: 12,
          rotationKey: [UInt8](repeating: 15, count: 32)))
    #expect(read.options.hyper.mosaic == 0 && read.options.hyper.mixup == 0)
    for edit: (inout [String: Any]) -> Void in [
      { $0["kind"] = "weights" }, { $0["form"] = "central" }, { $0["block_bits"] = 11 }, { $0["rotation_key"] = "0f" },
      { $0["rotation_key"] = String(repeating: "xy", count: 32) }, { $0["resolution"] = 0 }, { $0["clip"] = nil },
      { $0["noise_multiplier"] = 1 }, { $0["sampling_rate"] = 0 },
    ] {
      #expect(throws: TrainingError.self) { try job(edit) }
    }
  }
}
