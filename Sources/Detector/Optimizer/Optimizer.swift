// The optimisers in YOLOv5's three groups: biases, convolution weights (the only ones that decay), norm scales. Stochastic gradient descent
// with Nesterov momentum clips the gradient's norm over all parameters first; Adam (Kingma and Ba 2015, decay added to the gradient) and
// AdamW (Loshchilov and Hutter 2019, algorithm 2) do not, their steps do not grow with the gradient. Parameters of frozen layers have no
// part in any of it. What an optimiser remembers can be saved and restored.

import CKernels
import Safetensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How a gradient becomes a step.
public enum OptimizerKind: String, Sendable, CaseIterable {
  case sgd
  case adam
  case adamW = "adamw"
}

/// The optimiser of one network; it keeps one momentum per parameter value, and for Adam and AdamW one mean square.
public final class Optimizer {
  public let kind: OptimizerKind
  /// Decay of convolution weights per step, already scaled (`LearningSchedule.scaledWeightDecay`).
  public var weightDecay: Double
  /// Largest allowed norm of the whole gradient.
  public var gradientNormMax: Double
  /// Steps taken.
  public private(set) var steps: Int64 = 0

  private let network: Network
  /// The parameters that move, and those that do not.
  let moving: [Parameter]
  let frozen: [Parameter]
  private let momenta: Arena
  /// Mean squares of Adam and AdamW; nil for SGD.
  private let squares: Arena?
  private static let metadataFormat = "secagg-optimizer-1"
  private static let kindKey = "optimizer"
  private static let squarePrefix = "square."
  private static let (squareDecay, epsilon) = (0.999, 1e-8)

  /// - Parameter frozenLayers: layers whose parameters stay as they are.
  public init(
    network: Network, kind: OptimizerKind = .sgd, weightDecay: Double = 5e-4, gradientNormMax: Double = 10, frozenLayers: Set<Int> = []
  ) {
    self.kind = kind
    moving = network.parameters.filter { !frozenLayers.contains($0.layer) }
    frozen = network.parameters.filter { frozenLayers.contains($0.layer) }
    self.network = network
    self.weightDecay = weightDecay
    self.gradientNormMax = gradientNormMax
    momenta = Arena(network.store.count)
    squares = kind == .sgd ? nil : Arena(network.store.count)
  }

  /// One step along the accumulated gradients, which `Network.zeroGradients` has to clear after it: those of frozen layers are gone, and
  /// Adam has added its decay to the others.
  /// - Returns: the gradient's norm before clipping. If it is not finite, nothing is changed.
  @discardableResult
  public func step(_ settings: LearningSchedule.Settings) -> Double {
    let store = network.store
    for parameter in frozen { parameter.gradient.update(repeating: 0) }
    let norm = tk_squared_norm(store.gradients.base, store.count).squareRoot()
    guard norm.isFinite else { return norm }
    steps += 1
    switch kind {
    case .sgd: stepSGD(settings, clip: Float(min(1, gradientNormMax / (norm + 1e-6))))
    case .adam, .adamW: stepAdam(settings)
    }
    return norm
  }

  /// - Throws: `TrainingError` where every layer is frozen.
  func requireSomethingToTrain() throws(TrainingError) {
    guard moving.isEmpty else { return }
    throw TrainingError(.badJob, "all \(frozen.count) parameters are frozen", hint: "freeze fewer layers")
  }

  private func stepSGD(_ settings: LearningSchedule.Settings, clip: Float) {
    let parameters = moving
    network.pool.run(parameters.count) { index in
      let parameter = parameters[index]
      guard let value = parameter.value.baseAddress, let momentum = buffer(parameter, in: momenta).baseAddress else { return }
      tk_sgd_step(
        value, parameter.gradient.baseAddress, momentum, parameter.count,
        Float(parameter.group == .bias ? settings.biasRate : settings.rate), Float(settings.momentum),
        parameter.group == .weight ? Float(weightDecay) : 0, clip)
    }
  }

