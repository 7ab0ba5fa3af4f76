// The folder of one run as YOLOv5 lays it out: `project/exp`, `exp2`, …, with `weights/last`, `weights/best` and
// `results.csv`. Invariant: an existing run is never written into unless the user asked for that.

import Foundation

/// Where a run leaves its files.
public struct RunFolder: Sendable {
  public let path: String

  public var lastWeights: String { "\(path)/weights/last.safetensors" }
  public var bestWeights: String { "\(path)/weights/best.safetensors" }
  public var results: String { "\(path)/results.csv" }

  private static let numberMax = 9999

  /// Makes the folder.
  /// - Parameters:
  ///   - isReusing: take `project/name` even if it exists; otherwise the first free number is appended.
  ///   - folders: made below it.
  public init(project: String, name: String, isReusing: Bool, folders: [String] = ["weights"]) throws(TrainingError) {
    let base = "\(project)/\(name)"
    var chosen = base
    if !isReusing {
      var number = 2
      while FileManager.default.fileExists(atPath: chosen) {
        guard number <= Self.numberMax else {
          throw TrainingError(.inputOutput, "\(base)\(number) is taken", hint: "choose another --name or --project")
        }
        chosen = "\(base)\(number)"
        number += 1
      }
    }
    path = chosen
    do {
      for folder in [""] + folders {
        try FileManager.default.createDirectory(atPath: "\(chosen)/\(folder)", withIntermediateDirectories: true)
      }
    } catch {
      throw TrainingError(
        .inputOutput, "\(chosen) cannot be made: \(error.localizedDescription)", hint: "choose a --project that is writable")
    }
  }
}

/// `results.csv` with YOLOv5's columns, one row an epoch.
public struct ResultsTable: Sendable {
  private static let columns = [
    "epoch", "train/box_loss", "train/obj_loss", "train/cls_loss", "metrics/precision", "metrics/recall",
    "metrics/mAP_0.5", "metrics/mAP_0.5:0.95", "val/box_loss", "val/obj_loss", "val/cls_loss", "x/lr",
  ]

  private var text = columns.joined(separator: ",") + "\n"
  private let path: String

  public init(path: String) { self.path = path }

  /// Adds an epoch (validation columns stay empty where it was not validated) and writes the whole file.
  public mutating func add(_ epoch: EpochReport, _ validation: Validation.Outcome?) throws(TrainingError) {
    let scores = validation?.scores
    let numbers: [Double?] = [
      epoch.boxLoss, epoch.objectnessLoss, epoch.classLoss, scores?.precision, scores?.recall, scores?.map50,
      scores?.map, validation?.boxLoss, validation?.objectnessLoss, validation?.classLoss, epoch.learningRate,
    ]
    let cells = numbers.map { $0.map { String(format: "%.6g", $0) } ?? "" }
    text += "\(epoch.epoch)," + cells.joined(separator: ",") + "\n"
    do { try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
      throw TrainingError(.inputOutput, "\(path) cannot be written", hint: "check free space and permissions")
    }
  }
}
