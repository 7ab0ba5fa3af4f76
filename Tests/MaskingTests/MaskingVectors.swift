// The file Vectors/masking.json as Swift values.
import Foundation
import TestSupport

struct MaskingVectors: Decodable {
  struct Stream: Decodable { let name: String, seed: Hex, section: UInt32, first: Int, words: [UInt32] }
  struct Root: Decodable { let owner: UInt32, context: Hex, root: Hex, maskKey: Hex, maskPublicKey: Hex, selfMaskSeed: Hex }
  struct Pair: Decodable {
    let own: UInt32, peer: UInt32, context: Hex, ownSecret: Hex, peerPublicKey: Hex, seed: Hex, operation: String
  }
  struct Packing: Decodable { let bits: Int, words: [UInt32], bytes: Hex }
  struct Sharing: Decodable { let threshold: Int, count: Int, coefficients: [Hex], shares: [String: Hex] }

  let streams: [Stream]
  let roots: [Root]
  let pairs: [Pair]
  let packings: [Packing]
  let sharings: [Sharing]

  static func load() throws -> MaskingVectors {
    let url = URL(fileURLWithPath: vectorPath("masking.json"))
    return try JSONDecoder().decode(MaskingVectors.self, from: Data(contentsOf: url))
  }
}

/// Bytes written as hexadecimal text.
struct Hex: Decodable {
  let bytes: [UInt8]

  init(_ text: String) {
    let digits = text.compactMap(\.hexDigitValue)
    precondition(digits.count == text.count && text.count % 2 == 0, "bad hexadecimal text")
    bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(16 * digits[$0] + digits[$0 + 1]) }
  }

  init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(String.self)) }
}
