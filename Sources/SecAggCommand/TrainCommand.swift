// `secagg train`: trains a detector on one data set, with YOLOv5's flag names, run folders and results.csv.
// The weights that are validated and saved are the running average, as in YOLOv5.

import ArgumentParser
import CommandLineKit
import Detector
import Foundation
import Safetensors

/// Image and batch size, spelt as in YOLOv5.
struct InputArguments: ParsableArguments {
  @Option(
    name: [.customLong("img"), .customLong("imgsz"), .customLong("img-size")],
    help: "Long side of the network's input in pixels, a multiple of 32.")
  var imageSize = 640

  @Option(help: "Images in a batch.")
  var batchSize = 16

  @Option(help: "Threads of the network; loading has one more.")
  var threads = min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 16)

  @Flag(help: "Print results as JSON on standard output.")
  var json = false
}

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a detector on the images of a data.yaml.",
    discussion: """
      Start from --weights, or from fresh weights of --cfg. Results go to PROJECT/NAME: weights/last.safetensors, \
      weights/best.safetensors and results.csv.
      """)

  @Option(help: "Path of data.yaml.") var data: String
  @Option(help: "Weights to start from (safetensors).") var weights: String?
  @Option(help: "Model for fresh weights: yolov5n, yolov5s, yolov5m, yolov5l or yolov5x.") var cfg: String?
  @OptionGroup var input: InputArguments
  @Option(help: "Epochs to train.") var epochs = 100
  @Option(help: "Images per optimiser step; smaller batches are accumulated.") var nominalBatch = 64
  @Option(help: "SGD or AdamW.", transform: Train.optimizer) var optimizer = OptimizerKind.sgd
  @Option(help: "Learning rate at the start.") var lr0 = 0.01
  @Option(help: "Learning rate at the end, as a fraction of lr0.") var lrf = 0.01
  @Option(help: "Momentum of SGD, or AdamW's decay of the mean gradient.") var momentum = 0.937
  @Option(help: "Weight decay.") var weightDecay = 0.0005
  @Option(help: "Epochs of warm-up (at least 100 iterations; 0 for none).") var warmupEpochs = 3.0
  @Flag(name: .customLong("cos-lr"), help: "Cosine instead of linear learning rate decay.") var cosine = false
  @Flag(name: .customLong("noaugment"), help: "No random augmentation.") var noAugment = false
  @Option(help: "Everything random follows from this number.") var seed: UInt64 = 0
  @Option(help: "Validate every so many epochs, and after the last.") var valPeriod = 1
  @Option(help: "Folder of the runs.") var project = "runs/train"
  @Option(help: "Name of this run; a number is appended if it exists.") var name = "exp"
  @Flag(help: "Write into PROJECT/NAME even if it exists.") var existOk = false

  private static func optimizer(_ name: String) throws -> OptimizerKind {
    guard let kind = OptimizerKind(rawValue: name.lowercased()) else { throw ValidationError("the optimizer is SGD or AdamW") }
    return kind
  }

  func validate() throws {
    guard weights != nil || cfg != nil else { throw ValidationError("give --weights FILE or --cfg yolov5n") }
    guard valPeriod >= 1 else { throw ValidationError("--val-period must be at least 1") }
  }

  private var options: TrainingOptions {
    var options = TrainingOptions()
    options.imageSize = input.imageSize
    options.batchSize = input.batchSize
    options.threads = input.threads
    options.epochs = epochs
    options.nominalBatchSize = nominalBatch
    options.optimizer = optimizer
    options.hyper.learningRate = lr0
    options.hyper.momentum = momentum
    options.hyper.weightDecay = weightDecay
    options.hyper.finalRateFraction = lrf
    options.hyper.warmupEpochs = warmupEpochs
    options.isCosine = cosine
    options.isAugmented = !noAugment
    options.seed = seed
    return options
  }

  func run() throws {
    let options = options
    try options.validate()
    let source = try DatasetTrainingSource(data: data, options: options)
    let validation = try Validation(
      source: try DatasetValidationSource(data: data, imageSize: options.imageSize), imageSize: options.imageSize,
      batchSize: options.batchSize)
    let network = try makeNetwork(classes: source.classCount)
    let run = try TrainingRun(network: network, source: source, options: options, keepsAverage: true)
    let folder = try RunFolder(project: project, name: name, isReusing: existOk)
    Output.note(
      "train    \(source.imageCount) images, \(source.classCount) classes, \(network.parameterCount) parameters, "
        + "\(options.imageSize) px, batch \(options.batchSize), \(epochs) epochs")
    Output.note("kernels  \(BLASSetup.kernels)")
    var recorder = EpochRecorder(folder: folder, classNames: source.dataset.names, epochs: epochs, isJSON: input.json)
    let bar = ProgressBar("train   ", total: epochs * run.batchesPerEpoch)
    try run.train(
      epochs: epochs, onBatch: { done, _ in bar.update(done, note: recorder.note) },
      onEpoch: { report in
        let isValidated = (report.epoch + 1).isMultiple(of: valPeriod) || report.epoch + 1 == epochs
        try run.withAverage {
          try recorder.record(report, isValidated ? try validation.run(network) : nil, network)
        }
      })
    bar.finish(note: recorder.note)
    Output.note("weights  \(folder.lastWeights)")
    Output.note("best     \(folder.bestWeights)")
    Output.note("next     secagg val --weights \(folder.bestWeights) --data \(data) --img \(options.imageSize)")
  }

  private func makeNetwork(classes: Int) throws -> Network {
    if let weights { return try WeightsFile.network(try WeightsFile.read(weights), threads: input.threads) }
    return Network(spec: try modelSpec(cfg ?? "", classes: classes), seed: seed, threads: input.threads)
  }
}

