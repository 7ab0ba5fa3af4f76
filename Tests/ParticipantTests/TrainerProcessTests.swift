// The trainer on its leash: what it sees, how it is stopped, and every way in which its result may be wrong.
import Foundation
import Safetensors
import Testing

@testable import Participant

@Suite struct TrainerProcessTests {
  private let weights: [UInt8] = {
    var writer = SafetensorsWriter()
    writer.add("model.0.conv.weight", shape: [2, 2], floats: [1, 2, 3, 4])
    writer.add("model.0.bn.running_mean", shape: [2], floats: [0, 1])
    return writer.serialise()
  }()

  private func job(_ kind: TrainerJob.Kind = .weights) -> TrainerJob {
    TrainerJob(
      kind: kind, round: 1, rounds: 2, localEpochs: 1, batchSize: 4, imageSize: 64, data: "data.yaml",
      optimizer: .init(
        name: "sgd", learningRate: 0.01, momentum: 0.9, weightDecay: 0, nominalBatch: 64, warmupEpochs: 0, finalLRFraction: 1, cosine: false
      ),
      seed: 1, threads: 1, augment: false, state: "state", validate: false)
  }

  private func run(
    _ script: String, kind: TrainerJob.Kind = .weights, deadline: Duration = .seconds(60), folder: TemporaryFolder,
    onProgress: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws -> TrainerResult {
    let trainer = TrainerProcess(command: ["/bin/sh", "-c", script, "trainer"], deadline: deadline)
    let layout = WeightsLayout(try SafetensorsFile(parsing: weights))
    return try await trainer.run(job: job(kind), weights: weights, layout: layout, folder: folder.path, onProgress: onProgress)
  }

  private let report = #"echo '{"sample_count": 12, "metrics": {"box_loss": 0.5, "map": null}, "seconds": 1}' > "$1/result.json"; "#
  private let echo = #"cp "$1/weights.safetensors" "$1/result.safetensors"; "#

  @Test func aResultComesBack() async throws {
    let folder = try TemporaryFolder()
    let result = try await run(report + echo, folder: folder)
    #expect(result.report.sampleCount == 12)
    #expect(result.report.metrics == ["box_loss": 0.5])
    #expect(try result.weights?.floats("model.0.conv.weight") == [1, 2, 3, 4])
    let written = try JSONDecoder().decode(TrainerJob.self, from: Data(contentsOf: URL(fileURLWithPath: folder.path + "/job.json")))
    #expect(written == job())
    #expect(try await run(report, kind: .census, folder: folder).weights == nil)
  }

  @Test func itSeesNoDescriptorsAndNoForeignVariables() async throws {
    let folder = try TemporaryFolder()
    let secret = open("/dev/null", O_RDONLY)  // inheritable on purpose
    defer { close(secret) }
    setenv("SECAGG_TEST_SECRET", "do not pass on", 1)
    _ = try await run(#"ls /proc/self/fd > "$1/descriptors"; env > "$1/variables"; "# + report + echo, folder: folder)
    let names = try String(contentsOfFile: folder.path + "/descriptors", encoding: .utf8).split(separator: "\n")
    #expect(names.count == 4)  // 0, 1, 2 and the listing's own
    let variables = try String(contentsOfFile: folder.path + "/variables", encoding: .utf8)
    #expect(!variables.contains("SECAGG_TEST_SECRET"))
    #expect(variables.contains("TMPDIR=\(folder.path)"))
  }

  @Test(arguments: [
    ("exit 65", ParticipantError.Code.trainerFailed), ("kill -9 $$", .trainerFailed), ("true", .file),
    (#"echo '{}' > "$1/result.json""#, .trainerResult), (#"echo '[' > "$1/result.json""#, .trainerResult),
    (#"echo '{"sample_count": 0}' > "$1/result.json""#, .trainerResult),
    (#"echo '{"sample_count": -4}' > "$1/result.json""#, .trainerResult),
    (#"echo '{"sample_count": 4.5}' > "$1/result.json""#, .trainerResult),
    (#"echo '{"sample_count": 99999999999999999999}' > "$1/result.json""#, .trainerResult),
    (#"echo '{"sample_count": 4}' > "$1/result.json""#, .trainerResult),
    (#"echo '{"sample_count": 4}' > "$1/result.json"; head -c 20 "$1/weights.safetensors" > "$1/result.safetensors""#, .trainerResult),
    (#"echo '{"sample_count": 4}' > "$1/result.json"; head -c 999999 /dev/zero > "$1/result.safetensors""#, .trainerResult),
    (#"echo '{"sample_count": 4}' > "$1/result.json"; mkdir "$1/result.safetensors""#, .trainerResult),
  ])
  func badEndingsAreNamed(script: String, code: ParticipantError.Code) async throws {
    let folder = try TemporaryFolder()
    await #expect { _ = try await run(script, folder: folder) } throws: { ($0 as? ParticipantError)?.code == code }
  }

  @Test(arguments: [Float.nan, .infinity])
  func aNumberThatIsNotFiniteIsRefused(value: Float) async throws {
    let folder = try TemporaryFolder()
    var writer = SafetensorsWriter()
    writer.add("model.0.conv.weight", shape: [2, 2], floats: [1, 2, value, 4])
    writer.add("model.0.bn.running_mean", shape: [2], floats: [0, 1])
    try writer.write(path: folder.path + "/mine")
    await #expect { _ = try await run(report + #"cp "$1/mine" "$1/result.safetensors""#, folder: folder) } throws: {
      ($0 as? ParticipantError)?.code == .trainerResult
    }
  }

  @Test func anotherLayoutIsRefused() async throws {
    let folder = try TemporaryFolder()
    var writer = SafetensorsWriter()
    writer.add("model.0.conv.weight", shape: [4], floats: [1, 2, 3, 4])
    writer.add("model.0.bn.running_mean", shape: [2], floats: [0, 1])
    try writer.write(path: folder.path + "/mine")
    await #expect { _ = try await run(report + #"cp "$1/mine" "$1/result.safetensors""#, folder: folder) } throws: {
      ($0 as? ParticipantError)?.code == .trainerResult
    }
  }

  @Test func anEarlierResultIsNotTakenForTheNew() async throws {
    let folder = try TemporaryFolder()
    _ = try await run(report + echo, folder: folder)
    await #expect { _ = try await run("true", folder: folder) } throws: { ($0 as? ParticipantError)?.code == .file }
  }

  @Test func itsLastWordsAreInTheError() async throws {
    let folder = try TemporaryFolder()
    await #expect { _ = try await run("echo first >&2; echo 'image 7 is corrupt' >&2; exit 65", folder: folder) } throws: {
      guard let error = $0 as? ParticipantError else { return false }
      return error.reason.contains("status 65") && error.reason.contains("image 7 is corrupt")
    }
  }

  @Test func theDeadlineStopsEvenWhatIgnoresTheSignal() async throws {
    let folder = try TemporaryFolder()
    await #expect { _ = try await run("trap '' TERM; while :; do sleep 1; done", deadline: .milliseconds(200), folder: folder) } throws: {
      ($0 as? ParticipantError)?.code == .trainerDeadline
    }
  }

  /// The whole group goes, a grandchild that holds the pipes included.
  @Test func cancellationKillsTheGroup() async throws {
    let folder = try TemporaryFolder()
    let (started, signal) = AsyncStream<String>.makeStream()
    let task = Task {
      try await run("sleep 1000 & echo $!; wait", folder: folder) { signal.yield($0) }
    }
    var lines = started.makeAsyncIterator()
    let grandchild = try #require(pid_t(await lines.next() ?? ""))
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
    #expect(isGone(grandchild))
  }

  // A killed grandchild may stay as a zombie until its new parent reaps it: that counts as gone.
  private func isGone(_ process: pid_t) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return true }
    return status.split(separator: ")").last?.split(separator: " ").first == "Z"
  }

  @Test(arguments: [["/nonexistent/trainer"], ["no-such-program-anywhere"], ["/etc/passwd"]])
  func aTrainerThatIsNotThere(command: [String]) async throws {
    let folder = try TemporaryFolder()
    let layout = WeightsLayout(try SafetensorsFile(parsing: weights))
    await #expect {
      _ = try await TrainerProcess(command: command, deadline: .seconds(5))
        .run(job: job(), weights: weights, layout: layout, folder: folder.path, onProgress: { _ in })
    } throws: { ($0 as? ParticipantError)?.code == .trainerStart }
  }
}
