// What `secagg train` prints: bars while images are decoded and while it trains, a JSON line an epoch where asked for, and at the end
// the scores of the best weights class by class.

import CommandLineKit
import Detector
import Foundation

/// The console of one run; belongs to one thread.
final class TrainConsole {
  private struct Line: Encodable {
    var epoch: Int
    var boxLoss: Double
    var objectnessLoss: Double
    var classLoss: Double
    var precision: Double?
    var recall: Double?
    var map50: Double?
    var map: Double?
    var seconds: Double
    var imagesPerSecond: Double
    /// Spent so far, where images have privacy.
    var epsilon: Double?

    enum CodingKeys: String, CodingKey {
      case epoch, precision, recall, map50, map, seconds, epsilon
      case boxLoss = "box_loss"
      case objectnessLoss = "obj_loss"
      case classLoss = "cls_loss"
      case imagesPerSecond = "images_per_second"
    }
  }

  private let isJSON: Bool
  private var bar: ProgressBar?
  private var cacheBar: (part: String, bar: ProgressBar)?
  private var epochs = 0
  private var batches = 0
  /// The newest scores, for the bar's remark.
  private var scores = ""
  /// Seconds of training, and how many of them the network waited for images.
  private var (seconds, waitingSeconds) = (0.0, 0.0)
  /// Notes that wait for the bar's end, which they would tear.
  private var waiting: [String] = []
  /// What the session's weights cost now.
  private var epsilon: () -> Double? = { nil }

  init(isJSON: Bool) { self.isJSON = isJSON }

  var observer: TrainingSession.Observer {
    var observer = TrainingSession.Observer()
    observer.note = { [self] text in
      finishCacheBar()
      if bar == nil { Output.note(text) } else { waiting.append(text) }
    }
    observer.onCache = { [self] part, done, total in
      if cacheBar?.part != part { cacheBar = (part, ProgressBar("cache   ", total: total)) }
      cacheBar?.bar.update(done, note: part)
    }
    observer.onBatch = { [self] report in show(report) }
    observer.onEpoch = { [self] report, outcome in try epoch(report, outcome) }
    return observer
  }

  private func finishCacheBar() {
    cacheBar?.bar.finish(note: cacheBar?.part ?? "")
    cacheBar = nil
  }

  func begin(_ session: TrainingSession) {
    let options = session.settings.options
    (epochs, batches) = (options.epochs, session.run.batchesPerEpoch)
    epsilon = { [weak session] in session?.privacyReport?.epsilon }
    Output.note(
      "train    \(session.imageCounts.training) images, \(session.classNames.count) classes, "
        + "\(session.run.network.parameterCount) parameters, \(options.imageSize) px, batch \(options.batchSize), \(epochs) epochs, "
        + "\(options.workers) loading threads")
    if let privacy = options.privacy {
      Output.note(
        "privacy  one image: noise of \(Text.fixed(privacy.noiseMultiplier, 4)) × the clip, each image in a step with probability "
          + "\(privacy.samplingRate), \(privacy.stepsPerEpoch) steps an epoch; the last weights count, no best ones are kept")
    }
    Output.note("kernels  \(BLASSetup.kernels)")
    let again = session.settings.savesLastOnly ? "" : "; after a break: secagg train --resume \(session.folder.path)"
    Output.note("folder   \(session.folder.path)\(again)")
  }

  private func show(_ report: BatchReport) {
    finishCacheBar()
    let bar = self.bar ?? ProgressBar("train   ", total: report.total)
    self.bar = bar
    bar.update(report.done, note: remark(report.epoch))
  }

  private func remark(_ epoch: EpochReport) -> String {
    "epoch \(epoch.epoch + 1)/\(epochs)  box \(Text.fixed(epoch.boxLoss, 4))  obj \(Text.fixed(epoch.objectnessLoss, 4))  "
      + "cls \(Text.fixed(epoch.classLoss, 4))  \(Text.fixed(epoch.imagesPerSecond, 1)) images/s" + scores
  }

  private func epoch(_ report: EpochReport, _ outcome: Validation.Outcome?) throws {
    (seconds, waitingSeconds) = (seconds + report.seconds, waitingSeconds + report.waitingSeconds)
    let found = outcome?.scores
    if let found { scores = "  mAP50 \(Text.fixed(found.map50, 3))  mAP \(Text.fixed(found.map, 3))" }
    guard isJSON else { return }
    try JSONOutput.line(
      Line(
        epoch: report.epoch, boxLoss: report.boxLoss, objectnessLoss: report.objectnessLoss, classLoss: report.classLoss,
        precision: found?.precision, recall: found?.recall, map50: found?.map50, map: found?.map, seconds: report.seconds,
        imagesPerSecond: report.imagesPerSecond, epsilon: epsilon()))
  }

  /// - Parameter best: scores of the best weights.
  func end(_ session: TrainingSession, best: Validation.Outcome) {
    bar?.finish(note: "epoch \(session.epochsDone)/\(epochs)" + scores)
    for text in waiting { Output.note(text) }
    Output.note("loading  waited \(Duration.brief(seconds: waitingSeconds)) of \(Duration.brief(seconds: seconds)) for images")
    for line in ScoresTable.lines(best.scores, names: session.classNames) { isJSON ? Output.note(line) : Output.line(line) }
    Output.note("weights  \(session.folder.lastWeights)")
    if let report = session.privacyReport {
      let epsilon = report.epsilon.map { Text.fixed($0, 4) } ?? "without limit"
      Output.note(
        "privacy  epsilon \(epsilon) at delta \(report.delta) for one image added or removed, for these weights and every step before; "
          + "scores and plots are of your own images and not covered (\(session.folder.privacy))")
    }
    let hasBest = FileManager.default.fileExists(atPath: session.folder.bestWeights)
    let path = hasBest ? session.folder.bestWeights : session.folder.lastWeights
    if hasBest { Output.note("best     \(path)") }
    let flags = "--img \(session.settings.options.imageSize)" + (session.settings.options.isSingleClass ? " --single-cls" : "")
    Output.note("next     secagg val --weights \(path) --data \(session.settings.data) \(flags)")
  }
}
