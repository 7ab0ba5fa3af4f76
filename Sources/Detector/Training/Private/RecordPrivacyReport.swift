// What a run's weights cost in privacy, as the file privacy.json of its folder: every number that is needed to compute epsilon again.

import DPAccountant
import Foundation
import Safetensors

public struct RecordPrivacyReport: Codable, Equatable, Sendable {
  public var unit = "record"
  /// One image is added or removed.
  public var relation = NeighbourRelation.addOrRemove
  /// Rounded up; nil where the steps cost more than any figure says.
  public var epsilon: Double?
  public var delta: Double
  public var steps: Int
  public var samplingRate: Double
  public var noiseMultiplier: Double
  public var clip: Double
  public var clipQuantile: Double?
  public var lotSize: Int
  /// σ² and Δ₂² of a step's noise on the integer grid.
  public var variance: Double
  public var squaredSensitivity: Int64
  public var dimension: Int
  public var covers = "the weights of this run's last epoch, and every step before; not its scores, plots and choice of settings"

  public static let deltaUsual = 1e-5

  enum CodingKeys: String, CodingKey {
    case unit, relation, epsilon, delta, steps, clip, variance, dimension, covers
    case samplingRate = "sampling_rate"
    case noiseMultiplier = "noise_multiplier"
    case clipQuantile = "clip_quantile"
    case lotSize = "lot_size"
    case squaredSensitivity = "squared_sensitivity"
  }

  init(_ mechanism: RecordMechanism, _ settings: TrainingSettings, steps: Int) {
    delta = settings.delta ?? Self.deltaUsual
    self.steps = steps
    epsilon = try? mechanism.epsilon(steps: steps, delta: delta)
    (samplingRate, noiseMultiplier, clipQuantile) = (mechanism.samplingRate, mechanism.noiseMultiplier, mechanism.clipQuantile)
    (variance, squaredSensitivity, dimension) = (mechanism.variance, mechanism.squaredSensitivity, mechanism.dimension)
    clip = settings.options.privacy?.clip ?? 0
    lotSize = settings.options.privacy?.lotSize ?? 0
  }

  func write(path: String) throws(TrainingError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    do { try FileBytes.write([UInt8](encoder.encode(self)) + [10], path: path) } catch {
      throw TrainingError(.inputOutput, "\(path) cannot be written: \(error)", hint: "check the folder, its permissions, and free space")
    }
  }

  /// Reads the file of a run's folder.
  public static func read(path: String) throws(TrainingError) -> RecordPrivacyReport {
    do {
      return try JSONDecoder().decode(RecordPrivacyReport.self, from: Data(try FileBytes.read(path: path, bytesMax: 1 << 20)))
    } catch {
      throw TrainingError(
        .inputOutput, "\(path) is no record of a run with privacy", hint: "name the folder of a run that was trained with --dp-epsilon")
    }
  }
}
