// XChaCha20-Poly1305 with associated data (draft-irtf-cfrg-xchacha). The caller owns key and nonce discipline:
// the protocol uses one key per direction, once.
import CSodium

public enum AEAD {
  public static let keyBytes = 32
  public static let nonceBytes = 24
  /// What a ciphertext is longer than its plaintext by.
  public static let tagBytes = 16

  /// Ciphertext ‖ tag of a secret.
  public static func seal(
    _ plaintext: borrowing SecretBytes, associatedData: [UInt8], nonce: [UInt8], key: borrowing SecretBytes
  ) -> [UInt8] {
    precondition(nonce.count == nonceBytes && key.count == keyBytes, "the protocol fixes key and nonce sizes")
    var sealed = [UInt8](repeating: 0, count: plaintext.count + tagBytes)
    let status = crypto_aead_xchacha20poly1305_ietf_encrypt(
      &sealed, nil, plaintext.pointer, UInt64(plaintext.count), associatedData, UInt64(associatedData.count), nil, nonce,
      key.pointer)
    precondition(status == 0, "encryption cannot fail")
    return sealed
  }

  /// The secret inside `sealed`.
  /// - Throws: `.wrongLength` where it is shorter than a tag, `.authenticationFailed` where anything was altered.
  public static func open(
    _ sealed: [UInt8], associatedData: [UInt8], nonce: [UInt8], key: borrowing SecretBytes
  ) throws(SodiumError) -> SecretBytes {
    precondition(key.count == keyBytes, "the protocol fixes the key size")
    guard nonce.count == nonceBytes else { throw .length("a nonce", expected: nonceBytes, found: nonce.count) }
    guard sealed.count >= tagBytes else {
      throw SodiumError(.wrongLength, "a ciphertext of \(sealed.count) bytes is shorter than its tag")
    }
    let plaintext = SecretBytes(count: sealed.count - tagBytes)
    let status = crypto_aead_xchacha20poly1305_ietf_decrypt(
      plaintext.mutablePointer, nil, nil, sealed, UInt64(sealed.count), associatedData, UInt64(associatedData.count), nonce,
      key.pointer)
    guard status == 0 else {
      throw SodiumError(.authenticationFailed, "the ciphertext was altered, or sealed for other keys or another context")
    }
    return plaintext
  }
}
