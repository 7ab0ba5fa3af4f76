// `secagg val`: scores weights on the validation images of a data.yaml, the way YOLOv5's val.py does.

import ArgumentParser
import CommandLineKit
import Detector

struct Val: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "val", abstract: "Score weights on the validation images of a data.yaml.")

  @Option(help: "Path of data.yaml.") var data: String
  @Option(help: "Weights to score (safetensors).") var weights: String
  @OptionGroup var input: InputArguments
  @Option(help: "Detections must be more confident than this.") var confThres: Float = 0.001
  @Option(help: "Overlap above which the less confident of two boxes is dropped.") var iouThres: Float = 0.6
  @Option(help: "Detections per image at most.") var maxDet = 300

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
    let source = try DatasetValidationSource(data: data, imageSize: input.imageSize)
    var validation = try Validation(source: source, imageSize: input.imageSize, batchSize: input.batchSize)
    validation.suppression.confidenceMin = confThres
    validation.suppression.iouMax = iouThres
    validation.suppression.detectionsMax = maxDet
    let bar = ProgressBar("val     ", total: validation.batchCount)
    let outcome = try validation.run(network) { done, _ in bar.update(done) }
    bar.finish()
    let report = Self.report(outcome, names: source.dataset.names)
    if input.json { try JSONOutput.object(report) } else { Self.show(report) }
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

  private static func show(_ report: Report) {
    var table = Table([
      .init("class"), .init("labels", .right), .init("P", .right), .init("R", .right), .init("mAP50", .right),
      .init("mAP50-95", .right),
    ])
    func cells(_ name: String, _ labels: Int, _ values: [Double]) -> [String] {
      [name, "\(labels)"] + values.map { Text.fixed($0, 3) }
    }
    table.add(cells("all", report.labels, [report.precision, report.recall, report.map50, report.map]))
    for row in report.perClass {
      table.add(cells(row.name, row.labels, [row.precision, row.recall, row.map50, row.map]))
    }
    for line in table.rendered() { Output.line(line) }
  }
}
