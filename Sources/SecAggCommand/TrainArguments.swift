// The flags of `secagg train` in groups, each under YOLOv5's name and with v7.0's default, and what they set.

import ArgumentParser
import CommandLineKit
import Detector
import Foundation

/// What is trained.
struct ModelArguments: ParsableArguments {
  @Option(help: "Weights to start from (.pt of YOLOv5 v7.0, or safetensors). Outputs of other classes begin afresh.") var weights: String?
  @Option(help: "Model for fresh weights: yolov5n, yolov5s, yolov5m, yolov5l, yolov5x, or the path of a model yaml.") var cfg: String?
  @Option(help: "batch; group (each image's own statistics, for privacy by record); or frozen (batch norms that keep their statistics).")
  var norm = NormMode.batch
  @Option(parsing: .upToNextOption, help: "Layers to keep as they are: one number for that many layers from the first on, or a list.")
  var freeze: [Int] = [0]
  @Flag(name: .customLong("noautoanchor"), help: "Keep the model's anchors however they suit the labels.") var noAutoAnchor = false

  /// The path of the weights; YOLOv5 also writes none as an empty text.
  var weightsPath: String? { weights.flatMap { $0.isEmpty ? nil : $0 } }

  /// YOLOv5's reading of the flag: 10 stands for layers 0 to 9, 0 1 2 for these.
  var frozenLayers: [Int] { freeze.count == 1 ? Array(0..<max(freeze[0], 0)) : freeze }

  func validate() throws {
    guard freeze.allSatisfy({ (0...1000).contains($0) }) else { throw ValidationError("--freeze takes numbers of layers from 0 on") }
  }

  func network(classes: Int, seed: UInt64, threads: Int) throws -> Network {
    let kind = norm == .group ? NormKind.group : .batch
    guard let path = weightsPath else {
      return Network(spec: try modelSpec(cfg ?? "", classes: classes, norm: kind), seed: seed, threads: threads)
    }
    let weights = try WeightsFile.read(path)
    var spec = try cfg.flatMap { try $0.isEmpty ? nil : modelSpec($0, classes: classes, norm: kind) }
    // Weights of a model with batch norms start one with group norms: all fits but the statistics.
    if spec == nil, norm == .group, var own = try? ModelSpec.infer(from: weights.file), own.norm == .batch {
      (own.norm, own.classes) = (.group, classes)
      spec = own
    }
    let (network, taken, tensors) = try WeightsFile.network(weights, spec: spec, classes: classes, seed: seed, threads: threads)
    if taken < tensors { Output.note("weights  \(taken) of \(tensors) tensors from \(path), the others afresh") }
    return network
  }
}

/// Hyper-parameters: a file, and flags that override it.
struct HyperArguments: ParsableArguments {
  @Option(help: "Hyper-parameters as YOLOv5's yaml has them; without it the values for training from scratch.") var hyp: String?
  @Option(help: "Learning rate at the start.") var lr0: Double?
  @Option(help: "Learning rate at the end, as a fraction of lr0.") var lrf: Double?
  @Option(help: "Momentum of SGD, or the decay of Adam's and AdamW's mean gradient.") var momentum: Double?
  @Option(help: "Weight decay.") var weightDecay: Double?
  @Option(help: "Epochs of warm-up (at least 100 iterations; 0 for none).") var warmupEpochs: Double?
  @Option(help: "Share of the label's certainty that goes to the other classes.") var labelSmoothing: Double?

  var values: HyperParameters {
    get throws {
      var values = try hyp.map { try HyperParameters(yaml: $0) } ?? HyperParameters()
      if let lr0 { values.learningRate = lr0 }
      if let lrf { values.finalRateFraction = lrf }
      if let momentum { values.momentum = momentum }
      if let weightDecay { values.weightDecay = weightDecay }
      if let warmupEpochs { values.warmupEpochs = warmupEpochs }
      if let labelSmoothing { values.labelSmoothing = labelSmoothing }
      return values
    }
  }
}

