// XChaCha20-Poly1305: the vector of draft-irtf-cfrg-xchacha, A.3.1, and every way in which an opening must fail.
import Sodium
import Testing

@Suite struct EncryptionTests {
  let key = (0x80..<0xa0).map { UInt8($0) }
  let nonce = (0x40..<0x58).map { UInt8($0) }
  let associated = hex("50515253c0c1c2c3c4c5c6c7")
  let plaintext = Array(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.".utf8)
  let sealed = hex(
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216"
      + "cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b5"
      + "2ec0875924c1c7987947deafd8780acf49")

  @Test func sealsAndOpensAsTheDraftDoes() throws {
    let made = AEAD.seal(
      SecretBytes(copying: plaintext), associatedData: associated, nonce: nonce, key: SecretBytes(copying: key))
    #expect(made == sealed)
    #expect(try open(sealed) == plaintext)
  }

  @Test func theEmptyMessageHasATagOnly() throws {
    let made = AEAD.seal(SecretBytes(count: 0), associatedData: [], nonce: nonce, key: SecretBytes(copying: key))
    #expect(made.count == AEAD.tagBytes)
    let opened = try AEAD.open(made, associatedData: [], nonce: nonce, key: SecretBytes(copying: key)).exposed()
    #expect(opened.isEmpty)
  }

  @Test func everyFlippedBitIsRefused() {
    for bit in 0..<(8 * sealed.count) {
      var altered = sealed
      altered[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(refusal { try open(altered) } == .authenticationFailed, "bit \(bit)")
    }
  }

  @Test func everyTruncationIsRefused() {
    for count in 0..<sealed.count {
      let expected: SodiumError.Code = count < AEAD.tagBytes ? .wrongLength : .authenticationFailed
      #expect(refusal { try open(Array(sealed.prefix(count))) } == expected)
    }
    #expect(refusal { try open(sealed + [0]) } == .authenticationFailed)
  }

  @Test func anotherContextIsRefused() {
    #expect(refusal { try open(sealed, associated: []) } == .authenticationFailed)
    #expect(refusal { try open(sealed, associated: associated + [0]) } == .authenticationFailed)
    #expect(refusal { try open(sealed, nonce: [1] + nonce.dropFirst()) } == .authenticationFailed)
    #expect(refusal { try open(sealed, nonce: Array(nonce.dropLast())) } == .wrongLength)
    #expect(refusal { try open(sealed, key: [1] + key.dropFirst()) } == .authenticationFailed)
  }

  private func open(
    _ sealed: [UInt8], associated: [UInt8]? = nil, nonce: [UInt8]? = nil, key: [UInt8]? = nil
  ) throws -> [UInt8] {
    try AEAD.open(
      sealed, associatedData: associated ?? self.associated, nonce: nonce ?? self.nonce,
      key: SecretBytes(copying: key ?? self.key)
    ).exposed()
  }

  private func refusal(_ body: () throws -> [UInt8]) -> SodiumError.Code? {
    do {
      _ = try body()
      return nil
    } catch { return (error as? SodiumError)?.code }
  }
}
