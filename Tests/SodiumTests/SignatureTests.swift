// Ed25519: RFC 8032 vectors, and everything that must not verify or parse.
import Sodium
import Testing

@Suite struct SignatureTests {
  // RFC 8032, section 7.1, test 2 (one-byte message).
  let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
  let publicKey = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
  let signature = hex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
      + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")

  @Test func signsAsTheStandardDoes() throws {
    let key = try Ed25519.SigningKey(seed: SecretBytes(copying: seed))
    #expect(key.publicKey.bytes == publicKey)
    #expect(key.signature(of: [0x72]) == signature)
    #expect(key.publicKey.verify(signature, of: [0x72]))
    #expect(key.seed().exposed() == seed)
  }

  @Test func freshKeysDiffer() {
    #expect(Ed25519.SigningKey().publicKey != Ed25519.SigningKey().publicKey)
  }

  @Test func everyFlippedBitOfTheSignatureIsRefused() throws {
    let key = try Ed25519.PublicKey(publicKey)
    for bit in 0..<512 {
      var altered = signature
      altered[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(!key.verify(altered, of: [0x72]), "bit \(bit)")
    }
  }

  @Test func otherMessagesAndLengthsAreRefused() throws {
    let key = try Ed25519.PublicKey(publicKey)
    #expect(!key.verify(signature, of: [0x73]))
    #expect(!key.verify(signature, of: []))
    #expect(!key.verify(signature, of: [0x72, 0x00]))
    #expect(!key.verify([], of: [0x72]))
    #expect(!key.verify(Array(signature.dropLast()), of: [0x72]))
    #expect(!key.verify(signature + [0], of: [0x72]))
  }

  @Test func aSignatureWithTheOrderAddedIsRefused() throws {
    // S + ℓ is the same residue: malleable unless S < ℓ is demanded.
    var altered = signature
    var carry = 0
    for index in 0..<32 {
      let sum = Int(altered[32 + index]) + Int(Scalar.order[index]) + carry
      altered[32 + index] = UInt8(sum & 255)
      carry = sum >> 8
    }
    #expect(carry == 0)
    #expect(!(try Ed25519.PublicKey(publicKey)).verify(altered, of: [0x72]))
  }

  @Test(arguments: [0, 1, 31, 33, 64])
  func keysOfOtherLengthsAreRefused(_ count: Int) {
    #expect(throws: SodiumError.self) { try Ed25519.PublicKey([UInt8](repeating: 1, count: count)) }
    #expect(throws: SodiumError.self) { try Ed25519.SigningKey(seed: SecretBytes(count: count)) }
  }

  // Points of order 1, 2, 4 and 8, a non-canonical y, and bytes that are no point.
  @Test(arguments: [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0200000000000000000000000000000000000000000000000000000000000000",
  ])
  func weakOrMalformedKeysAreRefused(_ bytes: String) {
    #expect { try Ed25519.PublicKey(hex(bytes)) } throws: { ($0 as? SodiumError)?.code == .notCanonical }
  }
}
