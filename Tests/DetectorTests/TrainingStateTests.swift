// Runs that break and go on: the last bytes must be those of a run that never broke. States that were damaged are refused.

import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct TrainingStateTests {
  struct Broken: Error {}

  static func settings(_ data: TinyDataset, epochs: Int = 4, _ change: (inout TrainingSettings) -> Void = { _ in }) -> TrainingSettings {
    var settings = TrainingSettings(data: data.yaml)
    settings.options.imageSize = 64
    // Two batches an epoch and three a step: steps and epochs do not end together.
    (settings.options.batchSize, settings.options.nominalBatchSize) = (3, 9)
    settings.options.epochs = epochs
    settings.options.threads = 1
    settings.options.hyper.warmupEpochs = 0
    settings.fitsAnchors = false
    change(&settings)
    return settings
  }

  static func network(_ classes: Int, threads: Int = 1) -> Network {
    Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: classes), seed: 4, threads: threads)
  }

  /// Trains in `folder/name`, breaking off after each of the epochs in `breaks` and going on from the state.
  private func train(_ settings: TrainingSettings, _ folder: String, _ name: String, breaks: [Int] = []) throws -> RunFolder {
    var left = breaks[...]
    var observer = TrainingSession.Observer()
    observer.onEpoch = { report, _ in
      guard report.epoch == left.first else { return }
      left = left.dropFirst()
      throw Broken()
    }
    var place: RunFolder?
    while true {
      let session =
        try place.map { try TrainingSession(resuming: $0.state, observer: observer) }
        ?? TrainingSession(
          settings, observer: observer, folder: { try RunFolder(project: folder, name: name, isReusing: false) },
          network: { Self.network($0, threads: settings.options.threads) })
      place = session.folder
      do {
        _ = try session.train()
        return session.folder
      } catch is Broken { continue }
    }
  }

  private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

  static let kinds: [(name: String, change: @Sendable (inout TrainingSettings) -> Void)] = [
    ("sgd", { _ in }),
    ("two threads", { $0.options.threads = 2 }),
    ("adam, rectangular", { ($0.options.optimizer, $0.options.isRectangular) = (.adam, true) }),
    (
      "adamw, weighted, several sizes",
      { ($0.options.optimizer, $0.options.isImageWeighted, $0.options.isMultiScale) = (.adamW, true, true) }
    ),
    ("frozen, seldom validated", { ($0.options.frozenLayers, $0.validationPeriod) = ([0, 1, 2], 3) }),
  ]

  @Test(arguments: kinds.indices) func aBrokenRunEndsWithTheBytesOfAWholeOne(index: Int) throws {
    try withTemporaryFolder { folder in
      let data = try TinyDataset(folder: "\(folder)/data", training: 6, validation: 3)
      let settings = Self.settings(data, Self.kinds[index].change)
      let whole = try train(settings, folder, "whole")
      var other = settings
      other.options.workers = 3
      let broken = try train(other, folder, "broken", breaks: [0, 2])
      #expect(try bytes(whole.lastWeights) == bytes(broken.lastWeights))
      #expect(try bytes(whole.bestWeights) == bytes(broken.bestWeights))
      #expect(try bytes(whole.results) == bytes(broken.results))
      #expect(try String(contentsOfFile: broken.results, encoding: .utf8).split(separator: "\n").count == 5)
      for place in [whole, broken] { #expect(!FileManager.default.fileExists(atPath: place.state)) }
    }
  }

  /// A run with a state, broken after its first epoch.
  private func broken(_ folder: String) throws -> (data: TinyDataset, run: RunFolder) {
    let data = try TinyDataset(folder: "\(folder)/data", training: 6, validation: 3)
    var observer = TrainingSession.Observer()
    observer.onEpoch = { _, _ in throw Broken() }
    let session = try TrainingSession(
      Self.settings(data), observer: observer, folder: { try RunFolder(project: folder, name: "exp", isReusing: false) },
      network: { Self.network($0) })
    #expect(throws: Broken.self) { try session.train() }
    return (data, session.folder)
  }

  @Test func theStateRemembersWhereItStands() throws {
    try withTemporaryFolder { folder in
      let (_, place) = try broken(folder)
      let session = try TrainingSession(resuming: place.state)
      #expect(session.epochsDone == 1 && session.folder.path == place.path)
      // Two batches were trained on, and a step takes three.
      #expect(session.run.hasGradients)
      #expect(session.run.optimizer.steps == 0 && session.run.average?.updates == 0)
      #expect(session.settings.options.batchSize == 3)
    }
  }

  static let damages: [(name: String, damage: @Sendable (TinyDataset, RunFolder) throws -> Void)] = [
    ("cut", { try TrainingRoundTests.cut($1.state, to: 5000) }),
    ("empty", { try TrainingRoundTests.cut($1.state, to: 0) }),
    (
      "weights instead",
      {
        try FileManager.default.removeItem(atPath: $1.state)
        try FileManager.default.copyItem(atPath: $1.lastWeights, toPath: $1.state)
      }
    ),
    ("absent", { try FileManager.default.removeItem(atPath: $1.state) }),
    ("more images", { place, _ in try FileManager.default.copyItem(atPath: place.image("train", 0), toPath: place.image("train", 77)) }),
    ("no momentum", { try rewrite($1.state) { writer, entry in if entry.name != "optimizer/model.0.bn.bias" { writer.add(entry) } } }),
    ("no gradient", { try rewrite($1.state) { writer, entry in if entry.name != "gradients/model.0.bn.bias" { writer.add(entry) } } }),
    ("no average", { try rewrite($1.state) { writer, entry in if entry.name != "average/model.0.bn.bias" { writer.add(entry) } } }),
    (
      "stray tensor",
      {
        try rewrite($1.state) { writer, entry in
          writer.add(entry)
          if entry.name == "optimizer/steps" { writer.add(entry, as: "other/steps") }
        }
      }
    ),
    ("progress beyond the end", { try rewrite($1.state, from: "\"nextEpoch\":1", to: "\"nextEpoch\":9") }),
    ("wrong options", { try rewrite($1.state, from: "\"batchSize\":3", to: "\"batchSize\":0") }),
    ("no options", { try rewrite($1.state, from: "\"batchSize\":3", to: "\"batchSize\":\"x\"") }),
  ]

  private static func rewrite(
    _ path: String, from: String = "", to: String = "",
    _ change: (inout SafetensorsWriter, SafetensorsFile.Entry) -> Void = { $0.add($1) }
  ) throws {
    let file = try SafetensorsFile.read(path: path)
    var writer = SafetensorsWriter(metadata: file.metadata.mapValues { from.isEmpty ? $0 : $0.replacingOccurrences(of: from, with: to) })
    #expect(from.isEmpty || writer.metadata != file.metadata)
    for entry in file.entries { change(&writer, entry) }
    try writer.write(path: path)
  }

  @Test(arguments: damages.indices) func damagedStatesAreRefused(index: Int) throws {
    let damage = Self.damages[index]
    try withTemporaryFolder { folder in
      let (data, place) = try broken(folder)
      try damage.damage(data, place)
      let error = #expect(throws: (any Error).self, "\(damage.name)") { try TrainingSession(resuming: place.state) }
      let fault = try #require(error.flatMap { FaultDescription($0) }, "\(damage.name): \(String(describing: error))")
      #expect(!fault.hint.isEmpty && !fault.what.isEmpty)
    }
  }

  @Test func theNewestUnfinishedRunIsFound() throws {
    try withTemporaryFolder { folder in
      let first = try broken("\(folder)/a").run
      #expect(try RunFolder.newestState(in: "\(folder)/a") == first.state)
      // A finished run has no state.
      _ = try RunFolder(project: "\(folder)/a", name: "exp", isReusing: false)
      #expect(try RunFolder.newestState(in: "\(folder)/a") == first.state)
      for given in [first.path, "\(first.path)/weights", first.lastWeights, first.state] {
        #expect(try RunFolder.state(of: given) == first.state)
      }
      #expect(throws: TrainingError.self) { try RunFolder.newestState(in: "\(folder)/none") }
      #expect(throws: TrainingError.self) { try RunFolder.state(of: "\(folder)/a/exp2") }
      #expect(throws: TrainingError.self) { try RunFolder.state(of: "\(folder)/nothing") }
    }
  }
}