/// The model of a `--cfg` flag.
func modelSpec(_ name: String, classes: Int) throws -> ModelSpec {
  guard let spec = ModelSpec.named(name, classes: classes) else {
    throw CommandError(
      code: "CL-03", what: "--cfg \(name) is no model that this program knows",
      hint: "use yolov5n, yolov5s, yolov5m, yolov5l or yolov5x", exit: .usage)
  }
  return spec
}

/// Writes what each epoch gave: weights, a row of results.csv, and a JSON line if asked for.
private struct EpochRecorder {
  struct Line: Encodable {
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

    enum CodingKeys: String, CodingKey {
      case epoch, precision, recall, map50, map, seconds
      case boxLoss = "box_loss"
      case objectnessLoss = "obj_loss"
      case classLoss = "cls_loss"
      case imagesPerSecond = "images_per_second"
    }
  }

  let folder: RunFolder
  let classNames: [String]
  let epochs: Int
  let isJSON: Bool
  private(set) var note = ""
  private var table: ResultsTable
  private var bestFitness = -1.0

  init(folder: RunFolder, classNames: [String], epochs: Int, isJSON: Bool) {
    self.folder = folder
    self.classNames = classNames
    self.epochs = epochs
    self.isJSON = isJSON
    table = ResultsTable(path: folder.results)
  }

  mutating func record(_ epoch: EpochReport, _ outcome: Validation.Outcome?, _ network: Network) throws {
    let file = network.safetensors(metadata: ["names": classNames.joined(separator: "\n"), "epoch": "\(epoch.epoch)"])
    try WeightsFile.write(file, path: folder.lastWeights)
    if let fitness = outcome?.scores.fitness, fitness > bestFitness {
      bestFitness = fitness
      try WeightsFile.write(file, path: folder.bestWeights)
    }
    try table.add(epoch, outcome)
    let scores = outcome?.scores
    if isJSON {
      try JSONOutput.line(
        Line(
          epoch: epoch.epoch, boxLoss: epoch.boxLoss, objectnessLoss: epoch.objectnessLoss, classLoss: epoch.classLoss,
          precision: scores?.precision, recall: scores?.recall, map50: scores?.map50, map: scores?.map,
          seconds: epoch.seconds, imagesPerSecond: epoch.imagesPerSecond))
    }
    note = "epoch \(epoch.epoch + 1)/\(epochs)"
    if let scores { note += "  mAP50 \(Text.fixed(scores.map50, 3))  mAP \(Text.fixed(scores.map, 3))" }
  }
}
