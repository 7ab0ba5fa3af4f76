// What the federated model is compared with: one model trained on all data pooled (which no site may do in truth), and one model a
// site trained on that site's data alone. Both start from the same weights, run for the same number of local epochs, and are measured
// on the same pooled validation images. They are ordinary `secagg train` runs, two at a time.
import Foundation

struct BaselineJob: Sendable {
  var name: String
  /// data.yaml to train on; its `val` is the pooled validation set.
  var data: String
}

/// One line of `secagg train --json`.
private struct EpochLine: Decodable {
  let epoch: Int
  let map50: Double?
  let map: Double?
}

struct Baselines: Sendable {
  let program: String
  let plan: DemoPlan
  let seed: UInt64
  let initialWeights: String
  let folder: String

  /// Trains every job, longest first, on two processes of one thread each; `progress` gets (finished epochs, all epochs, note).
  func run(_ jobs: [BaselineJob], progress: @escaping @Sendable (Int, Int, String) -> Void) async throws -> [Curve] {
    var waiting = Array(jobs.enumerated())
    var active: [(index: Int, job: BaselineJob, child: ChildProcess, output: String)] = []
    var curves = jobs.map { Curve(name: $0.name) }
    let total = jobs.count * plan.epochs
    while !waiting.isEmpty || !active.isEmpty {
      while active.count < 2, !waiting.isEmpty {
        let (index, job) = waiting.removeFirst()
        let output = folder + "/\(job.name).jsonl"
        active.append((index, job, try start(job, output: output), output))
      }
      try await Task.sleep(for: .milliseconds(200))
      for entry in active {
        curves[entry.index] = read(entry.output, name: entry.job.name).curve
        guard let status = entry.child.exitStatus() else { continue }
        guard status == 0 else {
          throw ChildFailure(
            program: "secagg train (\(entry.job.name))", reason: "ended with status \(status)", lastLines: entry.child.lastLines())
        }
        curves[entry.index] = read(entry.output, name: entry.job.name).curve
      }
      active.removeAll { $0.child.exitStatus() != nil }
      let done = jobs.reduce(0) { $0 + read(folder + "/\($1.name).jsonl", name: $1.name).epochs }
      progress(done, total, active.map(\.job.name).joined(separator: ", "))
    }
    return curves
  }

  private func start(_ job: BaselineJob, output: String) throws -> ChildProcess {
    let training = plan.baseline
    let arguments: [(String, any CustomStringConvertible)] = [
      ("--data", job.data), ("--weights", initialWeights), ("--img", plan.imageSize), ("--epochs", plan.epochs),
      ("--batch-size", training.batchSize), ("--nominal-batch", training.nominalBatch), ("--optimizer", training.optimizer.rawValue),
      ("--lr0", training.learningRate), ("--lrf", training.finalLearningRateFraction), ("--momentum", training.momentum),
      ("--weight-decay", training.weightDecay), ("--warmup-epochs", training.warmupEpochs), ("--seed", seed), ("--threads", 1),
      ("--val-period", plan.validationPeriod), ("--project", folder), ("--name", job.name),
    ]
    let flags =
      ["--exist-ok", "--json"] + (training.cosine ? ["--cos-lr"] : []) + (training.augment ? [] : ["--noaugment"])
      + (plan.privacy == nil ? [] : ["--norm", "group"])
    return try ChildProcess(
      name: job.name, program: program, arguments: ["train"] + arguments.flatMap { [$0, $1.description] } + flags, outputPath: output,
      logPath: folder + "/\(job.name).log")
  }

  private func read(_ path: String, name: String) -> (curve: Curve, epochs: Int) {
    var curve = Curve(name: name)
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return (curve, 0) }
    var epochs = 0
    for line in text.split(separator: "\n") {
      guard let entry = try? JSONDecoder().decode(EpochLine.self, from: Data(line.utf8)) else { continue }
      epochs += 1
      if let map50 = entry.map50, let map = entry.map { curve.points.append((epochs, Score(map50: map50, map: map))) }
    }
    return (curve, epochs)
  }
}