  private func stepAdam(_ settings: LearningSchedule.Settings) {
    guard let squares else { preconditionFailure("Adam without mean squares") }
    func correction(_ decay: Double) -> Float { Float(1 / (1 - pow(decay, Double(steps)))) }
    let plain = tk_adamw(
      rate: Float(settings.rate), decay: 0, mean_decay: Float(settings.momentum), square_decay: Float(Self.squareDecay),
      mean_correction: correction(settings.momentum), square_correction: correction(Self.squareDecay), epsilon: Float(Self.epsilon))
    var (biased, decaying) = (plain, plain)
    biased.rate = Float(settings.biasRate)
    // Adam's decay is a part of the gradient, AdamW's a shrinking of the weights apart from it.
    let gradientDecay = kind == .adam ? Float(weightDecay) : 0
    decaying.decay = kind == .adam ? 0 : Float(weightDecay)
    let (parameters, forBias, forWeight, forNorm) = (moving, biased, decaying, plain)
    network.pool.run(parameters.count) { index in
      let parameter = parameters[index]
      if gradientDecay > 0, parameter.group == .weight {
        for index in 0..<parameter.count { parameter.gradient[index] += gradientDecay * parameter.value[index] }
      }
      guard let value = parameter.value.baseAddress, let mean = buffer(parameter, in: momenta).baseAddress,
        let square = buffer(parameter, in: squares).baseAddress
      else { return }
      var constants = parameter.group == .bias ? forBias : parameter.group == .weight ? forWeight : forNorm
      tk_adamw_step(value, parameter.gradient.baseAddress, mean, square, parameter.count, &constants)
    }
  }

  /// What an arena holds of a parameter, laid out like its value.
  private func buffer(_ parameter: Parameter, in arena: Arena) -> UnsafeMutableBufferPointer<Float> {
    let offset = parameter.value.baseAddress.map { $0 - network.store.values.base } ?? 0
    return UnsafeMutableBufferPointer(start: arena.base + offset, count: parameter.count)
  }

  /// The arenas, each with what its tensors' names begin with.
  private var arenas: [(prefix: String, arena: Arena)] { [("", momenta)] + (squares.map { [(Self.squarePrefix, $0)] } ?? []) }

  /// The momenta under the parameters' names and shapes (and mean squares under `square.` and those), and the number of steps.
  public func state() -> SafetensorsWriter {
    var writer = SafetensorsWriter(metadata: ["format": Self.metadataFormat, Self.kindKey: kind.rawValue])
    for (prefix, arena) in arenas {
      for parameter in network.parameters {
        writer.add(prefix + parameter.name, shape: parameter.shape, floats: parameter.inFileOrder(buffer(parameter, in: arena)))
      }
    }
    writer.add("steps", shape: [], int64s: [steps])
    return writer
  }

  /// Restores what `state` wrote.
  /// - Throws: `NetworkError` if the file belongs to another network or optimiser, or holds values that are not finite; nothing has
  ///   changed then.
  public func load(_ file: SafetensorsFile) throws(NetworkError) {
    guard file.metadata["format"] == Self.metadataFormat, file.metadata[Self.kindKey] ?? OptimizerKind.sgd.rawValue == kind.rawValue else {
      throw NetworkError(.unreadable, "the file is no state of the optimiser \(kind.rawValue) (format \(Self.metadataFormat))")
    }
    guard let count = try? file.int64s("steps"), count.count == 1, count[0] >= 0 else {
      throw NetworkError(.missingTensor, "no count of steps")
    }
    var loaded: [(Parameter, Arena, [Float])] = []
    for (prefix, arena) in arenas {
      for parameter in network.parameters { loaded.append((parameter, arena, try read(prefix + parameter.name, parameter, file))) }
    }
    guard file.entries.count == loaded.count + 1 else {
      throw NetworkError(.unexpectedTensor, "the state holds tensors that the network does not have")
    }
    for (parameter, arena, values) in loaded { parameter.fromFileOrder(values, to: buffer(parameter, in: arena)) }
    steps = count[0]
  }

  private func read(_ name: String, _ parameter: Parameter, _ file: SafetensorsFile) throws(NetworkError) -> [Float] {
    guard let entry = try? file.entry(name), let values = try? entry.floats() else {
      throw NetworkError(.missingTensor, "no momentum for \"\(name)\"")
    }
    guard entry.shape == parameter.shape else {
      throw NetworkError(.wrongShape, "momentum of \"\(name)\" has shape \(entry.shape), not \(parameter.shape)")
    }
    guard values.allSatisfyFinite, !name.hasPrefix(Self.squarePrefix) || values.allSatisfy({ $0 >= 0 }) else {
      throw NetworkError(.badValue, "momentum of \"\(name)\" is not finite, or a mean square is negative")
    }
    return values
  }
}

extension Parameter {
  /// Number of the layer that the parameter belongs to.
  var layer: Int { name.split(separator: ".").dropFirst().first.flatMap { Int($0) } ?? 0 }
}
