// The job's weights on the server: the file that the next round starts from, its layout, and the step that makes the next one. Each round's
// weights stay on the disk under their number; `latest` points at the newest.
import Federation
import Foundation
import Safetensors
import SecAgg

/// The current weights of a job. Owned by the round driver.
public struct JobWeights: Sendable {
  /// The largest weights file that is taken.
  public static let fileBytesMax = 1 << 30

  public let layout: WeightsLayout
  /// The file, byte for byte as it goes to the sites.
  public private(set) var bytes: [UInt8]
  public private(set) var digest: [UInt8]
  /// Where the file is.
  public private(set) var path: String
  private var file: SafetensorsFile
  private var values: (parameters: [Float], statistics: [Float])
  /// Parameters before the last step, for the server's momentum; nil before the first.
  private var previous: [Float]?
  private let folder: String

  public var parameters: [Float] { values.parameters }

  /// The global statistics as the flat vector has them: means and second moments.
  public var statistics: [Float] { PooledStatistics.moments(values.statistics, layout: layout) }

  /// Reads a weights file and checks that a job can begin or go on with it.
  /// - Parameter folder: where the weights after each round are written.
  public init(path: String, folder: String) throws(CoordinatorError) {
    do {
      bytes = try FileBytes.read(path: path, bytesMax: Self.fileBytesMax)
      file = try SafetensorsFile(parsing: bytes)
      layout = WeightsLayout(file)
      values = try layout.flatten(file)
    } catch {
      throw CoordinatorError(
        .weights, "the weights in \(path) cannot be used: \(error.reason)",
        hint: "give a whole safetensors file of the job's model with --weights")
    }
    guard layout.parameterCount > 0 else {
      throw CoordinatorError(
        .weights, "\(path) holds no floating tensor to train", hint: "give the weights of the job's model with --weights")
    }
    digest = JobPlan.weightsDigest(bytes)
    (self.path, self.folder) = (path, folder)
  }

  public static func fileName(round: UInt32) -> String {
    let digits = String(round)
    return "round-\(String(repeating: "0", count: max(0, 3 - digits.count)))\(digits).safetensors"
  }

  /// Keeps what the job begins with as round 0.
  mutating func saveInitial() throws(CoordinatorError) { try save(round: 0) }

  /// Takes the parameters of the weights before these, after a restart.
  mutating func remember(_ before: JobWeights) { previous = before.values.parameters }

  /// Applies a round's mean update and saves the result.
  /// - Parameters:
  ///   - momentum: how much of the last step the parameters repeat.
  ///   - keepsStatistics: the update has none, and they stay as they are.
  mutating func apply(
    _ update: MeanUpdate, momentum: Double = 0, keepsStatistics: Bool = false, round: UInt32, job: String
  ) throws(CoordinatorError) {
    guard update.parameters.count == layout.parameterCount,
      update.statistics.count == (keepsStatistics ? 0 : layout.statisticCount),
      (update.parameters + update.statistics).allSatisfy(\.isFinite)
    else {
      throw CoordinatorError(.badSum, "the mean update of round \(round) does not fit the weights", hint: "this is a fault of the program")
    }
    let parameters = ServerOptimizer.step(
      values.parameters, before: momentum > 0 ? previous : nil, momentum: momentum, meanUpdate: update.parameters)
    let statistics =
      keepsStatistics
      ? values.statistics
      : PooledStatistics.statistics(ServerOptimizer.step(self.statistics, meanUpdate: update.statistics), layout: layout)
    guard parameters.allSatisfyFinite, statistics.allSatisfyFinite else {
      throw CoordinatorError(.badSum, "round \(round) would make weights that are not finite", hint: "lower the learning rate")
    }
    do {
      var metadata = file.metadata
      metadata["secagg.job"] = job
      metadata["secagg.round"] = String(round)
      bytes = try layout.file(parameters: parameters, statistics: statistics, template: file, metadata: metadata).serialise()
      file = try SafetensorsFile(parsing: bytes)
    } catch {
      throw CoordinatorError(.badSum, "the weights of round \(round) cannot be written: \(error.reason)", hint: "report this as a bug")
    }
    previous = values.parameters
    values = (parameters, statistics)
    digest = JobPlan.weightsDigest(bytes)
    try save(round: round)
  }

  private mutating func save(round: UInt32) throws(CoordinatorError) {
    let name = Self.fileName(round: round)
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try FileBytes.write(bytes, path: folder + "/" + name)
      // A link of its own name, renamed over the old one: a reader finds one or the other.
      let next = folder + "/.latest-next"
      try? FileManager.default.removeItem(atPath: next)
      try FileManager.default.createSymbolicLink(atPath: next, withDestinationPath: name)
      guard rename(next, folder + "/latest.safetensors") == 0 else {
        throw SafetensorsError(.inputOutput, String(cString: strerror(errno)))
      }
    } catch {
      let reason = (error as? SafetensorsError)?.reason ?? error.localizedDescription
      throw CoordinatorError(.file, "cannot save the weights of round \(round): \(reason)", hint: "check the disk's space")
    }
    path = folder + "/" + name
  }
}
