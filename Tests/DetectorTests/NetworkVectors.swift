// What the network tests share: recorded weights, inputs and targets, and the comparison that reports the worst tensor.

import Safetensors
import TestSupport
import Testing

@testable import Detector

enum Recorded {
  static func network(_ name: String, threads: Int = 1) throws -> Network {
    try Network(weights: SafetensorsFile.read(path: vectorPath("\(name)_weights.safetensors")), threads: threads)
  }

  /// A recorded array `[image][channel][y][x]` as channels last, and its recorded shape.
  static func channelsLast(_ name: String) throws -> (shape: [Int], values: [Float]) {
    let array = try NPYFile(path: vectorPath(name))
    let (count, channels, pixels) = (array.shape[0], array.shape[1], array.shape[2] * array.shape[3])
    var values = [Float](repeating: 0, count: array.values.count)
    for image in 0..<count {
      for channel in 0..<channels {
        for pixel in 0..<pixels {
          values[(image * pixels + pixel) * channels + channel] = Float(array.values[(image * channels + channel) * pixels + pixel])
        }
      }
    }
    return (array.shape, values)
  }

  /// The recorded images; all but the classifier's are the same.
  static func images(_ name: String = "n3_input.npy") throws -> ImageBatch {
    let (shape, values) = try channelsLast(name)
    return ImageBatch(count: shape[0], height: shape[2], width: shape[3], pixels: values)
  }

  /// Every parameter's gradient is the recorded one, and every tensor of the record is met. Prints the worst.
  static func expectGradients(_ network: Network, _ name: String) throws {
    let expected = try SafetensorsFile.read(path: vectorPath("\(name)_grads.safetensors"))
    #expect(expected.entries.count == network.parameters.count)
    var worst = (0.0, "")
    for parameter in network.parameters {
      let error = relativeError(parameter.gradients(), try expected.floats(parameter.name))
      if error > worst.0 { worst = (error, parameter.name) }
      #expect(error < 1e-3, "\(parameter.name): \(error)")
    }
    print("\(name), \(network.pool.threads) threads: worst gradient \(worst)")
  }

  static func map(_ name: String) throws -> FeatureMap { try LossVector.map(vectorPath(name)) }

  /// Parts and gradients of the recorded loss for these maps.
  static func loss(_ name: String, _ network: Network, _ maps: [FeatureMap]) throws -> (parts: LossParts, gradients: [FeatureMap]) {
    let targets = name.hasSuffix("empty") ? [] : try LossVector.targets(vectorPath("\(name)_targets.npy"))
    return DetectionLoss(classes: 3, anchors: network.anchors, gains: .standard(classes: 3, imageSize: 160))
      .evaluate(maps: maps, targets: targets)
  }
}

func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

/// ‖a - b‖ / ‖b‖.
func relativeError(_ a: [Float], _ b: [Float]) -> Double {
  guard a.count == b.count else { return .infinity }
  var difference = 0.0
  var norm = 0.0
  for (x, y) in zip(a, b) {
    difference += (Double(x) - Double(y)) * (Double(x) - Double(y))
    norm += Double(y) * Double(y)
  }
  return (difference / max(norm, 1e-30)).squareRoot()
}

/// Random values in ±1.
func randomFloats(_ count: Int, _ generator: inout TestSupport.SeededGenerator) -> [Float] {
  (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
}

/// One convolution run by the network's own engine on a batch of its own.
struct SingleConvolution {
  let convolution: Convolution
  let images: Int
  let height: Int
  let width: Int
  let engine: ConvolutionEngine
  private let packed: PackedWeights

  init(_ convolution: Convolution, images: Int, height: Int, width: Int, threads: Int, path: DirectPath?) {
    self.convolution = convolution
    self.images = images
    self.height = height
    self.width = width
    engine = ConvolutionEngine(pool: WorkerPool(threads: threads), path: path)
    packed = PackedWeights([convolution])
    engine.reserve(convolution, outputHeight: outputHeight, outputWidth: outputWidth)
  }

  var outputHeight: Int { (height + 2 * convolution.padding - convolution.kernel) / convolution.stride + 1 }
  var outputWidth: Int { (width + 2 * convolution.padding - convolution.kernel) / convolution.stride + 1 }
  var outputCount: Int { images * outputHeight * outputWidth * convolution.outputs }

  private func job(_ x: UnsafeMutablePointer<Float>, _ weight: UnsafePointer<Float>) -> ConvolutionEngine.Job {
    packed.pack([weight], forBackward: true, on: engine.pool)
    return ConvolutionEngine.Job(
      convolution: convolution, weight: weight, packed: packed[0],
      input: PixelPointer(base: x, ld: convolution.inputs, height: height, width: width), outputHeight: outputHeight,
      outputWidth: outputWidth, batch: images)
  }

  func forward(_ x: [Float], _ weight: [Float]) -> [Float] {
    let (input, weights) = (Block(x), Block(weight))
    let result = Block([Float](repeating: .nan, count: outputCount))
    engine.forward(
      job(input.base, weights.base), place: { _, first in result.base + first * convolution.outputs },
      finish: { _, _, _, _ in })
    return result.values
  }

  /// Gradients of input and weights; the input's starts as garbage, the weights' at zero, as the network has them.
  func backward(_ x: [Float], _ weight: [Float], _ dy: [Float]) -> (dx: [Float], dw: [Float]) {
    let (input, weights, gradient) = (Block(x), Block(weight), Block(dy))
    let dx = Block([Float](repeating: .nan, count: x.count))
    let sums = (0..<engine.pool.threads).map { _ in Block([Float](repeating: 0, count: weight.count)) }
    engine.backward(
      job(input.base, weights.base), gradient: gradient.base, weightGradient: { sums[$0].base },
      target: PixelPointer(base: dx.base, ld: convolution.inputs, height: height, width: width), accumulates: false,
      prepare: { _, _, _ in })
    let dw = (0..<weight.count).map { index in sums.reduce(0) { $0 + $1.base[index] } }
    return (dx.values, dw)
  }

  /// Floats at a fixed address.
  private final class Block {
    let base: UnsafeMutablePointer<Float>
    let count: Int
    init(_ values: [Float]) {
      count = values.count
      base = .allocate(capacity: max(count, 1))
      base.initialize(from: values, count: count)
    }
    deinit { base.deallocate() }
    var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
  }
}
