// A step's sum of clipped gradients as whole numbers that may be added up with other sites' (spec/13, "The form distributed"): each
// gradient is clipped, rotated and rounded by itself, and its norm checked in whole numbers, before it is added. Invariant: what one image
// adds has a squared norm of at most `normSquaredMax`.

import CKernels
import DPAccountant
import Safetensors
import Sodium

/// Belongs to one network and one thread.
final class SharedGradientSum {
  private let asked: SharedGradients
  private let network: Network
  private let rotation: BlockRotation
  /// The trained parameters, and where each lies in the flat vector.
  private let parameters: [(parameter: Parameter, offset: Int)]
  private(set) var sums: [Int64]

  /// - Parameters:
  ///   - parameters: those that are trained; the others' coordinates stay 0.
  ///   - layout: the flat vector of the job's weights.
  /// - Throws: `TrainingError` where the weights' layout lacks a parameter.
  init(_ asked: SharedGradients, network: Network, parameters: [Parameter], layout: WeightsLayout) throws(TrainingError) {
    (self.asked, self.network) = (asked, network)
    let offsets = Dictionary(uniqueKeysWithValues: layout.slots.filter { $0.section == .parameters }.map { ($0.name, $0.offset) })
    self.parameters = try parameters.map { parameter throws(TrainingError) in
      guard let offset = offsets[parameter.name] else {
        throw TrainingError(
          .unsuitableWeights, "the weights lack \(parameter.name)", hint: "give the job's weights, whole, with floating tensors")
      }
      return (parameter, offset)
    }
    let count = asked.paddedCount(layout.parameterCount)
    rotation = BlockRotation(blockBits: asked.blockBits, count: count, key: asked.rotationKey)
    sums = [Int64](repeating: 0, count: count)
  }

  deinit { sums.withUnsafeMutableBufferPointer { $0.update(repeating: 0) } }

  /// Adds the network's present gradient, which is one image's. One that is not finite, or that no rounding keeps within the norm, counts
  /// as zero.
  func add() {
    let norm = parameters.reduce(0) { $0 + tk_squared_norm($1.parameter.gradient.baseAddress, $1.parameter.count) }.squareRoot()
    guard norm.isFinite, norm > 0 else { return }
    let factor = Double(asked.resolution) / max(norm, asked.clip)
    guard factor.isFinite else { return }
    var values = [Double](repeating: 0, count: sums.count)
    for (parameter, offset) in parameters {
      for (index, value) in parameter.gradients().enumerated() { values[offset + index] = Double(value) * factor }
    }
    rotation.rotate(&values)
    // A stream of its own for each gradient, from the operating system's generator.
    var random = RandomStream()
    var rounding = BoundedRounding(normSquaredMax: asked.normSquaredMax)
    guard let whole = rounding.round(values, from: &random) else { return }
    for index in whole.indices { sums[index] += Int64(whole[index]) }
  }
}
