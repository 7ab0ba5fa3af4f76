// `secagg check` as a process: exit codes, what stands where, and JSON that is one object.

import Foundation
import TestSupport
import Testing

@Suite struct CheckCommandTests {
  private func check(_ arguments: [String] = [], damage: (TinyDataset) throws -> Void = { _ in }) throws -> TrainerCommandTests.Ending {
    try withTemporaryFolder { folder in
      // More images than the generator's two kinds and few places would give distinct pictures of: sizes differ.
      let data = try TinyDataset(folder: folder, training: 3, validation: 2, seed: 5)
      for index in 0..<3 {
        try "0 .5 .5 .2 .2\n1 .4 .4 .2 .2\n".write(toFile: data.labels("train", index), atomically: true, encoding: .utf8)
      }
      for index in 0..<2 {
        try "0 .5 .5 .2 .2\n1 .4 .4 .2 .2\n".write(toFile: data.labels("val", index), atomically: true, encoding: .utf8)
      }
      try damage(data)
      return try TrainerCommandTests.run("secagg", ["check", data.yaml] + arguments)
    }
  }

  @Test func aCleanDataSetEndsWithZero() throws {
    let ending = try check()
    #expect(ending.status == 0, "\(ending.output)\(ending.errors)")
    #expect(ending.output.contains("\nclean    0 faults"))
  }

  @Test func faultsAreCountedShownAndEndWithOne() throws {
    let ending = try check { data in
      let rows = String(repeating: "7 .5 .5 .1 .1\n", count: 30)
      try rows.write(toFile: data.labels("train", 1), atomically: true, encoding: .utf8)
    }
    #expect(ending.status == 1)
    #expect(ending.output.contains("labels/train/1.txt:20: class 7 is not one of 0 to 1"))
    #expect(!ending.output.contains("labels/train/1.txt:21:") && ending.output.contains("… and 10 more (--json lists all)"))
    #expect(ending.output.contains("hint: ") && ending.output.contains("\nfaulty   30 faults"))
  }

  @Test func jsonIsOneObjectWithEveryFinding() throws {
    let ending = try check(["--json", "--split", "train"]) { data in
      try String(repeating: "0 2 .5 .1 .1\n", count: 30).write(toFile: data.labels("train", 1), atomically: true, encoding: .utf8)
      try FileManager.default.removeItem(atPath: data.labels("train", 0))
    }
    #expect(ending.status == 1)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any])
    #expect(object["ok"] as? Bool == false && object["fault_count"] as? Int == 30 && object["note_count"] as? Int == 1)
    let faults = try #require(object["faults"] as? [[String: Any]])
    #expect(faults.count == 31 && faults[29]["line"] as? Int == 30 && faults[29]["kind"] as? String == "coordinate-out-of-range")
    #expect(faults[30]["severity"] as? String == "note" && faults[30]["line"] is NSNull)
    let splits = try #require(object["splits"] as? [String: [String: Any]])
    #expect(splits.keys.sorted() == ["train"] && splits["train"]?["background"] as? Int == 2)
  }

  @Test func unusableInputEndsWithItsOwnCodes() throws {
    let absent = try TrainerCommandTests.run("secagg", ["check", "/nonexistent/data.yaml"])
    #expect(absent.status == 65 && absent.errors.contains("error[DT-01]") && absent.errors.contains("hint: ") && absent.output.isEmpty)
    let broken = try check { data in try "train: [a\nnames: b".write(toFile: data.yaml, atomically: true, encoding: .utf8) }
    #expect(broken.status == 65 && broken.errors.contains("error[DT-02]") && broken.errors.contains("data.yaml:"))
    #expect(try check(["--split", "tran"]).status == 64)
    #expect(try check(["--threads", "0"]).status == 64)
  }
}
