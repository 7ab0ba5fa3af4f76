// Where a run of the demo keeps its files, and the data.yaml files that it writes for the comparisons.
import Foundation

struct DemoFolder: Sendable {
  let root: String

  var data: String { root + "/data" }
  var weights: String { root + "/weights" }
  var baselines: String { root + "/baselines" }
  var logs: String { root + "/logs" }
  var consortium: String { root + "/consortium" }
  var server: String { root + "/server" }
  var initialWeights: String { weights + "/initial.safetensors" }
  /// The federated model after the last round.
  var federatedWeights: String { weights + "/federated.safetensors" }
  /// Scenes that are public where sites have privacy, and the run that trains on them.
  var publicData: String { data + "/public/data.yaml" }
  var publicRun: String { root + "/public-training" }
  var pooledData: String { data + "/pooled.yaml" }
  var summary: String { root + "/summary.json" }
  var report: String { root + "/report.html" }
  func site(_ index: Int) -> String { root + "/site-\(index)" }
  func local(_ index: Int) -> String { data + "/local-\(index).yaml" }

  /// Marks a folder as written by the demo: only such a folder is ever cleared.
  private var mark: String { root + "/.secagg-demo" }

  /// Makes the folder empty. One that holds other things than an earlier demo's is refused.
  func prepare() throws(DemoError) {
    let files = FileManager.default
    if let found = try? files.contentsOfDirectory(atPath: root), !found.isEmpty {
      guard files.fileExists(atPath: mark) else { throw DemoError(.folderInUse, "\(root) holds files that are not a demo's") }
      for name in found where (try? files.removeItem(atPath: root + "/" + name)) == nil {
        throw DemoError(.cannotWrite, "\(root)/\(name) cannot be removed")
      }
    }
    do {
      for folder in [root, data, weights, baselines, logs, consortium] {
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
      }
      try Data().write(to: URL(fileURLWithPath: mark))
    } catch {
      throw DemoError(.cannotWrite, "\(root) cannot be written: \(error.localizedDescription)")
    }
  }
}

/// Why the demo could not go on.
public struct DemoError: Error, Sendable {
  public enum Code: String, Sendable {
    case folderInUse = "DM-01"
    case cannotWrite = "DM-02"
    case missingProgram = "DM-03"
    case badOption = "DM-04"
    case dataMissing = "DM-05"
    case wrongSum = "DM-07"
  }
  public let code: Code
  public let reason: String

  public var hint: String {
    switch code {
    case .folderInUse: "give another folder with --out, or empty this one"
    case .cannotWrite: "check permissions and free space, or give another folder with --out"
    case .missingProgram: "build all programs: make build"
    case .badOption: "secagg demo --help lists the options"
    case .wrongSum: "this is a fault of the program: keep the oracle's folder and report it"
    case .dataMissing: "install the images with apt-get install dataset-fashion-mnist, or give folders with --data"
    }
  }

  init(_ code: Code, _ reason: String) { (self.code, self.reason) = (code, reason) }
}
