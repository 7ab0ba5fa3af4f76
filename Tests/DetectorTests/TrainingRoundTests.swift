// A round of the trainer contract on real files: what it writes, and that a round that fails leaves no result.

import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct TrainingRoundTests {
  struct Site {
    let data: TinyDataset
    let job: String

    init(_ folder: String, kind: String = "weights", firstEpoch: Int = 0, more: String = "") throws {
      data = try TinyDataset(folder: "\(folder)/data", training: 6, validation: 3)
      job = "\(folder)/job"
      try FileManager.default.createDirectory(atPath: job, withIntermediateDirectories: true)
      let network = Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2), seed: 4, threads: 1)
      try network.safetensors().write(path: "\(job)/weights.safetensors")
      try write(kind: kind, firstEpoch: firstEpoch, more: more)
    }

    func write(kind: String = "weights", firstEpoch: Int = 0, more: String = "") throws {
      let text = """
        {"kind": "\(kind)", "round": 1, "rounds": 4, "local_epochs": 1, "batch_size": 4, "image_size": 64,
         "data": "\(data.yaml)", "total_epochs": 4, "first_epoch": \(firstEpoch), "seed": 7, "threads": 1, "augment": true,
         "state": "\(data.folder)/momenta", "validate": true, "optimizer": {"nominal_batch": 4}\(more)}
        """
      try text.write(toFile: "\(job)/job.json", atomically: true, encoding: .utf8)
    }

    func run() throws -> RoundReport { try LocalRound(folder: job).run { _ in } }

    var hasResult: Bool {
      ["result.json", "result.safetensors"].contains { FileManager.default.fileExists(atPath: "\(job)/\($0)") }
    }
  }

  @Test func aRoundLeavesWeightsReportAndState() throws {
    try withTemporaryFolder { folder in
      let site = try Site(folder)
      let report = try site.run()
      #expect(report.sampleCount == 6)
      #expect(report.metrics.boxLoss.map { $0 > 0 } == true)
      #expect(report.metrics.map50 != nil)
      let given = try SafetensorsFile.read(path: "\(site.job)/weights.safetensors")
      let result = try SafetensorsFile.read(path: "\(site.job)/result.safetensors")
      #expect(WeightsLayout(result) == WeightsLayout(given))
      #expect(try WeightsLayout(given).flatten(result).parameters != WeightsLayout(given).flatten(given).parameters)
      let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: "\(site.job)/result.json")))
      let fields = try #require(object as? [String: Any])
      #expect(Set(fields.keys) == ["sample_count", "metrics", "seconds"])
      #expect(fields["sample_count"] as? Int == 6)
      #expect(FileManager.default.fileExists(atPath: "\(site.data.folder)/momenta"))
      // Nothing else is left in the job folder, such as temporary files.
      let names = try FileManager.default.contentsOfDirectory(atPath: site.job).sorted()
      #expect(names == ["job.json", "result.json", "result.safetensors", "weights.safetensors"])
    }
  }

  @Test func theResultKeepsTheOrderOfTheGivenTensors() throws {
    try withTemporaryFolder { folder in
      let site = try Site(folder)
      let given = try SafetensorsFile.read(path: "\(site.job)/weights.safetensors")
      var reversed = SafetensorsWriter()
      for entry in given.entries.reversed() { reversed.add(entry) }
      try reversed.write(path: "\(site.job)/weights.safetensors")
      _ = try site.run()
      let result = try SafetensorsFile.read(path: "\(site.job)/result.safetensors")
      #expect(result.entries.map(\.name) == given.entries.reversed().map(\.name))
    }
  }

  @Test func aCensusCountsAndNeedsNoWeights() throws {
    try withTemporaryFolder { folder in
      let site = try Site(folder, kind: "census")
      try FileManager.default.removeItem(atPath: "\(site.job)/weights.safetensors")
      #expect(try site.run().sampleCount == 6)
      let names = try FileManager.default.contentsOfDirectory(atPath: site.job).sorted()
      #expect(names == ["job.json", "result.json"])
    }
  }

  @Test func aSiteWithoutMomentaIsToldSo() throws {
    try withTemporaryFolder { folder in
      let site = try Site(folder, firstEpoch: 2)
      var found: [Bool] = []
      _ = try LocalRound(folder: site.job).run(onRestore: { found.append($0) }, onEpoch: { #expect($0.epoch == 2) })
      #expect(found == [false])
      try site.write(firstEpoch: 3)
      _ = try LocalRound(folder: site.job).run(onRestore: { found.append($0) }, onEpoch: { _ in })
      #expect(found == [false, true])
    }
  }

  /// What is broken, and a word that the error must contain.
  static let damages: [(name: String, word: String, damage: @Sendable (Site) throws -> Void)] = [
    ("cut weights", "weights.safetensors", { try cut("\($0.job)/weights.safetensors", to: 5000) }),
    ("empty weights", "weights.safetensors", { try cut("\($0.job)/weights.safetensors", to: 0) }),
    ("no weights", "weights.safetensors", { try FileManager.default.removeItem(atPath: "\($0.job)/weights.safetensors") }),
    ("cut image", "2.png", { try cut($0.data.image("train", 2), to: 300) }),
    ("text as image", "2.png", { try write("hello", $0.data.image("train", 2)) }),
    ("no images", "train", { try FileManager.default.removeItem(atPath: "\($0.data.folder)/images/train") }),
    ("label outside", "2.txt:1", { try write("0 0.5 0.5 1.5 0.2\n", $0.data.labels("train", 2)) }),
    ("label negative", "2.txt:2", { try write("0 .5 .5 .2 .2\n1 -0.1 0.5 0.2 0.2\n", $0.data.labels("train", 2)) }),
    ("label not a number", "2.txt:1", { try write("0 nan 0.5 0.2 0.2\n", $0.data.labels("train", 2)) }),
    ("unknown class", "2.txt:1", { try write("9 0.5 0.5 0.2 0.2\n", $0.data.labels("train", 2)) }),
    ("bad yaml", "data.yaml", { try write("names: [a, b", $0.data.yaml) }),
    ("other classes", "classes", { try write("train: images/train\nval: images/val\nnames: [a, b, c]\n", $0.data.yaml) }),
    (
      "damaged momenta", "momenta",
      {
        try $0.write(firstEpoch: 1)
        try write("x", "\($0.data.folder)/momenta")
      }
    ),
    ("bad job", "job.json", { try $0.write(more: ", \"typo\": 1") }),
  ]

  @Test(arguments: damages.indices) func damageIsNamedAndLeavesNoResult(index: Int) throws {
    let damage = Self.damages[index]
    try withTemporaryFolder { folder in
      let site = try Site(folder)
      try damage.damage(site)
      let error = #expect(throws: (any Error).self, "\(damage.name)") { try site.run() }
      let fault = try #require(error.flatMap { FaultDescription($0) }, "\(damage.name): \(String(describing: error))")
      #expect(fault.what.contains(damage.word), "\(damage.name): \(fault.what)")
      #expect(!fault.hint.isEmpty)
      #expect(!site.hasResult, "\(damage.name)")
    }
  }

  @Test func aFailedRoundRemovesTheResultOfAnEarlierOne() throws {
    try withTemporaryFolder { folder in
      let site = try Site(folder)
      _ = try site.run()
      #expect(site.hasResult)
      try Self.cut("\(site.job)/weights.safetensors", to: 100)
      #expect(throws: TrainingError.self) { try site.run() }
      #expect(!site.hasResult)
    }
  }

  static func cut(_ path: String, to count: Int) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    try Data(data.prefix(count)).write(to: URL(fileURLWithPath: path))
  }

  static func write(_ text: String, _ path: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }
}
