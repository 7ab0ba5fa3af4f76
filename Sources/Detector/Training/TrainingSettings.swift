// All that decides a run of `secagg train`: what it trains with, and what it does between epochs. It is kept in the run's state, so a
// run that goes on needs no flags, and written as opt.yaml and hyp.yaml, as YOLOv5 does.

import Foundation

/// Settings of a whole run, with v7.0's defaults.
public struct TrainingSettings: Equatable, Sendable, Codable {
  public var options = TrainingOptions()
  /// Path of data.yaml.
  public var data: String
  /// Where the first weights came from; for opt.yaml only.
  public var weights = ""
  public var cfg = ""
  public var hyp = ""
  /// Epochs without a new best fitness after which training ends; 0 for never.
  public var patience = 100
  /// Keep the weights of every so many epochs besides; nil for none.
  public var savePeriod: Int?
  /// Write weights after the last epoch only. Such a run cannot go on if it breaks.
  public var savesLastOnly = false
  /// Validate every so many epochs, and after the last.
  public var validationPeriod = 1
  /// Validate after the last epoch only.
  public var validatesLastOnly = false
  /// Fit anchors where the labels suit the model's badly.
  public var fitsAnchors = true
  /// Decode all images before the first epoch.
  public var cachesImages = false
  /// At which delta the privacy of `options` is stated; 1e-5 where nothing is said.
  public var delta: Double?
  /// Leave plots out.
  public var skipsPlots = false

  public init(data: String) { self.data = data }

  /// - Throws: `TrainingError.badJob` naming the first setting that is out of range.
  public func validate() throws(TrainingError) {
    try options.validate()
    guard patience >= 0, validationPeriod >= 1, savePeriod ?? 1 >= 1 else {
      throw TrainingError(
        .badJob, "patience must not be negative, and periods must be at least 1", hint: "leave the option out for its default")
    }
    guard options.privacy == nil || !fitsAnchors else {
      throw TrainingError(.badJob, "privacy by record: fitted anchors depend on all images", hint: "leave the anchors as they are")
    }
  }

  /// True if `epoch` of `epochs` is validated, apart from a run that ends early.
  func validates(epoch: Int) -> Bool {
    epoch + 1 == options.epochs || (!validatesLastOnly && (epoch + 1).isMultiple(of: validationPeriod))
  }

  /// `opt.yaml` under YOLOv5's names, then this program's own.
  func optYAML(folder: RunFolder) -> String {
    func text(_ value: String) -> String { "'" + value.replacingOccurrences(of: "'", with: "''") + "'" }
    var lines = [
      "weights: \(text(weights))", "cfg: \(text(cfg))", "data: \(text(data))", "hyp:",
    ]
    lines += options.hyper.yaml.split(separator: "\n").map { "  \($0)" }
    let optimizer = [OptimizerKind.sgd: "SGD", .adam: "Adam", .adamW: "AdamW"][options.optimizer] ?? ""
    lines += [
      "epochs: \(options.epochs)", "batch_size: \(options.batchSize)", "imgsz: \(options.imageSize)", "rect: \(options.isRectangular)",
      "resume: false", "nosave: \(savesLastOnly)", "noval: \(validatesLastOnly)", "noautoanchor: \(!fitsAnchors)",
      "noplots: \(skipsPlots)", "evolve: null", "cache: \(cachesImages ? "ram" : "null")", "image_weights: \(options.isImageWeighted)",
      "multi_scale: \(options.isMultiScale)", "single_cls: \(options.isSingleClass)", "optimizer: \(optimizer)",
      "workers: \(options.workers)", "project: \(text(folder.project))", "name: \(text(folder.name))", "quad: false",
      "cos_lr: \(options.isCosine)", "label_smoothing: \(HyperParameters.text(options.hyper.labelSmoothing))", "patience: \(patience)",
      "freeze:",
    ]
    lines += (options.frozenLayers.isEmpty ? [0] : options.frozenLayers).map { "- \($0)" }
    lines += [
      "save_period: \(savePeriod ?? -1)", "seed: \(options.seed)", "save_dir: \(text(folder.path))", "noaugment: \(!options.isAugmented)",
      "val_period: \(validationPeriod)", "norm: \(options.norm.rawValue)", "nominal_batch: \(options.nominalBatchSize)",
      "threads: \(options.threads)",
    ]
    if let privacy = options.privacy {
      lines += [
        "dp_clip: \(HyperParameters.text(privacy.clip))", "dp_noise_multiplier: \(privacy.noiseMultiplier)",
        "dp_sampling_rate: \(privacy.samplingRate)", "dp_lot_size: \(privacy.lotSize)",
      ]
      if let quantile = privacy.clipQuantile { lines.append("dp_clip_quantile: \(quantile)") }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
