// X25519: RFC 7748 vectors, agreement, and every point of small order.
import Sodium
import Testing

@Suite struct KeyExchangeTests {
  @Test func bothSidesAgree() throws {
    let (alice, bob) = (X25519.SecretKey(), X25519.SecretKey())
    let left = try alice.sharedSecret(with: bob.publicKey).exposed()
    let right = try bob.sharedSecret(with: alice.publicKey).exposed()
    #expect(left == right)
    #expect(alice.publicKey != bob.publicKey)
  }

  // RFC 7748, section 5.2, first vector (scalar, u, output).
  @Test func multipliesAsTheStandardDoes() throws {
    let secret = try X25519.SecretKey(
      derivedFrom: SecretBytes(copying: hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")))
    let point = try X25519.PublicKey(hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"))
    let shared = try secret.sharedSecret(with: point).exposed()
    #expect(shared == hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"))
  }

  @Test(arguments: [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ])
  func pointsOfSmallOrderAreRefused(_ bytes: String) throws {
    let point = try X25519.PublicKey(hex(bytes))
    #expect { _ = try X25519.SecretKey().sharedSecret(with: point) } throws: { ($0 as? SodiumError)?.code == .weakSharedSecret }
  }

  @Test(arguments: [
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0900000000000000000000000000000000000000000000000000000000000080",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  ])
  func secondEncodingsOfAKeyAreRefused(_ bytes: String) {
    #expect { try X25519.PublicKey(hex(bytes)) } throws: { ($0 as? SodiumError)?.code == .notCanonical }
  }

  @Test(arguments: [0, 31, 33])
  func otherLengthsAreRefused(_ count: Int) {
    #expect(throws: SodiumError.self) { try X25519.PublicKey([UInt8](repeating: 1, count: count)) }
    #expect(throws: SodiumError.self) { try X25519.SecretKey(derivedFrom: SecretBytes(count: count)) }
  }
}
