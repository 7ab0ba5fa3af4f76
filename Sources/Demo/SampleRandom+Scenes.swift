// What the scenes draw besides uniform numbers, from the detector's reproducible generator: one seed makes the same scenes on every
// machine.
import Detector
import Foundation

extension SampleRandom {
  /// Standard normal, by Box and Muller's polar form.
  mutating func normal() -> Double {
    while true {
      let (u, v) = (uniform(-1, 1), uniform(-1, 1))
      let s = u * u + v * v
      if s > 0, s < 1 { return u * (-2 * log(s) / s).squareRoot() }
    }
  }

  /// Gamma(shape, 1) by Marsaglia and Tsang (2000), with their boost for shapes below 1.
  mutating func gamma(_ shape: Double) -> Double {
    if shape < 1 { return gamma(shape + 1) * pow(uniform(1e-12, 1), 1 / shape) }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let v = (1 + c * x) * (1 + c * x) * (1 + c * x)
      if v > 0, log(uniform(1e-300, 1)) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
    }
  }

  /// A point of the simplex, Dirichlet(α, …, α).
  mutating func dirichlet(_ alpha: Double, count: Int) -> [Double] {
    let parts = (0..<count).map { _ in gamma(alpha) }
    let sum = parts.reduce(0, +)
    return parts.map { $0 / sum }
  }

  /// An index drawn with these probabilities.
  mutating func choice(_ weights: [Double]) -> Int {
    var left = uniform(0, weights.reduce(0, +))
    for (index, weight) in weights.enumerated() {
      left -= weight
      if left < 0 { return index }
    }
    return weights.count - 1
  }
}
