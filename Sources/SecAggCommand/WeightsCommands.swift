// `secagg init-weights` makes fresh weights that all sites start from; `secagg inspect` says what a weights file holds.

import ArgumentParser
import CommandLineKit
import Detector
import Federation
import Foundation
import Safetensors

struct InitWeights: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init-weights", abstract: "Write fresh weights, the same bytes for the same seed.")

  @Option(help: "Model: yolov5n, yolov5s, yolov5m, yolov5l, yolov5x, or the path of a model yaml.") var cfg = "yolov5n"
  @Option(help: "batch, or group (each image's own statistics, for privacy by record).") var norm = NormKind.batch
  @Option(help: "Number of classes.") var classes: Int
  @Option(help: "Everything random follows from this number.") var seed: UInt64 = 0
  @Option(help: "File to write (safetensors).") var out: String

  func validate() throws {
    guard (1...10_000).contains(classes) else { throw ValidationError("--classes must be from 1 to 10000") }
  }

  func run() throws {
    let network = Network(spec: try modelSpec(cfg, classes: classes, norm: norm), seed: seed, threads: 1)
    try WeightsFile.write(network.safetensors(), path: out)
    Output.note("weights  \(out): \(cfg), \(classes) classes, \(network.parameterCount) parameters")
  }
}

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Say what a weights file holds: model, tensors, metadata.")

  @Argument(help: "Weights file (.pt of YOLOv5 v7.0, or safetensors).") var file: String
  @Flag(help: "Print the result as JSON on standard output.") var json = false
  @Flag(help: "List every tensor.") var tensors = false

  struct Report: Encodable {
    struct Tensor: Encodable {
      var name: String
      var type: String
      var shape: [Int]
    }
    struct Model: Encodable {
      /// yolov5n to yolov5x where it is one of them.
      var name: String?
      var task: String
      var depth: Double
      var width: Double
      var classes: Int
      var names: [String]
      var norm: String
      /// Learnable values.
      var parameters: Int
      /// Input pixels per cell of each level, and its anchors as width and height in pixels.
      var strides: [Int]
      var anchors: [[[Float]]]

      init(_ spec: ModelSpec, names: [String]) {
        name = ModelSpec.name(of: spec)
        (task, depth, width, classes, self.names) = (spec.task.rawValue, spec.depth, spec.width, spec.classes, names)
        (norm, parameters, strides) = (spec.norm.rawValue, spec.parameterCount, spec.strides)
        anchors = spec.task == .classify ? [] : spec.anchors.map { $0.map { [$0.x, $0.y] } }
      }
    }
    var file: String
    var bytes: Int
    var tensors: [Tensor]
    var values: Int
    var metadata: [String: String]
    /// Null where the file is no YOLOv5 model; `reason` says why then.
    var model: Model?
    var reason: String?
    /// BLAKE2b-256 of the file, as round plans name it.
    var digest: String
  }

  private static func name(_ task: ModelTask) -> String {
    switch task {
    case .detect: "detection"
    case .segment: "segmentation"
    case .classify: "classification"
    }
  }

  func run() throws {
    let weights = try WeightsFile.read(file)
    let entries = weights.file.entries
    let model: Model?
    var reason: String?
    do throws(NetworkError) {
      let spec = try ModelSpec.infer(from: weights.file)
      model = Model(spec, names: weights.classNames(count: spec.classes))
    } catch { (model, reason) = (nil, error.reason) }
    let report = Report(
      file: file, bytes: weights.bytes.count,
      tensors: entries.map { .init(name: $0.name, type: $0.dtype.rawValue, shape: $0.shape) },
      values: entries.reduce(0) { $0 + $1.count }, metadata: weights.file.metadata, model: model, reason: reason,
      digest: Hexadecimal.text(JobPlan.weightsDigest(weights.bytes)))
    if json { return try JSONOutput.object(report) }
    Output.line("file     \(file), \(entries.count) tensors, \(report.values) values, \(Text.bytes(report.bytes))")
    if let model {
      let size = model.name ?? "depth \(Text.fixed(model.depth, 2)), width \(Text.fixed(model.width, 2))"
      let task = ModelTask(rawValue: model.task).map(Self.name) ?? model.task
      Output.line("model    YOLOv5 for \(task), \(size), \(model.norm) norm, \(model.classes) classes, \(model.parameters) parameters")
      Output.line("classes  \(model.names.prefix(20).joined(separator: ", "))\(model.names.count > 20 ? ", …" : "")")
      for (stride, anchors) in zip(model.strides, model.anchors) {
        let sizes = anchors.map { $0.map { Text.fixed(Double($0), 1) }.joined(separator: "×") }
        Output.line("anchors  stride \(stride): \(sizes.joined(separator: ", "))")
      }
    } else {
      Output.line("model    not a YOLOv5 model: \(reason ?? "")")
    }
    Output.line("digest   \(report.digest) (BLAKE2b-256, as in round plans)")
    for (key, value) in report.metadata.sorted(by: { $0.key < $1.key }) where key != "names" {
      Output.line("meta     \(key) = \(value.prefix(200))")
    }
    guard tensors else { return }
    for tensor in report.tensors { Output.line("tensor   \(tensor.name) \(tensor.type) \(tensor.shape)") }
  }
}
