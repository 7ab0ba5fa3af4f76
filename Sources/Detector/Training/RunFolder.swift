// The folder of one run as YOLOv5 lays it out: `project/exp`, `exp2`, …, with `weights/last`, `weights/best` and
// `results.csv`. Invariant: an existing run is never written into unless the user asked for that.

import Foundation

/// Where a run leaves its files.
public struct RunFolder: Sendable {
  public let path: String

  public var lastWeights: String { "\(path)/weights/last.safetensors" }
  public var bestWeights: String { "\(path)/weights/best.safetensors" }
  public var results: String { "\(path)/results.csv" }
  public var options: String { "\(path)/opt.yaml" }
  public var hyperParameters: String { "\(path)/hyp.yaml" }
  /// What the run's weights cost in privacy; only where they were trained with it.
  public var privacy: String { "\(path)/privacy.json" }
  /// What the run goes on from if it breaks; gone at its end.
  public var state: String { "\(path)/\(Self.stateName)" }
  /// The weights of one epoch that are kept besides.
  public func weights(epoch: Int) -> String { "\(path)/weights/epoch\(epoch).safetensors" }

  /// The parts of `path`.
  public var project: String { (path as NSString).deletingLastPathComponent }
  public var name: String { (path as NSString).lastPathComponent }

  private static let stateName = "weights/last.state.safetensors"

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

extension RunFolder {
  /// A folder as it is.
  init(known path: String) { self.path = path }

  /// The folder that the state at `path` lies in.
  init(ofState path: String) {
    self.path = path.hasSuffix("/" + Self.stateName) ? String(path.dropLast(Self.stateName.count + 1)) : "."
  }

  /// The state of the run that `given` names: its folder, the weights' folder in it, or a file of weights.
  /// - Throws: `TrainingError` where there is none: the run ended, or never was.
  public static func state(of given: String) throws(TrainingError) -> String {
    var folder = given
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    for _ in 0..<3 {
      let state = "\(folder)/\(stateName)"
      if FileManager.default.fileExists(atPath: state) { return state }
      folder = (folder as NSString).deletingLastPathComponent
      if folder.isEmpty { folder = "." }
    }
    throw TrainingError(
      .inputOutput, "\(given) holds no unfinished run", hint: "a run that ended keeps only weights: start another with --weights")
  }

  /// The state that was written last in the runs of `project`.
  /// - Throws: `TrainingError` where there is none.
  public static func newestState(in project: String) throws(TrainingError) -> String {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: project)) ?? []
    let states = names.map { "\(project)/\($0)/\(stateName)" }.compactMap { path -> (path: String, date: Date)? in
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return (attributes?[.modificationDate] as? Date).map { (path, $0) }
    }
    guard let newest = states.max(by: { ($0.date, $0.path) < ($1.date, $1.path) }) else {
      throw TrainingError(.inputOutput, "\(project) holds no unfinished run", hint: "name its folder: --resume runs/train/exp3")
    }
    return newest.path
  }
}

/// `results.csv` with YOLOv5's columns, one row an epoch.
public struct ResultsTable: Sendable {
  private static let columns = [
    "epoch", "train/box_loss", "train/obj_loss", "train/cls_loss", "metrics/precision", "metrics/recall",
    "metrics/mAP_0.5", "metrics/mAP_0.5:0.95", "val/box_loss", "val/obj_loss", "val/cls_loss", "x/lr0", "x/lr1", "x/lr2",
  ]

  /// One line an epoch, without the heading.
  public private(set) var rows: [String]
  private let path: String

  /// - Parameter rows: of the epochs before, where a run goes on.
  public init(path: String, rows: [String] = []) { (self.path, self.rows) = (path, rows) }

  /// Adds an epoch (validation columns stay empty where it was not validated) and writes the whole file.
  public mutating func add(_ epoch: EpochReport, _ validation: Validation.Outcome?) throws(TrainingError) {
    let scores = validation?.scores
    let numbers: [Double?] = [
      epoch.boxLoss, epoch.objectnessLoss, epoch.classLoss, scores?.precision, scores?.recall, scores?.map50,
      scores?.map, validation?.boxLoss, validation?.objectnessLoss, validation?.classLoss,
      // Of biases, of weights, of norm scales: v7.0's three groups in its order.
      epoch.biasRate, epoch.learningRate, epoch.learningRate,
    ]
    let cells = numbers.map { $0.map { String(format: "%.6g", $0) } ?? "" }
    rows.append("\(epoch.epoch)," + cells.joined(separator: ","))
    let text = ([Self.columns.joined(separator: ",")] + rows).joined(separator: "\n") + "\n"
    do { try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
      throw TrainingError(.inputOutput, "\(path) cannot be written", hint: "check free space and permissions")
    }
  }
}
