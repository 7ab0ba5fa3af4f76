// Stochastic gradient descent with Nesterov momentum in YOLOv5's three groups: biases, convolution weights (the only ones
// that decay), norm scales. The gradient's norm over all parameters is clipped first. Momentum can be saved and restored.

import CKernels
import Safetensors

/// The optimiser of one network; it keeps one momentum per parameter value.
public final class Optimizer {
  /// Decay of convolution weights per step, already scaled (`LearningSchedule.scaledWeightDecay`).
  public var weightDecay: Double
  /// Largest allowed norm of the whole gradient.
  public var gradientNormMax: Double
  /// Steps taken.
  public private(set) var steps: Int64 = 0

  private let network: Network
  private let momenta: Arena
  private static let metadataFormat = "secagg-optimizer-1"

  public init(network: Network, weightDecay: Double = 5e-4, gradientNormMax: Double = 10) {
    self.network = network
    self.weightDecay = weightDecay
    self.gradientNormMax = gradientNormMax
    momenta = Arena(network.store.count)
  }

  /// One step along the accumulated gradients; they stay as they are (`Network.zeroGradients` clears them).
  /// - Returns: the gradient's norm before clipping. If it is not finite, nothing is changed.
  @discardableResult
  public func step(_ settings: LearningSchedule.Settings) -> Double {
    let store = network.store
    let norm = tk_squared_norm(store.gradients.base, store.count).squareRoot()
    guard norm.isFinite else { return norm }
    let clip = Float(min(1, gradientNormMax / (norm + 1e-6)))
    let parameters = network.parameters
    network.pool.run(parameters.count) { index in
      let parameter = parameters[index]
      guard let value = parameter.value.baseAddress, let momentum = buffer(parameter).baseAddress else { return }
      tk_sgd_step(
        value, parameter.gradient.baseAddress, momentum, parameter.count,
        Float(parameter.group == .bias ? settings.biasRate : settings.rate), Float(settings.momentum),
        parameter.group == .weight ? Float(weightDecay) : 0, clip)
    }
    steps += 1
    return norm
  }

  /// The momentum of a parameter, laid out like its value.
  private func buffer(_ parameter: Parameter) -> UnsafeMutableBufferPointer<Float> {
    let offset = parameter.value.baseAddress.map { $0 - network.store.values.base } ?? 0
    return UnsafeMutableBufferPointer(start: momenta.base + offset, count: parameter.count)
  }

  /// The momenta under the parameters' names and shapes, and the number of steps.
  public func state() -> SafetensorsWriter {
    var writer = SafetensorsWriter(metadata: ["format": Self.metadataFormat])
    for parameter in network.parameters {
      writer.add(parameter.name, shape: parameter.shape, floats: parameter.inFileOrder(buffer(parameter)))
    }
    writer.add("steps", shape: [], int64s: [steps])
    return writer
  }

  /// Restores what `state` wrote.
  /// - Throws: `NetworkError` if the file belongs to another network or holds values that are not finite; nothing has
  ///   changed then.
  public func load(_ file: SafetensorsFile) throws(NetworkError) {
    guard file.metadata["format"] == Self.metadataFormat else {
      throw NetworkError(.unreadable, "the file is no optimiser state (format \(Self.metadataFormat))")
    }
    guard let count = try? file.int64s("steps"), count.count == 1, count[0] >= 0 else {
      throw NetworkError(.missingTensor, "no count of steps")
    }
    var loaded: [[Float]] = []
    for parameter in network.parameters {
      guard let entry = try? file.entry(parameter.name), let values = try? entry.floats() else {
        throw NetworkError(.missingTensor, "no momentum for \"\(parameter.name)\"")
      }
      guard entry.shape == parameter.shape else {
        throw NetworkError(.wrongShape, "momentum of \"\(parameter.name)\" has shape \(entry.shape), not \(parameter.shape)")
      }
      guard values.allSatisfyFinite else { throw NetworkError(.badValue, "momentum of \"\(parameter.name)\" is not finite") }
      loaded.append(values)
    }
    guard file.entries.count == loaded.count + 1 else {
      throw NetworkError(.unexpectedTensor, "the state holds tensors that the network does not have")
    }
    for (parameter, values) in zip(network.parameters, loaded) { parameter.fromFileOrder(values, to: buffer(parameter)) }
    steps = count[0]
  }
}
