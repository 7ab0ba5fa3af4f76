// Noised rounds against other software (Vectors/README.md): signs, rotation, mechanism bytes, where a sum could wrap, decoding.
import Foundation
import Testing

@testable import DPAccountant
@testable import SecAgg

private struct NoisedVectors: Decodable {
  struct Constants: Decodable {
    let sites, dimension, bits: Int
    let clip: Double
    let resolution: UInt32
    let blockBits: Int
    let coordinateBound: UInt32
    let normSquaredMax, numerator, denominator: UInt64
    let bytes: String?
    let fits: Bool?
    let words: [UInt32]?
    let survivors: Int?
    let mean: [Double]?

    func encoding() throws -> NoisedEncoding {
      NoisedEncoding(
        sites: sites, dimension: dimension, bits: bits, clip: clip, resolution: resolution, blockBits: blockBits,
        coordinateBound: coordinateBound, normSquaredMax: normSquaredMax, variance: try #require(Fraction(numerator, denominator)))
    }
  }
  let context, signs: String
  let values: [Double]
  let rotated: [String: [Double]]
  let mechanisms, wrapping: [Constants]
  let decoding: Constants

  static func read() throws -> NoisedVectors {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/noised.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(NoisedVectors.self, from: Data(contentsOf: path))
  }

  var contextBytes: [UInt8] {
    let digits = Array(context)
    return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
  }
}

@Suite struct NoisedVectorTests {
  @Test("[ND-06] signs follow from ctx")
  func signs() throws {
    let vectors = try NoisedVectors.read()
    let words = BlockRotation.signs(count: vectors.signs.count, key: NoisedEncoding.rotationKey(context: vectors.contextBytes))
    let text = (0..<vectors.signs.count).map { words[$0 >> 6] >> UInt64($0 & 63) & 1 == 1 ? "-" : "+" }.joined()
    #expect(text == vectors.signs)
    let other = BlockRotation.signs(count: 512, key: NoisedEncoding.rotationKey(context: vectors.contextBytes.reversed()))
    #expect(other != Array(words.prefix(8)))
  }

  @Test("a rotation is the matrix's product, keeps the norm, and is undone", arguments: [2, 4, 6])
  func rotation(blockBits: Int) throws {
    let vectors = try NoisedVectors.read()
    let expected = try #require(vectors.rotated["\(blockBits)"])
    let rotation = BlockRotation(
      blockBits: blockBits, count: expected.count, key: NoisedEncoding.rotationKey(context: vectors.contextBytes))
    var values = vectors.values
    rotation.rotate(&values)
    for (found, wanted) in zip(values, expected) { #expect(abs(found - wanted) < 1e-14) }
    let norms = [values, vectors.values].map { $0.reduce(0) { $0 + $1 * $1 } }
    #expect(abs(norms[0] - norms[1]) < 1e-12)
    rotation.turnBackUnscaled(&values)
    for (found, wanted) in zip(values, vectors.values) { #expect(abs(found * rotation.scale - wanted) < 1e-14) }
  }

  @Test("mechanism bytes")
  func mechanism() throws {
    for row in try NoisedVectors.read().mechanisms {
      let encoding = try row.encoding()
      let bytes = encoding.encoded()
      #expect(bytes.map { String(format: "%02x", $0) }.joined() == row.bytes)
      #expect(try Mechanism(decoding: bytes) == .noised(encoding))
    }
  }

  @Test("[ND-03] the last noise that fits, and the first that may wrap")
  func wrapping() throws {
    let rows = try NoisedVectors.read().wrapping
    #expect(rows.contains { $0.fits == true } && rows.contains { $0.fits == false })
    for row in rows { #expect(try row.encoding().mayWrap == !(row.fits ?? true), "\(row)") }
  }

  @Test("decoding gives the same bits")
  func decoding() throws {
    let vectors = try NoisedVectors.read()
    let row = vectors.decoding
    let decoder = try NoisedUpdateDecoder(row.encoding())
    let (words, survivors, mean) = (try #require(row.words), try #require(row.survivors), try #require(row.mean))
    #expect(try decoder.decode(sum: [words], survivors: survivors, context: vectors.contextBytes).parameters == mean)
    for wrong in [[], [words, words], [Array(words.dropLast())]] {
      // [ND-07]
      let error = #expect(throws: EncodingError.self) {
        try decoder.decode(sum: wrong, survivors: survivors, context: vectors.contextBytes)
      }
      #expect(error?.code == .wrongLength)
    }
  }
}
