// What a whole run leaves in its folder, what it freezes, when it ends early, and which settings it refuses.

import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct TrainingSessionTests {
  private func session(
    _ folder: String, epochs: Int = 3, observer: TrainingSession.Observer = .init(), _ change: (inout TrainingSettings) -> Void = { _ in }
  ) throws -> TrainingSession {
    let data = try TinyDataset(folder: "\(folder)/data", training: 6, validation: 3)
    return try TrainingSession(
      TrainingStateTests.settings(data, epochs: epochs, change), observer: observer,
      folder: { try RunFolder(project: folder, name: "exp", isReusing: true) }, network: { TrainingStateTests.network($0) })
  }

  private func files(_ run: RunFolder) throws -> [String] { try FileManager.default.subpathsOfDirectory(atPath: run.path).sorted() }

  @Test func aRunLeavesItsFiles() throws {
    try withTemporaryFolder { folder in
      let session = try session(folder) { $0.savePeriod = 2 }
      let outcome = try session.train()
      #expect(
        try files(session.folder) == [
          "hyp.yaml", "opt.yaml", "results.csv", "weights", "weights/best.safetensors", "weights/epoch0.safetensors",
          "weights/epoch2.safetensors", "weights/last.safetensors",
        ])
      // The scores are those of the best file, and the file holds weights only.
      let best = try WeightsFile.network(WeightsFile.read(session.folder.bestWeights), threads: 1)
      let validation = try Validation(
        source: try DatasetValidationSource(data: session.settings.data, imageSize: 64), imageSize: 64, batchSize: 3)
      #expect(try validation.run(best).scores == outcome.scores)
      #expect(try HyperParameters(yaml: session.folder.hyperParameters) == session.settings.options.hyper)
    }
  }

  @Test func optYAMLHasTheNamesOfYOLOv5() throws {
    try withTemporaryFolder { folder in
      let session = try session(folder) {
        $0.weights = "it's.safetensors"
        $0.options.frozenLayers = [0, 1]
      }
      let text = try String(contentsOfFile: session.folder.options, encoding: .utf8)
      for line in [
        "weights: 'it''s.safetensors'", "epochs: 3", "batch_size: 3", "imgsz: 64", "rect: false", "resume: false", "  lr0: 0.01", "freeze:",
        "- 0", "- 1", "save_period: -1", "patience: 100", "optimizer: SGD", "save_dir: '\(session.folder.path)'", "cache: null",
      ] {
        #expect(text.contains(line + "\n"), "\(line)")
      }
    }
  }

  @Test func aRunThatSavesTheLastOnlyHasNoState() throws {
    try withTemporaryFolder { folder in
      var observer = TrainingSession.Observer()
      observer.onEpoch = { report, _ in
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/exp/weights")
        #expect(report.epoch < 2 ? names.isEmpty : names.contains("last.safetensors"))
      }
      let session = try session(folder, observer: observer) { $0.savesLastOnly = true }
      _ = try session.train()
    }
  }

  @Test func validationComesWhenItIsDue() throws {
    try withTemporaryFolder { folder in
      let seen = Seen()
      var observer = TrainingSession.Observer()
      observer.onEpoch = { report, outcome in if outcome != nil { seen.epochs.append(report.epoch) } }
      _ = try session(folder, observer: observer) { $0.validatesLastOnly = true }.train()
      #expect(seen.epochs == [2])
      seen.epochs = []
      _ = try session(folder, epochs: 4, observer: observer) { $0.validationPeriod = 3 }.train()
      #expect(seen.epochs == [2, 3])
    }
  }

  @Test func trainingEndsWhenNothingGetsBetter() throws {
    var stopping = EarlyStopping(patience: 2)
    #expect([0.1, 0.3, 0.2].enumerated().map { stopping.ends(epoch: $0, fitness: $1) } == [false, false, false])
    #expect(stopping.ends(epoch: 3, fitness: 0.25) && stopping.bestEpoch == 1)
    var late = EarlyStopping(patience: 2)
    #expect([0.3, 0.2, 0.3, 0.1].enumerated().map { late.ends(epoch: $0, fitness: $1) } == [false, false, false, false])
    var never = EarlyStopping(patience: 0)
    #expect((0..<1000).allSatisfy { !never.ends(epoch: $0, fitness: $0 == 0 ? 1 : 0) })
  }

  @Test(arguments: OptimizerKind.allCases) func frozenLayersStayAsTheyAre(kind: OptimizerKind) throws {
    try withTemporaryFolder { folder in
      let before = try SafetensorsFile(parsing: TrainingStateTests.network(2).safetensors().serialise())
      let session = try session(folder) {
        $0.options.frozenLayers = Array(0..<10)
        $0.options.optimizer = kind
      }
      _ = try session.train()
      let after = try SafetensorsFile(parsing: session.run.network.safetensors().serialise())
      let average = try SafetensorsFile.read(path: session.folder.lastWeights)
      var (still, moved, statistics) = (0, 0, 0)
      for entry in before.entries where entry.dtype.isFloating && !entry.name.hasSuffix("anchors") {
        let layer = Int(entry.name.split(separator: ".")[1]) ?? -1
        let isSame = try entry.floats() == after.floats(entry.name)
        if entry.name.contains("running_") {
          statistics += isSame ? 0 : 1
        } else if layer < 10 {
          #expect(isSame, "\(entry.name)")
          #expect(try entry.floats() == average.floats(entry.name), "\(entry.name)")
          still += 1
        } else if !isSame {
          moved += 1
        }
      }
      #expect(still > 50 && moved > 50 && statistics > 100)
      let state = try SafetensorsFile(parsing: session.run.optimizer.state().serialise())
      #expect(try state.floats("model.3.conv.weight").allSatisfy { $0 == 0 })
    }
  }

  @Test func freezingEverythingIsRefused() throws {
    try withTemporaryFolder { folder in
      let error = #expect(throws: TrainingError.self) { try session(folder) { $0.options.frozenLayers = Array(0...24) } }
      #expect(error?.code == .badJob)
    }
  }

  @Test func anchorsAreFittedAndReported() throws {
    try withTemporaryFolder { folder in
      let seen = Seen()
      var observer = TrainingSession.Observer()
      observer.note = { seen.notes.append($0) }
      let session = try session(folder, epochs: 1, observer: observer) { $0.options.hyper.anchors = 3 }
      #expect(seen.notes.contains { $0.hasPrefix("anchors  best possible recall") })
      _ = try session.train()
      let written = try SafetensorsFile.read(path: session.folder.lastWeights).floats("model.24.anchors")
      #expect(written == session.run.network.anchors.flatMap { $0.flatMap { [$0.x, $0.y] } })
      let error = #expect(throws: TrainingError.self) { try self.session(folder) { $0.options.hyper.anchors = 5 } }
      #expect(error?.reason.contains("3 anchors a level") == true)
    }
  }

  @Test func cachesAreReported() throws {
    try withTemporaryFolder { folder in
      let seen = Seen()
      var observer = TrainingSession.Observer()
      observer.note = { seen.notes.append($0) }
      observer.onCache = { part, done, total in seen.notes.append("\(part) \(done)/\(total)") }
      _ = try session(folder, epochs: 1, observer: observer) { $0.cachesImages = true }.train()
      #expect(seen.notes.contains("train 6/6") && seen.notes.contains("val 3/3"))
      #expect(seen.notes.contains { $0.hasPrefix("cache    train: 6 images") })
    }
  }

  @Test func runFoldersAreNeverReusedUnasked() throws {
    try withTemporaryFolder { folder in
      let paths = try (0..<3).map { _ in try RunFolder(project: folder, name: "exp", isReusing: false).path }
      #expect(paths == ["exp", "exp2", "exp3"].map { "\(folder)/\($0)" })
      #expect(try RunFolder(project: folder, name: "exp", isReusing: true).path == "\(folder)/exp")
      try "x".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
      #expect(throws: TrainingError.self) { try RunFolder(project: "\(folder)/file", name: "exp", isReusing: false) }
    }
  }

  @Test func wrongSettingsAreRefused() throws {
    let changes: [(inout TrainingSettings) -> Void] = [
      { $0.patience = -1 }, { $0.savePeriod = 0 }, { $0.validationPeriod = 0 }, { $0.options.workers = 0 },
      { $0.options.frozenLayers = [-1] }, { $0.options.hyper.mixup = 2 }, { $0.data = "/nowhere/data.yaml" },
    ]
    for change in changes {
      try withTemporaryFolder { folder in
        #expect(throws: (any Error).self) { try session(folder, change) }
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/exp"))
      }
    }
  }

  @Test func weightsOfOtherClassesGiveAllButTheOutputs() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/five.safetensors"
      let given = TrainingStateTests.network(5)
      given.anchors[0][0] = [3, 4]
      try given.safetensors().write(path: path)
      let weights = try WeightsFile.read(path)
      let (network, taken, tensors) = try WeightsFile.network(weights, spec: nil, classes: 2, seed: 1, threads: 1)
      #expect(network.spec.classes == 2 && tensors - taken == 6)
      #expect(network.parameters[0].values() == given.parameters[0].values() && network.anchors == given.anchors)
      let whole = try WeightsFile.network(weights, spec: nil, classes: 5, seed: 1, threads: 1)
      #expect(whole.taken == whole.tensors)
      #expect(whole.network.safetensors().serialise() == given.safetensors().serialise())
      // A model of another width takes nothing but counters, and a given model keeps its own anchors.
      let wider = try WeightsFile.network(
        weights, spec: ModelSpec(depth: 1.0 / 3, width: 0.25, classes: 2), classes: 2, seed: 1, threads: 1)
      #expect(wider.taken < wider.tensors / 3 && wider.network.anchors != given.anchors)
      try TrainingRoundTests.cut(path, to: 4000)
      #expect(throws: TrainingError.self) { try WeightsFile.read(path) }
    }
  }
}

/// What an observer saw.
private final class Seen {
  var epochs: [Int] = []
  var notes: [String] = []
}
