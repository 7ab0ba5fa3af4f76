// BLAKE2b against an independent implementation (Python's hashlib), in one piece, in pieces, keyed and as a derivation.
import Sodium
import Testing

@Suite struct HashTests {
  let message = (0..<200).map { UInt8($0) }

  @Test func agreesWithHashlib() {
    #expect(
      BLAKE2b.hash(Array("abc".utf8)) == hex("bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"))
    #expect(
      BLAKE2b.hash([], size: 64)
        == hex(
          "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"
            + "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce"))
    let key = (0..<64).map { UInt8($0) }
    #expect(
      BLAKE2b.hash(message, key: Array(key.prefix(32)))
        == hex("a39ff6e7e838226fd50e24a55375ff3a39419fd93e32cc463f3f74323291c425"))
    #expect(BLAKE2b.hash(message, key: key, size: 16) == hex("2a01c9f85e180cbecdcd41de4617aac7"))
  }

  @Test func aDerivedSecretIsTheKeyedHash() {
    let key = (0..<32).map { UInt8($0) }
    let derived = BLAKE2b.derive(key: SecretBytes(copying: key), message).exposed()
    let authenticator = BLAKE2b.hash(message, secretKey: SecretBytes(copying: key))
    #expect(derived == BLAKE2b.hash(message, key: key))
    #expect(authenticator == derived)
  }

  @Test func piecesMakeTheSameDigest() {
    for cut in 0...message.count {
      let hasher = BLAKE2b.Hasher()
      hasher.update(message[..<cut])
      hasher.update(message[cut...])
      #expect(hasher.finalise() == BLAKE2b.hash(message), "cut at \(cut)")
    }
  }

  @Test func messageKeyAndSizeAllMatter() {
    let key = [UInt8](repeating: 7, count: 32)
    let digest = BLAKE2b.hash(message, key: key)
    #expect(digest != BLAKE2b.hash(message))
    #expect(digest != BLAKE2b.hash(Array(message.dropLast()), key: key))
    #expect(digest != BLAKE2b.hash(message + [0], key: key))
    #expect(digest != BLAKE2b.hash(message, key: key + [0]))
    #expect(digest != Array(BLAKE2b.hash(message, key: key, size: 64).prefix(32)))
  }
}
