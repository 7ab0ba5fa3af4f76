// Runs the site's trainer for one round: a job directory in, new weights and a report out. The trainer gets images and weights, never a
// key, a socket or this process's environment; its result is checked like anything else from outside before a coordinate is used.
import Foundation
import Safetensors

/// What a trainer left: its report and, after training, the new weights.
public struct TrainerResult: Sendable {
  public let report: TrainerReport
  /// After training.
  public var weights: SafetensorsFile?
  /// Where a sum of gradients was asked for: whole numbers, padded to whole blocks.
  public var gradientSum: [Int64]?
}

/// The site's trainer.
public struct TrainerProcess: Sendable {
  /// Program and arguments; the job directory is appended.
  public let command: [String]
  /// The longest that one round's training may take.
  public let deadline: Duration

  /// Variables that a trainer may inherit: where programs and libraries are, the language, and how its numerical libraries are set.
  static let inheritedVariables = [
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_VERBOSE", "CUDA_VISIBLE_DEVICES", "NO_COLOR",
  ]

  public init(command: [String], deadline: Duration) {
    self.command = command
    self.deadline = deadline
  }

  /// The path of a program as the trainer would be started; nil if there is none that may be executed.
  public static func find(_ program: String) -> String? {
    ChildProcess.resolve(program, searchPath: ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
  }

  /// Trains in `folder`, which is emptied of earlier results first.
  /// - Parameters:
  ///   - weights: the global weights file, byte for byte as the server sent it and as its digest was checked.
  ///   - layout: what the result must have.
  ///   - onProgress: every line that the trainer prints.
  /// - Throws: ``ParticipantError``; `CancellationError` if the task was cancelled.
  public func run(
    job: TrainerJob, weights: [UInt8], layout: WeightsLayout, folder: String, onProgress: @escaping @Sendable (String) -> Void
  ) async throws -> TrainerResult {
    try prepare(folder, job: job, weights: weights)
    let inherited = ProcessInfo.processInfo.environment.filter { Self.inheritedVariables.contains($0.key) }
    let child = ChildProcess(
      command: command + [folder], environment: inherited.merging(["TMPDIR": folder]) { $1 }, folder: folder, deadline: deadline)
    let ending: ChildEnding
    do {
      ending = try await child.run(onLine: onProgress)
    } catch {
      throw ParticipantError(.trainerStart, error.reason, hint: "set `trainer: {command: [...]}` in site.yaml, or install secagg-trainer")
    }
    try check(ending)
    return try collect(folder, job: job, weightsBytes: weights.count, layout: layout)
  }

  private func prepare(_ folder: String, job: TrainerJob, weights: [UInt8]) throws(ParticipantError) {
    try SiteFiles.makeFolder(folder)
    for name in ["result.safetensors", "result.json"] { SiteFiles.remove(folder + "/" + name) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    guard let text = try? encoder.encode(job) else {
      throw ParticipantError(.serverMisbehaves, "the job holds a number that is not finite", hint: "tell the server's operator")
    }
    try SiteFiles.write([UInt8](text), to: folder + "/job.json")
    try SiteFiles.write(weights, to: folder + "/weights.safetensors")
  }

  private func check(_ ending: ChildEnding) throws {
    let words = ending.errorLines.suffix(6).joined(separator: " | ")
    let last = words.isEmpty ? "" : ": \(words)"
    let hint = "run `\(command.joined(separator: " ")) JOB_DIR` by hand on the job directory in the site's state to see more"
    switch ending.cause {
    case .exited(0): return
    case .exited(let status):
      throw ParticipantError(.trainerFailed, "the trainer ended with status \(status)\(last)", hint: hint)
    case .signalled(let signal):
      throw ParticipantError(.trainerFailed, "the trainer was killed by signal \(signal)\(last)", hint: hint)
    case .deadline:
      throw ParticipantError(
        .trainerDeadline, "the trainer was stopped after \(deadline)\(last)", hint: "fewer local epochs, or a longer deadline")
    case .cancelled:
      throw CancellationError()
    }
  }

  private func collect(
    _ folder: String, job: TrainerJob, weightsBytes: Int, layout: WeightsLayout
  ) throws(ParticipantError) -> TrainerResult {
    let report = try TrainerReport.read(path: folder + "/result.json", mayBeEmpty: job.privacy != nil)
    guard job.kind != .census else { return TrainerResult(report: report) }
    do {
      if let count = job.privacy?.sumCount {
        let file = try SafetensorsFile.read(path: folder + "/result.safetensors", bytesMax: 8 * count + (1 << 20))
        let sum = try file.int64s("gradient_sum")
        guard sum.count == count else {
          throw TrainerReport.bad("result.safetensors has \(sum.count) sums of gradients, the round \(count)")
        }
        return TrainerResult(report: report, gradientSum: sum)
      }
      // Twice the input leaves room for a longer header or a wider type, not for a bomb.
      let file = try SafetensorsFile.read(path: folder + "/result.safetensors", bytesMax: 2 * weightsBytes + (1 << 20))
      guard WeightsLayout(file) == layout else {
        throw TrainerReport.bad("result.safetensors has other tensors, shapes or another order than the global weights")
      }
      _ = try layout.flatten(file)
      return TrainerResult(report: report, weights: file)
    } catch let error as SafetensorsError {
      throw TrainerReport.bad("result.safetensors: \(error.reason)")
    } catch let error as ParticipantError {
      throw error
    } catch {
      throw TrainerReport.bad("result.safetensors: \(error)")
    }
  }
}
