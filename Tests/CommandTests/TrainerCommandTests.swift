// `secagg-trainer` as a process: exit codes, the error and its hint on standard error, JSON lines on standard output, and
// files that are whole or absent.

import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct TrainerCommandTests {
  struct Ending {
    var status: Int32
    var output: String
    var errors: String
  }

  /// The programs of this build lie beside the test bundle.
  static func run(_ program: String, _ arguments: [String]) throws -> Ending {
    let process = Process()
    let folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    process.executableURL = folder.appendingPathComponent(program)
    process.arguments = arguments
    return try withTemporaryFolder { logs in
      // Files, not pipes: a full pipe would stop the program.
      let paths = ["\(logs)/out", "\(logs)/err"]
      for path in paths { FileManager.default.createFile(atPath: path, contents: nil) }
      process.standardOutput = FileHandle(forWritingAtPath: paths[0])
      process.standardError = FileHandle(forWritingAtPath: paths[1])
      process.standardInput = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      let texts = try paths.map { String(decoding: try Data(contentsOf: URL(fileURLWithPath: $0)), as: UTF8.self) }
      return Ending(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
  }

  private func site(_ folder: String) throws -> (data: TinyDataset, job: String) {
    let data = try TinyDataset(folder: "\(folder)/data", training: 5, validation: 2)
    let job = "\(folder)/job"
    try FileManager.default.createDirectory(atPath: job, withIntermediateDirectories: true)
    let network = Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2), seed: 4, threads: 1)
    try network.safetensors().write(path: "\(job)/weights.safetensors")
    try writeJob(job, data: data.yaml)
    return (data, job)
  }

  private func writeJob(_ job: String, data: String, imageSize: Int = 64, more: String = "") throws {
    let text = """
      {"kind": "weights", "round": 1, "rounds": 2, "local_epochs": 2, "batch_size": 4, "image_size": \(imageSize),
       "data": "\(data)", "total_epochs": 4, "first_epoch": 0, "seed": 7, "threads": 1, "augment": true,
       "state": "momenta", "validate": false\(more)}
      """
    try text.write(toFile: "\(job)/job.json", atomically: true, encoding: .utf8)
  }

  @Test func aRoundPrintsOneLineAnEpochAndEndsWithZero() throws {
    try withTemporaryFolder { folder in
      let site = try site(folder)
      let ending = try Self.run("secagg-trainer", [site.job])
      #expect(ending.status == 0, "\(ending.errors)")
      let lines = ending.output.split(separator: "\n")
      #expect(lines.count == 2)
      for (epoch, line) in lines.enumerated() {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["epoch"] as? Int == epoch)
        #expect(object?["box_loss"] is Double)
      }
      #expect(FileManager.default.fileExists(atPath: "\(site.job)/result.json"))
      _ = try SafetensorsFile.read(path: "\(site.job)/result.safetensors")
    }
  }

  @Test func badInputEndsWithItsCodePlaceAndHint() throws {
    try withTemporaryFolder { folder in
      let site = try site(folder)
      func expect(_ status: Int32, _ words: [String]) throws {
        let ending = try Self.run("secagg-trainer", [site.job])
        #expect(ending.status == status, "\(ending.errors)")
        for word in words + ["error[", "hint: "] { #expect(ending.errors.contains(word), "\(word) in: \(ending.errors)") }
        #expect(!FileManager.default.fileExists(atPath: "\(site.job)/result.json"))
        #expect(!FileManager.default.fileExists(atPath: "\(site.job)/result.safetensors"))
      }
      try writeJob(site.job, data: site.data.yaml, more: ", \"clip\": 1")
      try expect(78, ["clip", "job.json"])
      try writeJob(site.job, data: site.data.yaml, imageSize: 65)
      try expect(78, ["image size"])
      try writeJob(site.job, data: site.data.yaml)
      try "0 0.5 1.5 0.2 0.2\n".write(toFile: site.data.labels("train", 1), atomically: true, encoding: .utf8)
      try expect(65, ["1.txt:1"])
      try "0 0.5 0.5 0.2 0.2\n".write(toFile: site.data.labels("train", 1), atomically: true, encoding: .utf8)
      try Data("no image".utf8).write(to: URL(fileURLWithPath: site.data.image("train", 1)))
      try expect(65, ["1.png"])
      try Data("{".utf8).write(to: URL(fileURLWithPath: "\(site.job)/weights.safetensors"))
      try expect(65, ["weights.safetensors"])
    }
  }

  @Test func wrongUsageEndsWith64() throws {
    for arguments in [[], ["a", "b"], ["--unknown"]] {
      #expect(try Self.run("secagg-trainer", arguments).status == 64)
    }
  }

  @Test func helpIsAResult() throws {
    let ending = try Self.run("secagg-trainer", ["--help"])
    #expect(ending.status == 0)
    #expect(ending.output.contains("JOB_DIR") && ending.errors.isEmpty)
  }
}
