// The file Vectors/samplers.json, made by tools/reference/noise_samplers.py, as Swift values.
import Foundation
import GMP
import Sodium
import TestSupport

@testable import DPAccountant

struct SamplerVectors: Decodable {
  struct Row: Decodable, CustomStringConvertible {
    let distribution: String, method: String, variance: String, seed: String, count: Int, first: [Int64], sum: Int64, squares: String
    var description: String { "\(method) \(distribution) \(variance)" }
  }
  struct Point: Decodable { let distribution: String, variance: String, magnitude: String, value: String }

  let samples: [Row]
  let densities: [Point]

  static func load() throws -> SamplerVectors {
    let url = URL(fileURLWithPath: vectorPath("samplers.json"))
    return try JSONDecoder().decode(SamplerVectors.self, from: Data(contentsOf: url))
  }
}

/// A stream whose seed is a number.
func stream(_ seed: UInt64, index: UInt64 = 0) -> RandomStream {
  let bytes = withUnsafeBytes(of: seed.littleEndian, Array.init) + [UInt8](repeating: 0, count: 24)
  guard let stream = try? RandomStream(seed: SecretBytes(copying: bytes), index: index) else { preconditionFailure("32 bytes") }
  return stream
}

func bytes(hex text: String) -> [UInt8] {
  var digits = text.unicodeScalars.map(String.init)[...]
  var bytes: [UInt8] = []
  while !digits.isEmpty {
    bytes.append(UInt8(digits.prefix(2).joined(), radix: 16) ?? 0)
    digits = digits.dropFirst(2)
  }
  return bytes
}

/// A decimal text such as 1.25e-7 as an exact fraction.
func fraction(_ text: String) throws -> Rational {
  let parts = text.split(separator: "e")
  let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
  let places = mantissa.count == 2 ? mantissa[1].count : 0
  let exponent = (parts.count == 2 ? Int(parts[1]) ?? 0 : 0) - places
  let digits = String(mantissa.joined().drop { $0 == "0" })
  let value = Rational(try BigInteger(decimal: digits.isEmpty ? "0" : digits))
  let power = Rational((0..<abs(exponent)).reduce(BigInteger(1)) { product, _ in product * BigInteger(10) })
  return exponent >= 0 ? value * power : try value.divided(by: power)
}

func makeDensity(_ distribution: NoiseSampler.Distribution, _ variance: Rational) -> any LatticeDensity {
  switch distribution {
  case .discreteGaussian: GaussianDensity(variance: variance)
  case .skellam: SkellamDensity(variance: variance, reach: BigInteger(64), bits: 128)
  }
}
