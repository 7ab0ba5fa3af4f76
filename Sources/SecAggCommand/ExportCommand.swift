// `secagg export`: weights in another format, beside the weights file as YOLOv5's export.py leaves them.

import ArgumentParser
import CommandLineKit
import Detector
import Foundation

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write weights as ONNX or safetensors.",
    discussion: """
      The files stand beside the weights, with their name and another ending. The ONNX file gives decoded boxes, as YOLOv5's own export: \
      input `images` from 0 to 1, output `output0` with x, y, w, h, objectness and class scores.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case onnx, safetensors }

  @Option(help: "Weights to export (.pt of YOLOv5 v7.0, or safetensors).") var weights: String
  @Option(parsing: .upToNextOption, help: "Formats: onnx, safetensors.") var include: [Format] = [.onnx]
  @Option(
    name: [.customLong("img"), .customLong("imgsz"), .customLong("img-size")], parsing: .upToNextOption,
    help: "Input size of the ONNX file in pixels: one number, or height and width.")
  var imageSize: [Int] = [640]
  @Option(help: "Images at once in the ONNX file.") var batchSize = 1
  @Flag(help: "Leave the number of images open in the ONNX file.") var dynamic = false
  @Option(help: "ONNX operator set.") var opset = 17
  @Flag(help: "Print the files as JSON on standard output.") var json = false

  func validate() throws {
    guard (1...2).contains(imageSize.count) else { throw ValidationError("--img takes one number, or height and width") }
    guard ONNXExport.opsets.contains(opset) else {
      throw ValidationError("--opset must be from \(ONNXExport.opsets.lowerBound) to \(ONNXExport.opsets.upperBound)")
    }
    guard (1...4096).contains(batchSize) else { throw ValidationError("--batch-size must be from 1 to 4096") }
    guard !include.isEmpty else { throw ValidationError("--include needs onnx or safetensors") }
  }

  struct Report: Encodable {
    var format: String
    var file: String
    var bytes: Int
  }

  func run() throws {
    let source = try WeightsFile.read(weights)
    let network = try WeightsFile.network(source, threads: 1, tasks: Set(ModelTask.allCases))
    let (height, width) = (imageSize[0], imageSize[imageSize.count - 1])
    for side in [height, width] {
      guard TrainingOptions.imageSizeRange.contains(side), side.isMultiple(of: network.sizeMultiple) else {
        throw ValidationError("--img \(side) does not suit this model: use a multiple of \(network.sizeMultiple) up to 4096")
      }
    }
    let base = (weights as NSString).deletingPathExtension
    for format in include {
      let path = "\(base).\(format.rawValue)"
      let bytes: [UInt8]
      switch format {
      case .onnx:
        var export = ONNXExport(height: height, width: width, batch: dynamic ? nil : batchSize)
        export.opset = opset
        export.classNames = source.classNames(count: network.spec.classes)
        bytes = export.bytes(network)
      case .safetensors:
        guard path != weights else { throw ValidationError("\(weights) is the safetensors file already") }
        bytes = network.safetensors(metadata: source.file.metadata).serialise()
      }
      try WeightsFile.write(bytes, path: path)
      let report = Report(format: format.rawValue, file: path, bytes: bytes.count)
      if json { try JSONOutput.line(report) } else { Output.line("\(report.format)  \(path), \(Text.bytes(report.bytes))") }
    }
  }
}