/// Which images, and how they come.
struct ImageArguments: ParsableArguments {
  @Flag(help: "Batches of images of one shape: no mosaics, no shuffling.") var rect = false
  @Flag(help: "Decode all images into memory first (--cache ram).") var cache = false
  @Flag(help: "Prefer images of classes that are rare or still found badly.") var imageWeights = false
  @Flag(help: "Vary the size of the images by half, batch by batch.") var multiScale = false
  @Flag(name: .customLong("single-cls"), help: "Take all classes for one.") var singleClass = false
  @Flag(name: .customLong("noaugment"), help: "No random augmentation.") var noAugment = false
  @Option(help: "Threads that load images; how many changes no result.")
  var workers = min(8, max(ProcessInfo.processInfo.activeProcessorCount, 1))

  func apply(to settings: inout TrainingSettings) {
    settings.options.isRectangular = rect
    settings.options.isImageWeighted = imageWeights
    settings.options.isMultiScale = multiScale
    settings.options.isSingleClass = singleClass
    settings.options.isAugmented = !noAugment
    settings.options.workers = workers
    settings.cachesImages = cache
  }
}

/// How long and with what steps.
struct ScheduleArguments: ParsableArguments {
  @Option(help: "Epochs to train.") var epochs = 100
  @Option(help: "Images per optimiser step; smaller batches are accumulated.") var nominalBatch = 64
  @Option(help: "SGD, Adam or AdamW.", transform: Self.optimizer) var optimizer = OptimizerKind.sgd
  @Flag(name: .customLong("cos-lr"), help: "Cosine instead of linear learning rate decay.") var cosine = false
  @Option(parsing: .unconditional, help: "Epochs without a better fitness after which training ends; 0 for never.") var patience = 100
  @Option(help: "Everything random follows from this number.") var seed: UInt64 = 0

  private static func optimizer(_ name: String) throws -> OptimizerKind {
    guard let kind = OptimizerKind(rawValue: name.lowercased()) else { throw ValidationError("the optimizer is SGD, Adam or AdamW") }
    return kind
  }

  func validate() throws {
    guard patience >= 0 else { throw ValidationError("--patience must not be negative") }
  }

  func apply(to settings: inout TrainingSettings) {
    settings.options.epochs = epochs
    settings.options.nominalBatchSize = nominalBatch
    settings.options.optimizer = optimizer
    settings.options.isCosine = cosine
    settings.options.seed = seed
    settings.patience = patience
  }
}

/// Where results go and which there are.
struct RunArguments: ParsableArguments {
  @Flag(help: "Go on with the newest unfinished run of --project, or with the one named.") var resume = false
  @Flag(name: .customLong("nosave"), help: "Write weights after the last epoch only; such a run cannot go on if it breaks.") var noSave =
    false
  @Flag(name: .customLong("noval"), help: "Validate after the last epoch only.") var noValidation = false
  @Flag(name: .customLong("noplots"), help: "Draw no plots.") var noPlots = false
  @Option(help: "Validate every so many epochs, and after the last.") var valPeriod = 1
  @Option(parsing: .unconditional, help: "Keep the weights of every so many epochs; below 1 for none.") var savePeriod = -1
  @Option(help: "Folder of the runs.") var project = "runs/train"
  @Option(help: "Name of this run; a number is appended if it exists.") var name = "exp"
  @Flag(help: "Write into PROJECT/NAME even if it exists.") var existOk = false

  func validate() throws {
    guard valPeriod >= 1 else { throw ValidationError("--val-period must be at least 1") }
  }

  func apply(to settings: inout TrainingSettings) {
    settings.savesLastOnly = noSave
    settings.validatesLastOnly = noValidation
    settings.skipsPlots = noPlots
    settings.validationPeriod = valPeriod
    settings.savePeriod = savePeriod >= 1 ? savePeriod : nil
  }
}

extension NormMode: ExpressibleByArgument {}
extension NormKind: ExpressibleByArgument {}
