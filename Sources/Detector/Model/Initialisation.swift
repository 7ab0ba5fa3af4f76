// Fresh weights: uniform in ±1/√fan_in for convolution weights and biases, norms 1 and 0, and the detection biases raised
// so that a fresh network expects 8 objects per 640-pixel image and rare classes (the published YOLOv5 initialisation).

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// SplitMix64 (Steele, Lea, Flood 2014): small, seedable, the same on every machine. Not for secrets.
struct WeightGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// Uniform in 0..<1 with 24 bits.
  mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }
}

extension Network {
  /// Fresh values for all tensors; the same seed gives the same weights on every machine.
  func initialise(seed: UInt64) {
    var generator = WeightGenerator(seed: seed)
    for parameter in parameters {
      let tensors = graph.convolutions.first { parameter.name.hasPrefix($0.name + ".") }
      switch parameter.group {
      case .norm: parameter.value.update(repeating: 1)
      case .bias where tensors?.isNormalised ?? true: parameter.value.update(repeating: 0)
      case .weight, .bias:
        let bound = 1 / Float(tensors?.patch ?? 1).squareRoot()
        parameter.assign((0..<parameter.count).map { _ in (generator.uniform() * 2 - 1) * bound })
      }
    }
    for (convolution, tensors) in zip(graph.convolutions, store.convolutions) where convolution.isNormalised {
      tensors.runningMean.update(repeating: 0, count: convolution.outputs)
      tensors.runningVariance.update(repeating: 1, count: convolution.outputs)
    }
    batchCounters = batchCounters.map { _ in 0 }
    raiseDetectionBiases()
  }

  private func raiseDetectionBiases() {
    for (level, stride) in strides.enumerated() {
      guard let index = graph.convolutions.firstIndex(where: { $0.name == "\(graph.headName).m.\(level)" }) else { continue }
      let bias = store.convolutions[index].shift
      let cells = (640 / Double(stride)) * (640 / Double(stride))
      for anchor in anchors[level].indices {
        let base = anchor * spec.outputs
        bias[base + 4] += Float(log(8 / cells))
        for output in 5..<(5 + spec.classes) { bias[base + output] += Float(log(0.6 / (Double(spec.classes) - 0.99999))) }
      }
    }
  }
}
