// A whole run as `secagg train` does it: anchors, cache, epochs, validation, weights, results.csv, early end, and a state after each
// epoch from which the run goes on if it breaks. Invariant: whatever happens between two states is the same when it is done again, so a
// run that was interrupted ends with the same bytes as one that was not.

import Foundation
import Safetensors

/// One run in one folder; belongs to one thread.
public final class TrainingSession {
  /// What the session tells while it works; every part may stay silent.
  public struct Observer {
    /// Something worth a line: what was checked, chosen, skipped.
    public var note: (String) -> Void = { _ in }
    /// Images of a part of the data set ("train", "val") that are decoded, of how many.
    public var onCache: (_ part: String, _ done: Int, _ total: Int) -> Void = { _, _, _ in }
    public var onBatch: (BatchReport) -> Void = { _ in }
    public var onEpoch: (EpochReport, Validation.Outcome?) throws -> Void = { _, _ in }

    public init() {}
  }

  /// What the state holds besides the run's own.
  struct Memory: Codable, Equatable {
    var settings: TrainingSettings
    var bestFitness = -1.0
    var stopping: EarlyStopping
    var rows: [String] = []
    var images: Int
  }

  public let folder: RunFolder
  public let run: TrainingRun
  public let classNames: [String]
  /// Training and validation images.
  public let imageCounts: (training: Int, validation: Int)
  public var settings: TrainingSettings { memory.settings }
  /// Epochs done.
  public var epochsDone: Int { run.nextEpoch }

  private let observer: Observer
  private let source: DatasetTrainingSource
  private let validationSource: DatasetValidationSource
  private let validation: Validation
  private var memory: Memory
  /// Scores of the best weights, where this process has measured them.
  private var best: Validation.Outcome?

  /// A new run.
  /// - Parameters:
  ///   - folder: made once the data is known to be usable.
  ///   - network: called with the number of classes.
  public convenience init(
    _ settings: TrainingSettings, observer: Observer = Observer(), folder: () throws -> RunFolder, network: (Int) throws -> Network
  ) throws {
    try settings.validate()
    let data = try TrainingData(settings)
    let network = try network(data.training.classCount)
    if settings.fitsAnchors || settings.options.hyper.anchors != nil { try data.fitAnchors(of: network, settings, note: observer.note) }
    let run = try TrainingRun(network: network, source: data.training, options: settings.options, keepsAverage: true)
    let memory = Memory(settings: settings, stopping: EarlyStopping(patience: settings.patience), images: data.training.imageCount)
    try self.init(run, data, memory, folder: folder(), observer)
    try writeOptions()
  }

  /// Goes on with the run whose state is at `path`.
  /// - Throws: `TrainingError` if there is no such state, it is damaged, or the data set is another one now.
  public convenience init(resuming path: String, observer: Observer = Observer()) throws {
    let checkpoint = try TrainingCheckpoint(path: path)
    let memory = try checkpoint.session(Memory.self)
    try memory.settings.validate()
    let data = try TrainingData(memory.settings)
    guard data.training.imageCount == memory.images else {
      throw TrainingError(
        .unsuitableData, "\(memory.settings.data): \(data.training.imageCount) training images, and the run began with \(memory.images)",
        hint: "restore the data set, or start a new run")
    }
    let network = try checkpoint.network(threads: memory.settings.options.threads)
    let run = try TrainingRun(network: network, source: data.training, options: memory.settings.options, keepsAverage: true)
    try checkpoint.restore(into: run)
    try self.init(run, data, memory, folder: RunFolder(ofState: path), observer)
  }

  private init(_ run: TrainingRun, _ data: TrainingData, _ memory: Memory, folder: RunFolder, _ observer: Observer) throws {
    (self.run, self.memory, self.folder, self.observer) = (run, memory, folder, observer)
    (source, validationSource, validation) = (data.training.padded(to: run.network.sizeMultiple), data.validationSource, data.validation)
    classNames = data.training.dataset.names
    imageCounts = (data.training.imageCount, data.validationSource.imageCount)
  }

  /// Labels of the training images, by image.
  public var labels: [[Label]] { source.dataset.labels }

  /// A batch as the first epoch trains on it: pictures, boxes in their pixels, the names of the files that the samples stand for.
  public func firstBatch(count: Int) throws -> [(image: RGBImage, boxes: [LabelledBox], name: String)] {
    let images = Array(0..<min(count, source.imageCount))
    let batch = try source.batch(images: images, epoch: 0)
    let (width, height) = (batch.images.width, batch.images.height)
    return images.map { number in
      let pixels = batch.images.pixels[(number * width * height * 3)..<((number + 1) * width * height * 3)]
      let image = RGBImage(width: width, height: height, pixels: pixels.map { UInt8(($0 * 255).rounded()) })
      let boxes = batch.targets.filter { $0.image == number }.map { target in
        let (centre, half) = (SIMD2(target.x, target.y), SIMD2(target.w, target.h) / 2)
        let size = SIMD2(Float(width), Float(height))
        return LabelledBox(box: SIMD4(lowHalf: (centre - half) * size, highHalf: (centre + half) * size), classIndex: target.classIndex)
      }
      return (image, boxes, (source.dataset.imagePaths[number] as NSString).lastPathComponent)
    }
  }

