// `secagg val`: scores weights on the images of a data.yaml, the way YOLOv5's val.py does, and leaves what it leaves: curves, the confusion
// matrix, pictures of the first images; label files and COCO results where asked for.

import ArgumentParser
import CommandLineKit
import Detector
import Foundation

struct Val: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "val", abstract: "Score weights on the validation images of a data.yaml.",
    discussion: "Curves, the confusion matrix and whatever else is asked for go to PROJECT/NAME.")

  @Option(help: "Path of data.yaml.") var data: String
  @Option(help: "Weights to score (.pt of YOLOv5 v7.0, or safetensors).") var weights: String
  @Option(help: "Which images to score: train, val or test.") var task = Dataset.Split.val
  @OptionGroup var input: InputArguments
  @Option(help: "Detections must be more confident than this.") var confThres: Float = 0.001
  @Option(help: "Overlap above which the less confident of two boxes is dropped.") var iouThres: Float = 0.6
  @Option(help: "Detections per image at most.") var maxDet = 300
  @Flag(name: .customLong("single-cls"), help: "Take all classes for one.") var singleClass = false
  @Flag(help: "Write a label file for each image: class x y w h.") var saveTxt = false
  @Flag(help: "Add the confidence to each row of the label files.") var saveConf = false
  @Flag(help: "Write the detections in COCO's form.") var saveJson = false
  @Flag(help: "Draw no curves and pictures.") var noplots = false
  @Option(help: "Folder of the runs.") var project = "runs/val"
  @Option(help: "Name of this run; a number is appended if it exists.") var name = "exp"
  @Flag(help: "Write into PROJECT/NAME even if it exists.") var existOk = false

  func validate() throws {
    guard (0...1).contains(confThres), (0...1).contains(iouThres), (1...30_000).contains(maxDet) else {
      throw ValidationError("--conf-thres and --iou-thres lie in 0...1, --max-det in 1...30000")
    }
    guard TrainingOptions.threadsRange.contains(input.threads) else {
      throw ValidationError("--threads must be from 1 to 256")
    }
  }

  struct Report: Encodable {
    struct ClassReport: Encodable {
      var `class`: Int
      var name: String
      var labels: Int
      var precision: Double
      var recall: Double
      var map50: Double
      var map: Double
    }
    var precision: Double
    var recall: Double
    var map50: Double
    var map: Double
    var perClass: [ClassReport]
    var images: Int
    var labels: Int
    var seconds: Double

    enum CodingKeys: String, CodingKey {
      case precision, recall, map50, map, images, labels, seconds
      case perClass = "per_class"
    }
  }

  func run() throws {
    let network = try WeightsFile.network(try WeightsFile.read(weights), threads: input.threads)
    let source = try DatasetValidationSource(data: data, imageSize: input.imageSize, split: task, isSingleClass: singleClass)
    var validation = try Validation(source: source, imageSize: input.imageSize, batchSize: input.batchSize)
    validation.suppression.confidenceMin = confThres
    validation.suppression.iouMax = iouThres
    validation.suppression.detectionsMax = maxDet
    let files = try saveTxt || saveJson || !noplots ? ResultFiles(self, source.dataset) : nil
    var shown: [Validation.Finding] = []
    let bar = ProgressBar("val     ", total: validation.batchCount)
    let outcome = try validation.run(
      network,
      onImage: {
        try files?.add($0)
        if shown.count < BatchPicture.imagesMax { shown.append($0) }
      }, onBatch: { done, _ in bar.update(done) })
    bar.finish()
    try files?.finish()
    if let files, !noplots {
      let figures = RunFigures(folder: files.folder.path, names: source.dataset.names)
      try figures.write(outcome.curves)
      try figures.write(outcome.confusion)
      try RunPictures(folder: files.folder.path, names: source.dataset.names).write(shown, paths: source.dataset.imagePaths)
    }
    if input.json {
      try JSONOutput.object(Self.report(outcome, names: source.dataset.names))
    } else {
      for line in ScoresTable.lines(outcome.scores, names: source.dataset.names) { Output.line(line) }
    }
    if let files { Output.note("results  \(files.folder.path)") }
  }

  private static func report(_ outcome: Validation.Outcome, names: [String]) -> Report {
    let scores = outcome.scores
    let classes = scores.classes.map { found in
      Report.ClassReport(
        class: found.classIndex, name: names[found.classIndex], labels: found.labels, precision: found.precision,
        recall: found.recall, map50: found.map50, map: found.map)
    }
    return Report(
      precision: scores.precision, recall: scores.recall, map50: scores.map50, map: scores.map, perClass: classes,
      images: outcome.images, labels: classes.reduce(0) { $0 + $1.labels }, seconds: outcome.seconds)
  }

  /// What the run leaves image by image.
  private struct ResultFiles {
    let folder: RunFolder
    private let stems: [String]
    private let rows: LabelRows?
    private let results: COCOResults?

    init(_ command: Val, _ dataset: Dataset) throws {
      folder = try RunFolder(
        project: command.project, name: command.name, isReusing: command.existOk, folders: command.saveTxt ? ["labels"] : [])
      stems = ImageFiles.stems(dataset.imagePaths)
      rows = command.saveTxt ? LabelRows(isConfident: command.saveConf) : nil
      let stem = ((command.weights as NSString).lastPathComponent as NSString).deletingPathExtension
      results = try command.saveJson ? COCOResults(path: "\(folder.path)/\(stem)_predictions.json") : nil
    }

    func add(_ finding: Validation.Finding) throws {
      let stem = stems[finding.image]
      try rows?.write(finding.detections, width: finding.width, height: finding.height, path: "\(folder.path)/labels/\(stem).txt")
      try results?.add(finding.detections, stem: stem)
    }

    func finish() throws { try results?.finish() }
  }
}

extension Dataset.Split: ExpressibleByArgument {}
