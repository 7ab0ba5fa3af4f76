// How a run was trained, read back from its folder: opt.yaml and hyp.yaml as `TrainingSettings.optYAML` writes them, and what privacy.json
// says. Enough to train the recipe once more.

import Foundation
import Yams

extension RunFolder {
  /// - Throws: `TrainingError` where there is no folder of a run.
  public init(existing path: String) throws(TrainingError) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.init(known: path)
    guard FileManager.default.fileExists(atPath: options) else {
      throw TrainingError(.inputOutput, "\(path) is no folder of a run: it has no opt.yaml", hint: "name a folder that secagg train made")
    }
  }
}

extension TrainingSettings {
  /// - Throws: `TrainingError.badHyperParameters` for files that `secagg train` has not written.
  public init(ofRun folder: RunFolder, _ privacy: RecordPrivacyReport) throws(TrainingError) {
    guard let data = FileManager.default.contents(atPath: folder.options), data.count < 1 << 20,
      let values = (try? YAMLText.mapping(String(decoding: data, as: UTF8.self))) ?? nil
    else { throw Self.unreadable(folder, "it is no yaml") }
    func text(_ key: String) throws(TrainingError) -> String {
      guard let value = values[Node(key)]?.string else { throw Self.unreadable(folder, "\(key) is missing") }
      return value
    }
    func integer(_ key: String) throws(TrainingError) -> Int {
      guard let value = Int(try text(key)) else { throw Self.unreadable(folder, "\(key) is no whole number") }
      return value
    }
    func flag(_ key: String) throws(TrainingError) -> Bool { try text(key) == "true" }
    self.init(data: try text("data"))
    (weights, cfg) = (try text("weights"), try text("cfg"))
    options.hyper = try HyperParameters(yaml: folder.hyperParameters)
    options.epochs = try integer("epochs")
    options.batchSize = try integer("batch_size")
    options.imageSize = try integer("imgsz")
    options.isSingleClass = try flag("single_cls")
    options.isCosine = try flag("cos_lr")
    options.isAugmented = try !flag("noaugment")
    options.seed = UInt64(try text("seed")) ?? 0
    guard let optimizer = OptimizerKind(rawValue: try text("optimizer").lowercased()), let norm = NormMode(rawValue: try text("norm"))
    else {
      throw Self.unreadable(folder, "another optimizer or norm")
    }
    (options.optimizer, options.norm) = (optimizer, norm)
    let frozen = values[Node("freeze")]?.sequence?.compactMap(\.int) ?? []
    options.frozenLayers = frozen == [0] ? [] : frozen
    fitsAnchors = false
    delta = privacy.delta
    options.privacy = RecordPrivacy(
      clip: privacy.clip, clipQuantile: privacy.clipQuantile, noiseMultiplier: privacy.noiseMultiplier,
      samplingRate: privacy.samplingRate, lotSize: privacy.lotSize)
    try validate()
  }

  private static func unreadable(_ folder: RunFolder, _ reason: String) -> TrainingError {
    TrainingError(
      .badHyperParameters, "\(folder.options) cannot be read back: \(reason)", hint: "name a folder that this version of secagg train made")
  }
}
