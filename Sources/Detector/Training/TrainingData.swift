// The two data sets of a run, opened and checked together, and the anchors that suit them.

import Foundation

struct TrainingData {
  let training: DatasetTrainingSource
  let validationSource: DatasetValidationSource
  let validation: Validation

  /// - Throws: `DataError` or `TrainingError` where either has nothing to offer.
  init(_ settings: TrainingSettings) throws {
    let options = settings.options
    let bytes = settings.cachesImages ? max(MemoryBudget.cacheBytes, ImageStore.cacheBytesStandard) : ImageStore.cacheBytesStandard
    training = try DatasetTrainingSource(data: settings.data, options: options, cacheBytesMax: bytes)
    // Both caches share what is free: the training images take what they need first.
    let trainingBytes = training.imageCount * options.imageSize * options.imageSize * 3
    validationSource = try DatasetValidationSource(
      data: settings.data, imageSize: options.imageSize, isSingleClass: options.isSingleClass,
      cacheBytesMax: settings.cachesImages ? max(bytes - min(trainingBytes, bytes), 0) : bytes)
    var validation = try Validation(source: validationSource, imageSize: options.imageSize, batchSize: options.batchSize)
    validation.hyper = options.hyper
    validation.workers = options.workers
    self.validation = validation
  }

  /// Checks the network's anchors against the training labels and replaces them where others fit better.
  /// - Throws: `TrainingError` where the hyper-parameters ask for another number of anchors than the network has.
  func fitAnchors(of network: Network, _ settings: TrainingSettings, note: (String) -> Void) throws {
    let hyper = settings.options.hyper
    let perLevel = network.anchors.first?.count ?? 0
    if let wanted = hyper.anchors, wanted != perLevel {
      throw TrainingError(
        .badJob, "anchors is \(wanted), but the model has \(perLevel) anchors a level", hint: "set anchors: \(perLevel), or leave it out")
    }
    let check = AutoAnchor(
      dataset: training.dataset, sizes: try training.dataset.sizes(), imageSize: settings.options.imageSize,
      ratioMax: hyper.anchorRatioMax, seed: settings.options.seed)
    guard !check.boxes.isEmpty else { return note("anchors  no labels to check them against") }
    let present = zip(network.anchors, network.strides).map { level, stride in level.map { $0 * Float(stride) } }
    let outcome = check.run(present, isForced: hyper.anchors != nil)
    let old = Self.text(outcome.before)
    if let anchors = outcome.anchors, let after = outcome.after {
      network.anchors = zip(anchors, network.strides).map { level, stride in level.map { $0 / Float(stride) } }
      let sizes = anchors.flatMap { $0 }.map { "\(Int($0.x.rounded())),\(Int($0.y.rounded()))" }.joined(separator: " ")
      note("anchors  \(old); new ones: \(Self.text(after)): \(sizes)")
    } else if let after = outcome.after {
      note("anchors  \(old); the best found, \(Self.text(after)), are no better: the old ones stay")
    } else {
      note("anchors  \(old)" + (outcome.before.recall > AutoAnchor.recallEnough ? "" : "; too few boxes to fit others"))
    }
  }

  private static func text(_ fit: AnchorFit) -> String {
    String(format: "best possible recall %.4f with %.2f anchors a box", fit.recall, fit.anchorsPerBox)
  }
}
