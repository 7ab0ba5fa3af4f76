// Weights files in and out of a network: round trips, fresh weights, and files that must be refused with a reason.

import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct NetworkFileTests {
  private static let spec = ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 3)

  private func written(_ network: Network) throws -> SafetensorsFile {
    try SafetensorsFile(parsing: network.safetensors().serialise())
  }

  /// The recorded tiny weights with one tensor replaced (nil: left out), or more added.
  private func altered(
    _ name: String, shape: [Int] = [], floats: [Float]? = nil, extra: String? = nil
  ) throws -> SafetensorsFile {
    let file = try SafetensorsFile.read(path: vectorPath("tiny3_weights.safetensors"))
    var writer = SafetensorsWriter()
    for entry in file.entries where entry.name != name { writer.add(entry) }
    if let floats { writer.add(name, shape: shape, floats: floats) }
    if let extra { writer.add(extra, shape: [1], floats: [1]) }
    return try SafetensorsFile(parsing: writer.serialise())
  }

  private func code(_ file: SafetensorsFile) -> NetworkError.Code? {
    do {
      _ = try Network(weights: file, threads: 1)
      return nil
    } catch { return error.code }
  }

  @Test func roundTripIsExact() throws {
    let first = Network(spec: Self.spec, seed: 3, threads: 1)
    let file = try written(first)
    #expect(try ModelSpec.infer(from: file) == Self.spec)
    let second = try Network(weights: file, threads: 1)
    #expect(second.safetensors().serialise() == first.safetensors().serialise())
    let layout = WeightsLayout(file)
    #expect(layout.parameterCount == first.parameterCount)
  }

  @Test func recordedFilesAreRecognised() throws {
    let n = try ModelSpec.infer(from: SafetensorsFile.read(path: vectorPath("n3_weights.safetensors")))
    #expect(n == .yolov5n(classes: 3))
    let tiny = try ModelSpec.infer(from: SafetensorsFile.read(path: vectorPath("tiny3_weights.safetensors")))
    #expect(tiny == Self.spec)
  }

  @Test func fileOrderIsTheOriginalOrder() throws {
    let names = try written(Network(spec: Self.spec, seed: 3, threads: 1)).entries.map(\.name)
    #expect(
      Array(names[..<6])
        == [
          "conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var",
          "bn.num_batches_tracked",
        ].map { "model.0." + $0 })
    let blocks = names.filter { $0.hasPrefix("model.2.") && $0.hasSuffix("conv.weight") }
    #expect(blocks == ["cv1", "cv2", "cv3", "m.0.cv1", "m.0.cv2"].map { "model.2.\($0).conv.weight" })
    #expect(
      Array(names.suffix(7))
        == [
          "anchors", "m.0.weight", "m.0.bias", "m.1.weight", "m.1.bias", "m.2.weight",
          "m.2.bias",
        ].map { "model.24." + $0 })
  }

  @Test func freshWeightsDependOnTheSeedOnly() throws {
    let bytes = Network(spec: Self.spec, seed: 3, threads: 1).safetensors().serialise()
    #expect(Network(spec: Self.spec, seed: 3, threads: 2).safetensors().serialise() == bytes)
    #expect(Network(spec: Self.spec, seed: 4, threads: 1).safetensors().serialise() != bytes)
    let network = Network(spec: Self.spec, seed: 3, threads: 1)
    let weight = try #require(network.parameters.first { $0.name == "model.1.conv.weight" })
    let bound = 1 / Float(8 * 9).squareRoot()
    #expect(weight.value.allSatisfy { abs($0) <= bound })
    #expect(weight.value.contains { $0 > bound * 0.95 } && weight.value.contains { $0 < -bound * 0.95 })
    // A fresh detector must expect few objects: log(8 / (640 / 8)²) on objectness, ± 1 / √fan-in.
    let bias = try #require(network.parameters.first { $0.name == "model.24.m.0.bias" })
    #expect(abs(bias.value[4] + 6.6846) <= 1 / Float(32).squareRoot())
  }

  @Test func refusesWrongFiles() throws {
    #expect(code(try altered("-")) == nil)
    #expect(code(try altered("model.0.conv.weight")) == .missingTensor)
    #expect(code(try altered("model.24.m.0.weight")) == .missingTensor)
    #expect(code(try altered("model.13.cv2.bn.bias")) == .missingTensor)
    #expect(code(try altered("model.0.bn.num_batches_tracked")) == .missingTensor)
    #expect(code(try altered("model.24.anchors")) == .missingTensor)
    #expect(code(try altered("-", extra: "model.25.weight")) == .unexpectedTensor)
    #expect(code(try altered("model.0.conv.weight", shape: [8, 3, 36], floats: .init(repeating: 0, count: 864))) == .wrongShape)
    #expect(code(try altered("model.0.conv.weight", shape: [9, 3, 1, 1], floats: .init(repeating: 0, count: 27))) == .unknownModel)
    #expect(code(try altered("model.0.conv.weight", shape: [16, 3, 6, 6], floats: .init(repeating: 0, count: 1728))) == .wrongShape)
    #expect(code(try altered("model.0.conv.weight", shape: [0, 3, 6, 6], floats: [])) == .unknownModel)
    #expect(code(try altered("model.1.bn.bias", shape: [8], floats: .init(repeating: 0, count: 8))) == .wrongShape)
    #expect(code(try altered("model.1.bn.num_batches_tracked", shape: [], floats: [0])) == .wrongShape)
    #expect(code(try altered("model.24.m.1.bias", shape: [23], floats: .init(repeating: 0, count: 23))) == .wrongShape)
    #expect(code(try altered("model.24.m.0.weight", shape: [25, 32, 1, 1], floats: .init(repeating: 0, count: 800))) == .unknownModel)
    #expect(code(try altered("model.24.m.0.weight", shape: [15, 32, 1, 1], floats: .init(repeating: 0, count: 480))) == .unknownModel)
    #expect(code(try altered("model.24.anchors", shape: [3, 3, 2], floats: .init(repeating: -1, count: 18))) == .badValue)
    #expect(code(try altered("model.24.anchors", shape: [18], floats: .init(repeating: 1, count: 18))) == .wrongShape)
    #expect(code(try altered("model.0.bn.bias", shape: [8], floats: [0, 0, 0, .nan, 0, 0, 0, 0])) == .badValue)
    #expect(code(try altered("model.0.bn.running_var", shape: [8], floats: [1, 1, 1, -1, 1, 1, 1, 1])) == .badValue)
    #expect(code(try SafetensorsFile(parsing: SafetensorsWriter().serialise())) == .missingTensor)
  }

  @Test func loadingAnotherSizeLeavesTheNetworkAlone() throws {
    let network = Network(spec: Self.spec, seed: 3, threads: 1)
    let before = network.safetensors().serialise()
    let other = Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 4), seed: 1, threads: 1)
    #expect(throws: NetworkError.self) { try network.load(written(other)) }
    let infinite = try altered("model.0.bn.bias", shape: [8], floats: [.infinity, 0, 0, 0, 0, 0, 0, 0])
    #expect(throws: NetworkError.self) { try network.load(infinite) }
    #expect(network.safetensors().serialise() == before)
  }

  @Test(arguments: [(0, 32, 32), (1, 31, 32), (1, 32, 48), (1, 0, 32)])
  func unsuitableImagesAreSeen(size: (Int, Int, Int)) {
    let network = Network(spec: Self.spec, seed: 3, threads: 1)
    let images = ImageBatch(
      count: size.0, height: size.1, width: size.2, pixels: .init(repeating: 0, count: size.0 * size.1 * size.2 * 3))
    #expect(!network.accepts(images))
  }
}
