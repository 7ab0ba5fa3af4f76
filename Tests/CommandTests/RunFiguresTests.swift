// The figures of a run folder: every file is there, well-formed and bounded, for few classes, many, and none.

import CommandLineKit
import Detector
import Foundation
import TestSupport
import Testing

@testable import SecAggCommand

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct RunFiguresTests {
  private func parses(_ path: String) -> Bool {
    guard let data = FileManager.default.contents(atPath: path) else { return false }
    return data.count < 4 << 20 && XMLParser(data: data).parse()
  }

  /// Detections of `classes` classes that get worse with the class.
  private func collected(classes: Int) -> (AveragePrecision, ConfusionMatrix) {
    var random = SeededGenerator(seed: 9)
    var (collector, matrix) = (AveragePrecision(), ConfusionMatrix(classes: max(classes, 1)))
    for _ in 0..<40 where classes > 0 {
      let labels = (0..<6).map { place in
        LabelledBox(box: SIMD4(Float(place) * 30, 0, Float(place) * 30 + 20, 20), classIndex: .random(in: 0..<classes, using: &random))
      }
      let detections = labels.map { label -> Detection in
        let isRight = Float.random(in: 0...1, using: &random) > Float(label.classIndex) / Float(classes) * 0.6
        let found = isRight ? label.classIndex : Int.random(in: 0..<classes, using: &random)
        return Detection(box: label.box, confidence: .random(in: isRight ? 0.3...1 : 0...0.7, using: &random), classIndex: found)
      }.sorted { $0.confidence > $1.confidence }
      collector.add(detections: detections, labels: labels)
      matrix.add(detections: detections, labels: labels)
    }
    return (collector, matrix)
  }

  @Test(arguments: [0, 1, 3, 20, 80, 300]) func everyFileIsWritten(classes: Int) throws {
    try withTemporaryFolder { temporary in
      let folder = ProcessInfo.processInfo.environment["SECAGG_EXAMPLE_FIGURES"].map { "\($0)/\(classes)" } ?? temporary
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let figures = RunFigures(folder: folder, names: classes == 3 ? ["WBC", "RBC", "PLT"] : (0..<classes).map { "kind of object \($0)" })
      let (collector, matrix) = collected(classes: classes)
      try figures.write(collector.curves())
      try figures.write(matrix)
      var random = SeededGenerator(seed: 2)
      func part(_ range: ClosedRange<Float>) -> Float { .random(in: range, using: &random) }
      let labels = (0..<60).map { _ in
        (0..<10).map { _ in
          Label(
            classIndex: classes == 0 ? 0 : .random(in: 0..<classes, using: &random), x: (part(0...1) + part(0...1)) / 2, y: part(0...1),
            w: part(0.02...0.3) * part(0.2...1), h: part(0.02...0.4) * part(0.2...1))
        }
      }
      try figures.write(labels: labels)
      for name in ["PR_curve", "P_curve", "R_curve", "F1_curve", "confusion_matrix", "labels"] {
        #expect(parses("\(folder)/\(name).svg"), "\(name)")
      }
    }
  }

  @Test func resultsOfThisProgramAndOfYOLOAreDrawn() throws {
    try withTemporaryFolder { temporary in
      let folder = ProcessInfo.processInfo.environment["SECAGG_EXAMPLE_FIGURES"] ?? temporary
      let columns = [
        "epoch", "train/box_loss", "train/obj_loss", "train/cls_loss", "metrics/precision", "metrics/recall", "metrics/mAP_0.5",
        "metrics/mAP_0.5:0.95", "val/box_loss", "val/obj_loss", "val/cls_loss", "x/lr0", "x/lr1", "x/lr2",
      ]
      let figures = RunFigures(folder: folder, names: ["a"])
      // Padded cells as YOLOv5 writes them; every second epoch without validation.
      var text = columns.map { "  \($0)" }.joined(separator: ",") + "\n"
      for epoch in 0..<30 {
        let fall = 0.02 + 0.1 / Double(epoch + 1)
        let scores = epoch.isMultiple(of: 2) ? (0..<7).map { "\(1 - fall * 4 - Double($0) * 0.02)" } : Array(repeating: "", count: 7)
        let losses = [fall, fall * 2, fall / 3].map { "  \($0)" }
        text += (["   \(epoch)"] + losses + scores + ["0.1", "0.01", "0.01"]).joined(separator: ",") + "\n"
      }
      try text.write(toFile: "\(folder)/results.csv", atomically: true, encoding: .utf8)
      try figures.writeResults()
      #expect(parses("\(folder)/results.svg"))
      let svg = try String(contentsOfFile: "\(folder)/results.svg", encoding: .utf8)
      #expect(svg.components(separatedBy: "<path class=\"p-line").count == 11)
      #expect(svg.contains("in epoch 28"))
    }
  }

  @Test(arguments: ["", "\n", "epoch\n1\n", "a,b\n,,,,\n\"", "epoch,metrics/recall\nx,y\n1,nan\n2,inf\n"])
  func nonsenseGivesEmptyPictures(text: String) throws {
    try withTemporaryFolder { folder in
      try text.write(toFile: "\(folder)/results.csv", atomically: true, encoding: .utf8)
      try RunFigures(folder: folder, names: []).writeResults()
      #expect(parses("\(folder)/results.svg"))
    }
  }

  @Test func whatCannotBeWrittenIsAnErrorWithAHint() {
    let figures = RunFigures(folder: "/nonexistent", names: ["a"])
    let error = #expect(throws: CommandError.self) { try figures.write(ConfusionMatrix(classes: 1)) }
    #expect(error?.code == "TN-06" && error?.hint?.isEmpty == false)
    #expect(throws: CommandError.self) { try figures.writeResults() }
  }
}
