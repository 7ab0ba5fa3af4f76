// The file Vectors/renyi.json as Swift values. Exact figures are decimal text: the nearest double stands for them.
import Foundation
import TestSupport

struct RenyiVectors: Decodable {
  struct Divergence: Decodable { let sigma: String, q: String, order: String, exact: String }
  struct Composed: Decodable {
    let sigma: String, q: String, steps: Int, delta: String, rdp: String, order: Double, classical: String?, exact: String?
  }
  struct Conversion: Decodable { let rho: Double, delta: Double, improved: String, classical: String }
  struct GaussianEpsilon: Decodable { let mu: String, delta: String, exact: String }
  struct GaussianDelta: Decodable { let mu: String, eps: String, exact: String }
  struct OneStep: Decodable { let sigma: String, q: String, steps: Int, delta: String, exact: String }
  struct DeltaForEpsilon: Decodable { let sigma: String, q: String, steps: Int, eps: String, exact: String, library: Double }
  struct Calibration: Decodable {
    let q: String, steps: Int, delta: String, target: String, library: Double, exact: String?
  }

  let rdp: [Divergence]
  let composed: [Composed]
  let conversion: [Conversion]
  let gaussianEpsilon: [GaussianEpsilon]
  let gaussianDelta: [GaussianDelta]
  let oneStep: [OneStep]
  let deltaForEpsilon: [DeltaForEpsilon]
  let calibration: [Calibration]

  static func load() throws -> RenyiVectors {
    let url = URL(fileURLWithPath: vectorPath("renyi.json"))
    return try JSONDecoder().decode(RenyiVectors.self, from: Data(contentsOf: url))
  }
}

/// The double nearest to a decimal text.
func number(_ text: String) -> Double { Double(text) ?? .nan }
