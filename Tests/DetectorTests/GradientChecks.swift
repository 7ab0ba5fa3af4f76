// Checks of a whole network's gradients against central differences of its forward pass.

import TestSupport
import Testing

@testable import Detector

func randomImages(count: Int, height: Int, width: Int, seed: UInt64) -> ImageBatch {
  var generator = TestSupport.SeededGenerator(seed: seed)
  let pixels = (0..<count * height * width * 3).map { _ in Float.random(in: 0...1, using: &generator) }
  return ImageBatch(count: count, height: height, width: width, pixels: pixels)
}

/// Along its own direction, the gradient of the parameters whose names contain `part` must predict how a random linear function of the
/// outputs changes. The network must compute the same in training and evaluation. Steps of 1e-3 leave about three digits.
func expectGradientsPredict(_ network: Network, part: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let side = network.sizeMultiple
  let images = randomImages(count: 2, height: 2 * side, width: side, seed: 6)
  var generator = TestSupport.SeededGenerator(seed: 5)
  var gradients = network.forward(images, training: true)
  let evaluated = network.forward(images, training: false)
  for (trained, map) in zip(gradients, evaluated) {
    #expect(largestDifference(trained.values, map.values) < 2e-4, sourceLocation: sourceLocation)
  }
  gradients = network.forward(images, training: true)
  for level in gradients.indices {
    for index in gradients[level].values.indices { gradients[level].values[index] = Float.random(in: -1...1, using: &generator) }
  }
  network.zeroGradients()
  network.backward(gradients)
  let chosen = network.parameters.filter { $0.name.contains(part) }
  try #require(!chosen.isEmpty, sourceLocation: sourceLocation)
  let slope = chosen.reduce(0.0) { $0 + $1.gradient.reduce(0.0) { $0 + Double($1) * Double($1) } }.squareRoot()
  let start = chosen.map { $0.values() }
  func value(_ step: Double) -> Double {
    for (parameter, values) in zip(chosen, start) {
      parameter.assign(zip(values, parameter.gradients()).map { Float(Double($0) + step * Double($1) / slope) })
    }
    let maps = network.forward(images, training: false)
    return zip(maps, gradients).reduce(0.0) { sum, pair in
      sum + zip(pair.0.values, pair.1.values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    }
  }
  let step = 1e-3
  let found = (value(step) - value(-step)) / (2 * step)
  #expect(abs(found - slope) < 1e-2 * slope, "\(part): \(found) against \(slope)", sourceLocation: sourceLocation)
}
