// The network's tensors in flat memory: learnable values and their gradients (same offsets in both), norm statistics, and
// the small per-channel vectors that a step computes. Every tensor starts on a 64-byte boundary.

/// Pointers to all that belongs to one convolution. For outputs without norm only weight and shift (the bias) exist.
struct ConvolutionTensors {
  /// [output][ky][kx][input].
  let weight: UnsafeMutablePointer<Float>
  let weightGradient: UnsafeMutablePointer<Float>
  /// Offset of the weights in the gradient arenas, for the threads' private sums.
  let weightOffset: Int
  /// Norm scale (gamma).
  let scale: UnsafeMutablePointer<Float>
  let scaleGradient: UnsafeMutablePointer<Float>
  /// Norm shift (beta), or the bias.
  let shift: UnsafeMutablePointer<Float>
  let shiftGradient: UnsafeMutablePointer<Float>
  let runningMean: UnsafeMutablePointer<Float>
  let runningVariance: UnsafeMutablePointer<Float>
  /// This step's vectors: normalised = result * factor + offset.
  let factor: UnsafeMutablePointer<Float>
  let offset: UnsafeMutablePointer<Float>
  let mean: UnsafeMutablePointer<Float>
  let inverseDeviation: UnsafeMutablePointer<Float>
  /// Coefficients of the norm's backward pass.
  let a: UnsafeMutablePointer<Float>
  let b: UnsafeMutablePointer<Float>
  let c: UnsafeMutablePointer<Float>
}

final class TensorStore {
  let values: Arena
  let gradients: Arena
  let statistics: Arena
  private let working: Arena
  private(set) var convolutions: [ConvolutionTensors] = []
  /// Floats in `values` and `gradients`, padding included.
  let count: Int

  init(_ graph: Graph) {
    func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
    let channels = graph.convolutions.map { padded($0.outputs) }
    let weights = graph.convolutions.map { padded($0.outputs * $0.patch) }
    count = weights.reduce(0, +) + 2 * channels.reduce(0, +)
    values = Arena(count)
    gradients = Arena(count)
    statistics = Arena(2 * channels.reduce(0, +))
    working = Arena(7 * channels.reduce(0, +))
    var value = 0
    var statistic = 0
    var work = 0
    for index in graph.convolutions.indices {
      let scale = value + weights[index]
      let shift = scale + channels[index]
      func vector(_ number: Int) -> UnsafeMutablePointer<Float> { working.base + work + number * channels[index] }
      convolutions.append(
        ConvolutionTensors(
          weight: values.base + value, weightGradient: gradients.base + value, weightOffset: value,
          scale: values.base + scale, scaleGradient: gradients.base + scale,
          shift: values.base + shift, shiftGradient: gradients.base + shift,
          runningMean: statistics.base + statistic, runningVariance: statistics.base + statistic + channels[index],
          factor: vector(0), offset: vector(1), mean: vector(2), inverseDeviation: vector(3),
          a: vector(4), b: vector(5), c: vector(6)))
      value = shift + channels[index]
      statistic += 2 * channels[index]
      work += 7 * channels[index]
    }
  }
}
