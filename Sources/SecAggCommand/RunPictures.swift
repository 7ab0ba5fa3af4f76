// Pictures of a run folder, under YOLOv5's names: a batch as it was trained on, and the first validated images with their labels and with
// what was found in them.

import Detector
import Foundation

struct RunPictures {
  /// The run folder; it exists.
  let folder: String
  /// Class names by index.
  let names: [String]

  /// Findings are shown above this confidence, as `detect` shows them.
  private static let confidenceMin: Float = 0.25

  /// Writes `train_batch0.jpg`.
  func writeBatch(of session: TrainingSession) throws {
    let samples = try session.firstBatch(count: BatchPicture.imagesMax)
    try write(samples.map(\.image), samples.map { $0.boxes.map { annotated($0) } }, samples.map(\.name), "train_batch0.jpg")
  }

  /// Writes `val_batch0_labels.jpg` and `val_batch0_pred.jpg`.
  /// - Parameter paths: of the validation images, by their number.
  func write(_ findings: [Validation.Finding], paths: [String]) throws {
    guard !findings.isEmpty else { return }
    let images = try findings.map { try ImageDecoder.decode(path: paths[$0.image]) }
    let files = findings.map { (paths[$0.image] as NSString).lastPathComponent }
    try write(images, findings.map { $0.labels.map { annotated($0) } }, files, "val_batch0_labels.jpg")
    let found = findings.map { finding in
      finding.detections.filter { $0.confidence > Self.confidenceMin }.reversed().map { detection in
        AnnotatedBox(
          box: detection.box, classIndex: detection.classIndex,
          text: "\(names[detection.classIndex]) \(String(format: "%.1f", Double(detection.confidence)))")
      }
    }
    try write(images, found, files, "val_batch0_pred.jpg")
  }

  private func annotated(_ label: LabelledBox) -> AnnotatedBox {
    AnnotatedBox(box: label.box, classIndex: label.classIndex, text: names[label.classIndex])
  }

  private func write(_ images: [RGBImage], _ boxes: [[AnnotatedBox]], _ files: [String], _ name: String) throws {
    guard !images.isEmpty else { return }
    try ImageWriter.write(BatchPicture.make(images: images, boxes: boxes, names: files), path: "\(folder)/\(name)")
  }
}
