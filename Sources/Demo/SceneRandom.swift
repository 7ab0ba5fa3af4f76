// The demo's reproducible randomness: one seed makes the same scenes on every machine. Not for anything secret.
import Foundation

/// SplitMix64 (Steele, Lea, Flood 2014): a 64-bit counter through a mixing function.
struct SceneRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A stream of its own for each purpose, so that adding a scene does not change the others.
  init(seed: UInt64, stream: UInt64...) {
    state = seed
    for part in stream {
      state = next() ^ (part &* 0xD6E8_FEB8_6659_FD93)
    }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [low, high).
  mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * Double(next() >> 11) * 0x1p-53
  }

  mutating func integer(below bound: Int) -> Int { Int(next(upperBound: UInt64(bound))) }

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