  /// Trains to the end.
  /// - Returns: scores of the best weights.
  public func train() throws -> Validation.Outcome {
    if settings.cachesImages { try cache() }
    try run.train(epochs: settings.options.epochs - run.nextEpoch, onBatch: observer.onBatch) { try finish($0) }
    return try scoresOfBest()
  }

  private func cache() throws {
    for (part, store) in [("train", source.store), ("val", validationSource.store)] {
      let total = store.dataset.count
      let kept = try store.preload(workers: settings.options.workers) { observer.onCache(part, $0, total) }
      let size = String(format: "%.2f GiB", Double(store.cachedBytes) / Double(1 << 30))
      observer.note(
        kept == total
          ? "cache    \(part): \(total) images in \(size)"
          : "cache    \(part): \(kept) of \(total) images fit into memory (\(size)); the others are decoded when they are needed")
    }
  }

  /// What follows an epoch of training.
  private func finish(_ report: EpochReport) throws {
    var isLast = report.epoch + 1 == settings.options.epochs
    let outcome = settings.validates(epoch: report.epoch) ? try run.withAverage { try validation.run(run.network) } : nil
    if let scores = outcome?.scores {
      run.classScores = scores.map(classes: classNames.count)
      if settings.options.privacy == nil, memory.stopping.ends(epoch: report.epoch, fitness: scores.fitness), !isLast {
        isLast = true
        run.stop()
        observer.note(
          "stop     no better fitness for \(memory.stopping.patience) epochs; the best was epoch \(memory.stopping.bestEpoch + 1)")
      }
    }
    try writeWeights(report, outcome, isLast: isLast)
    try privacyReport?.write(path: folder.privacy)
    var table = ResultsTable(path: folder.results, rows: memory.rows)
    try table.add(report, outcome)
    memory.rows = table.rows
    if isLast {
      // The state is worth nothing any more: best and last hold weights only, as v7.0 leaves them.
      try? FileManager.default.removeItem(atPath: folder.state)
    } else if !settings.savesLastOnly {
      try TrainingCheckpoint.write(run, session: memory, metadata: metadata(report.epoch), path: folder.state)
    }
    try observer.onEpoch(report, outcome)
  }

  /// What the weights as they are now cost in privacy; nil for a run without.
  public var privacyReport: RecordPrivacyReport? {
    run.mechanism.map { RecordPrivacyReport($0, settings, steps: run.nextEpoch * run.batchesPerEpoch) }
  }

  private func metadata(_ epoch: Int) -> [String: String] { ["names": classNames.joined(separator: "\n"), "epoch": "\(epoch)"] }

  private func writeWeights(_ report: EpochReport, _ outcome: Validation.Outcome?, isLast: Bool) throws {
    // Which epoch is the best depends on every validation image: with privacy the last weights are what a run gives.
    let isBest = settings.options.privacy != nil ? false : outcome.map { $0.scores.fitness > memory.bestFitness } ?? false
    if isBest, let outcome { (memory.bestFitness, best) = (outcome.scores.fitness, outcome) }
    let isKept = settings.savePeriod.map { report.epoch.isMultiple(of: $0) } ?? false
    guard isLast || !settings.savesLastOnly else { return }
    let file = run.withAverage { run.network.safetensors(metadata: metadata(report.epoch)) }
    try WeightsFile.write(file, path: folder.lastWeights)
    if isBest { try WeightsFile.write(file, path: folder.bestWeights) }
    if isKept { try WeightsFile.write(file, path: folder.weights(epoch: report.epoch)) }
  }

  private func scoresOfBest() throws -> Validation.Outcome {
    // Without weights of a better epoch, the last ones are the best there are.
    let path = FileManager.default.fileExists(atPath: folder.bestWeights) ? folder.bestWeights : folder.lastWeights
    if let best, path == folder.bestWeights { return best }
    return try validation.run(WeightsFile.network(WeightsFile.read(path), threads: settings.options.threads))
  }

  private func writeOptions() throws(TrainingError) {
    for (path, text) in [(folder.options, settings.optYAML(folder: folder)), (folder.hyperParameters, settings.options.hyper.yaml)] {
      do { try FileBytes.write(Array(text.utf8), path: path) } catch {
        throw TrainingError(.inputOutput, error.reason, hint: "check the folder, its permissions, and free space")
      }
    }
  }
}

extension DetectionScores {
  /// Mean average precision by class index; the mean of all where a class has no labels, as v7.0 counts them.
  func map(classes count: Int) -> [Double] {
    var values = [Double](repeating: map, count: count)
    for found in classes where found.classIndex < count { values[found.classIndex] = found.map }
    return values
  }
}
