// What the network tests share: recorded weights, inputs and targets, and the comparison that reports the worst tensor.

import Safetensors
import TestSupport
import Testing

@testable import Detector

enum Recorded {
  static func network(_ name: String, threads: Int = 1) throws -> Network {
    try Network(weights: SafetensorsFile.read(path: vectorPath("\(name)_weights.safetensors")), threads: threads)
  }

  /// The recorded images, from [image][channel][y][x] to channels last.
  static func images() throws -> ImageBatch {
    let array = try NPYFile(path: vectorPath("n3_input.npy"))
    let (count, height, width) = (array.shape[0], array.shape[2], array.shape[3])
    var pixels = [Float](repeating: 0, count: array.values.count)
    for image in 0..<count {
      for channel in 0..<3 {
        for pixel in 0..<(height * width) {
          pixels[(image * height * width + pixel) * 3 + channel] =
            Float(array.values[(image * 3 + channel) * height * width + pixel])
        }
      }
    }
    return ImageBatch(count: count, height: height, width: width, pixels: pixels)
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
