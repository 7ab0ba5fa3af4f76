// `secagg detect`: finds objects in images, with the flags, folders and label files of YOLOv5's detect.py.

import ArgumentParser
import CommandLineKit
import Detector
import Foundation

struct Detect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect", abstract: "Find objects in images and draw them.",
    discussion: "Annotated images go to PROJECT/NAME, label files with --save-txt to PROJECT/NAME/labels.")

  @Option(help: "Weights (.pt of YOLOv5 v7.0, or safetensors).") var weights: String
  @Option(help: "Image, folder, pattern in quotes, or .txt list.") var source: String
  @Option(help: "Path of data.yaml, for class names that the weights do not carry.") var data: String?
  @Option(
    name: [.customLong("img"), .customLong("imgsz"), .customLong("img-size")],
    help: "Long side of the network's input in pixels, a multiple of 32.")
  var imageSize = 640
  @Option(help: "Detections must be more confident than this.") var confThres: Float = 0.25
  @Option(help: "Overlap above which the less confident of two boxes is dropped.") var iouThres: Float = 0.45
  @Option(help: "Detections per image at most.") var maxDet = 1000
  @Option(parsing: .upToNextOption, help: "Only these classes, by number.") var classes: [Int] = []
  @Flag(help: "Drop overlapping boxes of different classes too.") var agnosticNms = false
  @Flag(help: "Write a label file for each image: class x y w h.") var saveTxt = false
  @Flag(help: "Add the confidence to each row of the label files.") var saveConf = false
  @Flag(help: "Write each found object as an image of its own.") var saveCrop = false
  @Flag(help: "Write no annotated images.") var nosave = false
  @Option(help: "Width of the boxes' lines in pixels; 0 follows the image's size.") var lineThickness = 0
  @Flag(help: "Boxes without class names.") var hideLabels = false
  @Flag(help: "Boxes without confidences.") var hideConf = false
  @Option(help: "Folder of the runs.") var project = "runs/detect"
  @Option(help: "Name of this run; a number is appended if it exists.") var name = "exp"
  @Flag(help: "Write into PROJECT/NAME even if it exists.") var existOk = false
  @Option(help: "Threads of the network.") var threads = min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 16)
  @Flag(help: "Print one JSON line an image on standard output.") var json = false

  func validate() throws {
    guard (0...1).contains(confThres), (0...1).contains(iouThres), (1...30_000).contains(maxDet) else {
      throw ValidationError("--conf-thres and --iou-thres lie in 0...1, --max-det in 1...30000")
    }
    guard classes.allSatisfy({ $0 >= 0 }) else { throw ValidationError("--classes are numbers from 0") }
    guard TrainingOptions.threadsRange.contains(threads) else { throw ValidationError("--threads must be from 1 to 256") }
    guard (0...100).contains(lineThickness) else { throw ValidationError("--line-thickness must be from 0 to 100") }
  }

  private struct Line: Encodable {
    struct Box: Encodable {
      var `class`: Int
      var name: String
      var confidence: Float
      /// Left, top, right, bottom in pixels.
      var box: [Float]
    }
    var image: String
    var width: Int
    var height: Int
    var detections: [Box]
    var milliseconds: Double
  }

  func run() throws {
    let file = try WeightsFile.read(weights)
    let network = try WeightsFile.network(file, threads: threads)
    let names = try data.map { try DatasetDescription(yaml: $0).names } ?? file.classNames(count: network.spec.classes)
    guard names.count == network.spec.classes else {
      throw ValidationError("\(data ?? weights) names \(names.count) classes, the weights have \(network.spec.classes)")
    }
    let images = try ImageFiles.find(source)
    var detector = try ImageDetector(network: network, imageSize: imageSize)
    detector.suppression.confidenceMin = confThres
    detector.suppression.iouMax = iouThres
    detector.suppression.detectionsMax = maxDet
    detector.suppression.isClassAgnostic = agnosticNms
    detector.suppression.classFilter = classes.isEmpty ? nil : Set(classes)
    let isWriting = saveTxt || saveCrop || !nosave
    let folder = isWriting ? try RunFolder(project: project, name: name, isReusing: existOk, folders: saveTxt ? ["labels"] : []) : nil
    let labels = LabelRows(isConfident: saveConf)
    let stems = ImageFiles.stems(images)
    var seconds = SIMD3<Double>()
    for (number, path) in images.enumerated() {
      var image = try ImageDecoder.decode(path: path)
      let outcome = detector.detect(image)
      seconds += SIMD3(outcome.secondsPreparing, outcome.secondsInferring, outcome.secondsSuppressing)
      if let folder {
        let stem = stems[number]
        if saveTxt {
          try labels.write(outcome.detections, width: image.width, height: image.height, path: "\(folder.path)/labels/\(stem).txt")
        }
        if saveCrop { try crops(outcome.detections, image, names, "\(folder.path)/crops", stem) }
        if !nosave {
          draw(outcome.detections, names, on: &image)
          let suffix = path.lowercased().hasSuffix(".png") ? "png" : "jpg"
          try ImageWriter.write(image, path: "\(folder.path)/\(stem).\(suffix)")
        }
      }
      try report(number, images.count, path, image, outcome, names)
    }
    guard !json else { return }
    let mean = seconds * 1000 / Double(images.count)
    Output.note(
      "speed    \(Text.fixed(mean.x, 1)) ms pre-process, \(Text.fixed(mean.y, 1)) ms inference, \(Text.fixed(mean.z, 1)) ms NMS per image")
    if let folder { Output.note("results  \(folder.path)") }
  }

  private func draw(_ detections: [Detection], _ names: [String], on image: inout RGBImage) {
    // The most confident last, on top.
    let boxes = detections.reversed().map { found in
      let words = [hideLabels ? "" : names[found.classIndex], hideConf ? "" : Text.fixed(Double(found.confidence), 2)]
      return AnnotatedBox(box: found.box, classIndex: found.classIndex, text: words.filter { !$0.isEmpty }.joined(separator: " "))
    }
    Annotator(lineWidth: lineThickness > 0 ? lineThickness : nil).draw(boxes: boxes, on: &image)
  }

  private func crops(_ detections: [Detection], _ image: RGBImage, _ names: [String], _ folder: String, _ stem: String) throws {
    for (number, found) in detections.enumerated() {
      // A tenth and ten pixels of surroundings, as YOLOv5 crops.
      let centre = (found.box.lowHalf + found.box.highHalf) / 2
      let half = (found.box.highHalf - found.box.lowHalf) * 0.51 + 5
      guard let crop = image.cropped(SIMD4(lowHalf: centre - half, highHalf: centre + half)) else { continue }
      let className = names[found.classIndex].replacingOccurrences(of: "/", with: "_")
      try ImageWriter.write(crop, path: "\(folder)/\(className)/\(stem)\(number == 0 ? "" : "\(number + 1)").jpg", makingFolder: true)
    }
  }

  private func report(
    _ number: Int, _ count: Int, _ path: String, _ image: RGBImage, _ outcome: ImageDetector.Outcome, _ names: [String]
  ) throws {
    guard !json else {
      return try JSONOutput.line(
        Line(
          image: path, width: image.width, height: image.height,
          detections: outcome.detections.map {
            .init(class: $0.classIndex, name: names[$0.classIndex], confidence: $0.confidence, box: (0..<4).map { i in $0.box[i] })
          }, milliseconds: outcome.secondsInferring * 1000))
    }
    let counts = Dictionary(grouping: outcome.detections, by: \.classIndex).sorted { $0.key < $1.key }
    let found = counts.map { "\($0.value.count) \(names[$0.key])\($0.value.count > 1 ? "s" : "")" }.joined(separator: ", ")
    Output.line(
      "image \(number + 1)/\(count) \(path): \(outcome.inputHeight)x\(outcome.inputWidth) \(found.isEmpty ? "(no detections)" : found), "
        + "\(Text.fixed(outcome.secondsInferring * 1000, 1))ms")
  }
}
