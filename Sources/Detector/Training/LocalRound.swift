// One round of the trainer contract: a job folder with `job.json` and `weights.safetensors` in, `result.safetensors` and
// `result.json` out. Invariant: `result.json` is written last and atomically, so its presence means that all is there;
// a round that fails leaves no result.

import Foundation
import Safetensors

/// What a trainer reports of a round.
public struct RoundReport: Encodable, Equatable, Sendable {
  public struct Metrics: Encodable, Equatable, Sendable {
    public var boxLoss: Double?
    public var objectnessLoss: Double?
    public var classLoss: Double?
    public var map50: Double?
    public var map: Double?

    enum CodingKeys: String, CodingKey {
      case boxLoss = "box_loss"
      case objectnessLoss = "obj_loss"
      case classLoss = "cls_loss"
      case map50, map
    }
  }

  /// Training images of the site.
  public var sampleCount: Int
  public var metrics: Metrics
  public var seconds: Double
  /// Steps that were noised; nil where there is no privacy by record.
  public var noisedSteps: Int?

  enum CodingKeys: String, CodingKey {
    case noisedSteps = "noised_steps"
    case sampleCount = "sample_count"
    case metrics, seconds
  }
}

/// Carries out the job of one folder.
public struct LocalRound: Sendable {
  public static let weightsName = "weights.safetensors"
  public static let resultName = "result.safetensors"
  public static let reportName = "result.json"
  /// The tensor of a sum of gradients in `resultName`.
  public static let gradientSumName = "gradient_sum"

  public let folder: String
  public let job: TrainerJob

  /// Reads the folder's job file.
  /// - Throws: `TrainingError`.
  public init(folder: String) throws {
    self.folder = folder
    job = try TrainerJob.read(folder: folder)
  }

  /// Trains (or counts) and writes the results.
  /// - Parameters:
  ///   - onRestore: told whether the optimiser's momenta of the round before were found (training jobs only).
  ///   - onEpoch: called after each epoch.
  /// - Throws: `TrainingError` or `DataError`; no result is left then.
  public func run(onRestore: (Bool) -> Void = { _ in }, onEpoch: (EpochReport) throws -> Void) throws -> RoundReport {
    try removeOldResults()
    let clock = ContinuousClock.now
    let training = try DatasetTrainingSource(data: job.data, options: job.options)
    // With privacy no images are a number of images like any other: nobody must see the difference to one.
    guard training.imageCount > 0 || job.options.hidesImages else {
      throw TrainingError(.unsuitableData, "\(job.data): no training images", hint: "check `train` in data.yaml")
    }
    var report = RoundReport(sampleCount: training.imageCount, metrics: .init(), seconds: 0)
    switch job.kind {
    case .weights: try train(training, report: &report, onRestore: onRestore, onEpoch: onEpoch)
    case .gradientSum: try sumGradients(training, onEpoch: onEpoch)
    case .census: break
    }
    report.seconds = (ContinuousClock.now - clock).inSeconds
    try write(report)
    return report
  }

  private func removeOldResults() throws(TrainingError) {
    for name in [Self.resultName, Self.reportName] {
      let path = "\(folder)/\(name)"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      do { try FileManager.default.removeItem(atPath: path) } catch {
        throw TrainingError(
          .inputOutput, "\(path) of an earlier run cannot be removed", hint: "make the job folder writable")
      }
    }
  }

  private func train(
    _ source: DatasetTrainingSource, report: inout RoundReport, onRestore: (Bool) -> Void,
    onEpoch: (EpochReport) throws -> Void
  ) throws {
    let weights = try WeightsFile.read("\(folder)/\(Self.weightsName)")
    let network = try WeightsFile.network(weights, threads: job.options.threads)
    let run = try TrainingRun(
      network: network, source: source, options: job.options, firstEpoch: job.firstEpoch, part: job.part, keepsAverage: false)
    let state = job.state.map { OptimizerState(path: $0) }
    let position = job.firstEpoch * job.part.count + job.part.number
    if let state, position > 0 { onRestore(try state.restore(into: run, position: position)) }
    var reports: [EpochReport] = []
    try run.train(epochs: job.localEpochs) { epoch in
      reports.append(epoch)
      try onEpoch(epoch)
    }
    let count = Double(reports.count)
    report.metrics.boxLoss = reports.reduce(0) { $0 + $1.boxLoss } / count
    report.metrics.objectnessLoss = reports.reduce(0) { $0 + $1.objectnessLoss } / count
    report.metrics.classLoss = reports.reduce(0) { $0 + $1.classLoss } / count
    if job.isValidating {
      let validation = try Validation(
        source: try DatasetValidationSource(data: job.data, imageSize: job.options.imageSize), imageSize: job.options.imageSize,
        batchSize: job.options.batchSize)
      let outcome = try validation.run(network)
      report.metrics.map50 = outcome.scores.map50
      report.metrics.map = outcome.scores.map
    }
    let result = try ordered(network.safetensors(), like: weights.file)
    if job.options.privacy != nil { report.noisedSteps = reports.count * job.part.batches(of: run.batchesPerEpoch).count }
    try state?.save(run, position: position + job.localEpochs)
    try WeightsFile.write(result, path: "\(folder)/\(Self.resultName)")
  }

  /// Leaves the sum as one tensor of whole numbers. Losses are told to the site's own people alone.
  private func sumGradients(_ source: DatasetTrainingSource, onEpoch: (EpochReport) throws -> Void) throws {
    let weights = try WeightsFile.read("\(folder)/\(Self.weightsName)")
    let network = try WeightsFile.network(weights, threads: job.options.threads)
    let run = try TrainingRun(network: network, source: source, options: job.options, keepsAverage: false)
    let sum = try run.sumOfGradients(layout: WeightsLayout(weights.file), onImages: onEpoch)
    var result = SafetensorsWriter()
    result.add(Self.gradientSumName, shape: [sum.count], int64s: sum)
    try WeightsFile.write(result, path: "\(folder)/\(Self.resultName)")
  }

  /// The result has the tensors of the given weights in their order: the server adds files up position by position.
  private func ordered(_ result: SafetensorsWriter, like weights: SafetensorsFile) throws -> SafetensorsWriter {
    let file = try SafetensorsFile(parsing: result.serialise())
    if let name = file.firstNotFinite() {
      throw TrainingError(
        .diverged, "tensor \"\(name)\" is not finite after round \(job.round)", hint: "lower the learning rate")
    }
    var writer = SafetensorsWriter()
    for entry in weights.entries { writer.add(try file.entry(entry.name)) }
    return writer
  }

  private func write(_ report: RoundReport) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    let path = "\(folder)/\(Self.reportName)"
    do { try FileBytes.write([UInt8](try encoder.encode(report)), path: path) } catch {
      throw TrainingError(.inputOutput, "\(path) cannot be written: \(error)", hint: "make the job folder writable")
    }
  }
}
