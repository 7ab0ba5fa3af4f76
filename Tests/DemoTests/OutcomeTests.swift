// What scripts read from the demo, and how the demo reads the server's event log.

import Foundation
import TestSupport
import Testing

@testable import Demo

@Suite struct SummaryTests {
  private func written() throws -> [String: Any] {
    let summary = Summary(
      sites: 5, rounds: 3, localEpochs: 2, seed: 1, quick: true, dropped: 1, drops: [.init(site: 2, round: 1, returnedInRound: 2)],
      federated: Score(map50: 0.5, map: 0.3), centralised: Score(map50: 0.6, map: 0.4),
      localOnly: .init(map50: [0.1, 0.2], map: [0, 0.1]),
      bytes: .init(upPerSiteRound: 4, downPerSiteRound: 5, float32Update: 6, rawDataset: 7),
      seconds: .init(training: 1, secureAggregation: 2, total: 3))
    return try withTemporaryFolder { folder in
      try summary.write(to: folder + "/summary.json")
      let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/summary.json"))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
  }

  @Test func everyPromisedKeyIsThere() throws {
    let summary = try written()
    let keys = [
      "sites", "rounds", "dropped", "federated", "centralised", "local_only", "bytes", "seconds", "epsilon", "delta", "unit",
      "ledger_verified",
    ]
    for key in keys { #expect(summary[key] != nil, "\(key)") }
    func keysOf(_ key: String) -> Set<String> { Set((summary[key] as? [String: Any] ?? [:]).keys) }
    #expect(keysOf("federated").isSuperset(of: ["map50", "map"]))
    #expect(keysOf("centralised").isSuperset(of: ["map50", "map"]))
    #expect(keysOf("bytes") == ["up_per_site_round", "down_per_site_round", "float32_update", "raw_dataset"])
    #expect(keysOf("seconds") == ["training", "secure_aggregation", "total"])
    #expect((summary["local_only"] as? [String: [Double]])?["map50"] == [0.1, 0.2])
  }

  @Test func aPrivateRunSaysWhatItCost() throws {
    var summary = Summary(
      sites: 5, rounds: 3, localEpochs: 2, seed: 1, quick: true, dropped: 0, drops: [], federated: Score(map50: 0.5, map: 0.3),
      centralised: Score(map50: 0.6, map: 0.4), localOnly: .init(map50: [], map: []),
      bytes: .init(upPerSiteRound: 4, downPerSiteRound: 5, float32Update: 6, rawDataset: 7),
      seconds: .init(training: 1, secureAggregation: 2, total: 3), privacy: .init(epsilon: 7.5, delta: 1e-5, unit: "record"))
    #expect(summary.formalGuarantee)
    // Without a figure there is no guarantee, whatever was asked for.
    summary.privacy?.epsilon = nil
    #expect(!summary.formalGuarantee)
  }

  @Test func whatIsNotBuiltIsNullAndNothingIsGuaranteed() throws {
    let summary = try written()
    for key in ["epsilon", "delta", "unit", "ledger_verified"] { #expect(summary[key] is NSNull, "\(key)") }
    #expect(summary["formal_guarantee"] as? Bool == false)
  }
}

@Suite struct EventReaderTests {
  private func append(_ text: String, _ path: String) throws {
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  @Test func linesComeOnceAndWhole() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/events.jsonl"
      var reader = EventReader(path: path)
      #expect(reader.next().isEmpty)
      try "{\"event\":\"listening\",\"time\":\"t\",\"port\":5}\n{\"event\":\"ph".write(toFile: path, atomically: false, encoding: .utf8)
      let first = reader.next()
      #expect(first.map(\.event) == ["listening"] && first.first?.port == 5)
      #expect(reader.next().isEmpty)
      try append("ase\",\"time\":\"t\",\"phase\":\"keys\",\"new_key\":[1]}\n", path)
      #expect(reader.next().map(\.phase) == ["keys"])
      #expect(reader.next().isEmpty)
    }
  }

  @Test func linesThatAreNoEventsAreSkipped() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/events.jsonl"
      let lines = [
        "", "not json", "[]", "{}", "{\"event\":5,\"time\":\"t\"}", "{\"event\":\"a\",\"time\":\"t\",\"bytes_up\":{\"3\":9}}",
        "{\"event\":\"cut",
      ]
      try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: false, encoding: .utf8)
      var reader = EventReader(path: path)
      let events = reader.next()
      #expect(events.map(\.event) == ["a"])
      #expect(events.first?.bytesUp == ["3": 9])
    }
  }
}

@Suite struct DemoFolderTests {
  @Test func onlyADemosOwnFolderIsCleared() throws {
    try withTemporaryFolder { folder in
      let precious = folder + "/thesis.txt"
      try "years of work".write(toFile: precious, atomically: false, encoding: .utf8)
      let error = #expect(throws: DemoError.self) { try DemoFolder(root: folder).prepare() }
      #expect(error?.code == .folderInUse)
      #expect(FileManager.default.fileExists(atPath: precious))
      let own = DemoFolder(root: folder + "/demo")
      try own.prepare()
      try "old".write(toFile: own.summary, atomically: false, encoding: .utf8)
      try own.prepare()
      #expect(!FileManager.default.fileExists(atPath: own.summary))
    }
  }

  @Test func aFolderThatCannotBeMadeIsNamed() {
    let error = #expect(throws: DemoError.self) { try DemoFolder(root: "/proc/secagg-demo").prepare() }
    #expect(error?.code == .cannotWrite)
  }
}
