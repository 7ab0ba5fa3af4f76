// Weights files as commands open them: a PyTorch checkpoint is the same model as its safetensors, and damage has a path and a hint.

import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct WeightsFileTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("TorchWeightsTests/Vectors").path

  @Test func aCheckpointIsTheModelOfItsSafetensors() throws {
    let checkpoint = try WeightsFile.read("\(Self.folder)/blood-3-sites.pt")
    let plain = try WeightsFile.read("\(Self.folder)/blood-3-sites.safetensors")
    let (one, two) = (try WeightsFile.network(checkpoint, threads: 1), try WeightsFile.network(plain, threads: 1))
    #expect(checkpoint.classNames(count: 3) == ["WBC", "RBC", "PLT"])
    #expect(plain.classNames(count: 3) == ["class0", "class1", "class2"])
    #expect(ModelSpec.name(of: one.spec) == "yolov5n" && one.anchors == two.anchors)
    let images = randomImages(count: 1, height: 96, width: 64, seed: 4)
    #expect(one.forward(images, training: false).map(\.values) == two.forward(images, training: false).map(\.values))
  }

  @Test(arguments: [0, 1, 100, 10_000, 3_000_000]) func cutFilesAreRefused(length: Int) throws {
    try withTemporaryFolder { folder in
      let whole = try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/blood-3-sites.pt"))
      let path = "\(folder)/cut.pt"
      try whole.prefix(length).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: TrainingError.self) { _ = try WeightsFile.read(path) }
      #expect(error?.code == .unsuitableWeights && error?.reason.contains(path) ?? false && !(error?.hint.isEmpty ?? true))
    }
  }

  @Test func absentFilesAreNamed() {
    let error = #expect(throws: TrainingError.self) { _ = try WeightsFile.read("/none/x.pt") }
    #expect(error?.code == .inputOutput && error?.reason.contains("/none/x.pt") ?? false)
  }
}
