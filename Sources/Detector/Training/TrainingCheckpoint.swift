// Everything that a run needs to go on as if it had never ended: weights, their average, the optimiser's momenta, gradients that wait
// for their step, and where it stands. Invariant: one file, written by renaming, so no crash can mix two epochs.

import Foundation
import Safetensors

/// The state of a training run between two epochs, as a file.
public struct TrainingCheckpoint: Sendable {
  public let path: String
  private let file: SafetensorsFile
  private let progress: TrainingRun.Progress

  private static let format = "secagg-training-1"
  private static let (formatKey, progressKey, sessionKey) = ("format", "training_progress", "training_session")
  private enum Part: String, CaseIterable {
    case weights = "weights/"
    case average = "average/"
    case optimizer = "optimizer/"
    case gradients = "gradients/"
  }

  /// Writes the state of `run`.
  /// - Parameters:
  ///   - session: what the caller wants back, of any kind.
  ///   - metadata: of the weights.
  public static func write(
    _ run: TrainingRun, session: some Encodable, metadata: [String: String] = [:], path: String
  ) throws {
    let weights = run.network.safetensors(metadata: metadata)
    var writer = SafetensorsWriter(metadata: weights.metadata)
    writer.metadata[formatKey] = format
    writer.metadata[progressKey] = try text(run.progress)
    writer.metadata[sessionKey] = try text(session)
    writer.add(contentsOf: weights, prefix: Part.weights.rawValue)
    if run.average != nil { writer.add(contentsOf: run.withAverage { run.network.safetensors() }, prefix: Part.average.rawValue) }
    let state = run.optimizer.state()
    for (key, value) in state.metadata { writer.metadata[Part.optimizer.rawValue + key] = value }
    writer.add(contentsOf: state, prefix: Part.optimizer.rawValue)
    if run.hasGradients {
      for parameter in run.network.parameters {
        writer.add(Part.gradients.rawValue + parameter.name, shape: parameter.shape, floats: parameter.gradients())
      }
    }
    try WeightsFile.write(writer, path: path)
  }

  private static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// Reads a state.
  /// - Throws: `TrainingError` where the file is absent, damaged or no state of a run.
  public init(path: String) throws(TrainingError) {
    self.path = path
    do { file = try SafetensorsFile.read(path: path) } catch {
      guard error.code != .inputOutput else {
        throw TrainingError(.inputOutput, error.reason, hint: "give the folder of an unfinished run")
      }
      throw Self.fault(path, error.reason)
    }
    guard file.metadata[Self.formatKey] == Self.format else {
      throw Self.fault(path, "no state of a training run (format \(Self.format))")
    }
    progress = try Self.decoded(file, Self.progressKey, path)
  }

  private static func fault(_ path: String, _ reason: String) -> TrainingError {
    TrainingError(.unsuitableState, "\(path): \(reason)", hint: "start a new run from weights/last.safetensors with --weights")
  }

  private static func decoded<Value: Decodable>(_ file: SafetensorsFile, _ key: String, _ path: String) throws(TrainingError) -> Value {
    do { return try JSONDecoder().decode(Value.self, from: Data((file.metadata[key] ?? "").utf8)) } catch {
      throw fault(path, "its \(key) is not understood")
    }
  }

  /// What the caller of `write` gave.
  public func session<Value: Decodable>(_: Value.Type) throws(TrainingError) -> Value {
    try Self.decoded(file, Self.sessionKey, path)
  }

  /// The weights, as a network.
  public func network(threads: Int) throws(TrainingError) -> Network {
    do { return try Network(weights: part(.weights, metadata: file.metadata), threads: threads) } catch {
      throw Self.fault(path, error.reason)
    }
  }

  /// Restores all but the weights into a run over `network`.
  /// - Throws: `TrainingError` if the state belongs to a run with other options or another network.
  public func restore(into run: TrainingRun) throws(TrainingError) {
    let known = Set(Part.allCases.map(\.rawValue))
    guard file.entries.allSatisfy({ entry in known.contains { entry.name.hasPrefix($0) } }) else {
      throw Self.fault(path, "it holds tensors of no known part")
    }
    do throws(NetworkError) {
      var metadata: [String: String] = [:]
      for (key, value) in file.metadata where key.hasPrefix(Part.optimizer.rawValue) {
        metadata[String(key.dropFirst(Part.optimizer.rawValue.count))] = value
      }
      try run.optimizer.load(part(.optimizer, metadata: metadata))
      if let average = run.average {
        let values = try part(.average, metadata: file.metadata)
        try average.withAverage(in: run.network) { () throws(NetworkError) in try run.network.load(values) }
      }
      guard run.resume(progress) else { throw NetworkError(.unreadable, "its progress is not that of such a run") }
      run.network.zeroGradients()
      if run.hasGradients { try loadGradients(run.network) }
    } catch { throw Self.fault(path, error.reason) }
  }

  private func loadGradients(_ network: Network) throws(NetworkError) {
    for parameter in network.parameters {
      let name = Part.gradients.rawValue + parameter.name
      guard let entry = try? file.entry(name), entry.shape == parameter.shape, let values = try? entry.floats(), values.allSatisfyFinite
      else { throw NetworkError(.missingTensor, "no gradient for \"\(parameter.name)\"") }
      parameter.fromFileOrder(values, to: parameter.gradient)
    }
  }

  /// The tensors of one part under their own names.
  private func part(_ part: Part, metadata: [String: String]) throws(NetworkError) -> SafetensorsFile {
    var writer = SafetensorsWriter(metadata: metadata)
    for entry in file.entries where entry.name.hasPrefix(part.rawValue) {
      writer.add(entry, as: String(entry.name.dropFirst(part.rawValue.count)))
    }
    do { return try SafetensorsFile(parsing: writer.serialise()) } catch { throw NetworkError(.unreadable, error.reason) }
  }
}
