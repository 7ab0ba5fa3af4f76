// X25519 Diffie-Hellman (RFC 7748) for the fresh keys of each attempt. Public keys are accepted in canonical form only
// (u < 2^255 − 19), so that one key has one encoding, and an all-zero output is refused: it means a point of small order.
import CSodium

public enum X25519 {
  public static let keyBytes = 32

  /// A peer's public key in canonical form.
  public struct PublicKey: Hashable, Sendable {
    public let bytes: [UInt8]

    /// - Throws: `.wrongLength`, or `.notCanonical` where the bytes are not below 2^255 − 19.
    public init(_ bytes: [UInt8]) throws(SodiumError) {
      guard bytes.count == keyBytes else { throw .length("an X25519 public key", expected: keyBytes, found: bytes.count) }
      guard LittleEndian.isBelow(bytes, X25519.prime) else {
        throw SodiumError(.notCanonical, "the X25519 public key is not below 2^255 - 19")
      }
      self.bytes = bytes
    }
  }

  /// A secret key in guarded memory.
  public final class SecretKey: Sendable {
    private let secret: SecretBytes
    public let publicKey: PublicKey

    /// A fresh key.
    public convenience init() {
      self.init(checked: SecretBytes(randomCount: keyBytes))
    }

    /// The key of 32 given secret bytes (clamped by X25519 itself).
    public convenience init(derivedFrom bytes: borrowing SecretBytes) throws(SodiumError) {
      guard bytes.count == keyBytes else { throw .length("an X25519 secret key", expected: keyBytes, found: bytes.count) }
      self.init(checked: bytes.duplicate())
    }

    private init(checked secret: consuming SecretBytes) {
      var point = [UInt8](repeating: 0, count: keyBytes)
      let status = crypto_scalarmult_curve25519_base(&point, secret.pointer)
      precondition(status == 0, "multiplying the base point cannot fail")
      self.secret = secret
      guard let key = try? PublicKey(point) else { preconditionFailure("libsodium gives reduced coordinates") }
      publicKey = key
    }

    /// The raw 32-byte output, always to be hashed before use.
    /// - Throws: `.weakSharedSecret` where it is all zero.
    public func sharedSecret(with peer: PublicKey) throws(SodiumError) -> SecretBytes {
      let shared = SecretBytes(count: keyBytes)
      let status = crypto_scalarmult_curve25519(shared.mutablePointer, secret.pointer, peer.bytes)
      guard status == 0, !shared.isZero() else {
        throw SodiumError(.weakSharedSecret, "the shared secret is all zero: the peer's key has small order")
      }
      return shared
    }
  }

  /// 2^255 − 19, little-endian.
  static let prime: [UInt8] = [0xed] + [UInt8](repeating: 0xff, count: 30) + [0x7f]
}
