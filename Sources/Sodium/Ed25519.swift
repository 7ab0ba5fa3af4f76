// Ed25519 signatures (RFC 8032) with strict input checks: 32-byte keys that encode a point of the prime-order group
// canonically, 64-byte signatures; libsodium itself refuses S ≥ ℓ and points of small order.
import CSodium

public enum Ed25519 {
  public static let publicKeyBytes = 32
  public static let signatureBytes = 64
  public static let seedBytes = 32

  /// A public key that was checked when it was made.
  public struct PublicKey: Hashable, Sendable {
    public let bytes: [UInt8]

    /// - Throws: `.wrongLength`, or `.notCanonical` for anything but the canonical encoding of a point of order ℓ.
    public init(_ bytes: [UInt8]) throws(SodiumError) {
      guard bytes.count == publicKeyBytes else {
        throw .length("an Ed25519 public key", expected: publicKeyBytes, found: bytes.count)
      }
      SodiumLibrary.ensureReady()
      guard crypto_core_ed25519_is_valid_point(bytes) == 1 else {
        throw SodiumError(.notCanonical, "the bytes are not a canonical Ed25519 public key of full order")
      }
      self.bytes = bytes
    }

    init(trusted bytes: [UInt8]) { self.bytes = bytes }

    /// Whether `signature` is this key's signature of `message`. Any malformed signature is simply false.
    public func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
      guard signature.count == signatureBytes else { return false }
      return crypto_sign_verify_detached(signature, message, UInt64(message.count), bytes) == 0
    }
  }

  /// A secret signing key in guarded memory.
  public final class SigningKey: Sendable {
    private let secret: SecretBytes
    public let publicKey: PublicKey

    /// A fresh key.
    public convenience init() {
      self.init(checked: SecretBytes(randomCount: seedBytes))
    }

    /// The key of a 32-byte seed (RFC 8032's secret key).
    public convenience init(seed: borrowing SecretBytes) throws(SodiumError) {
      guard seed.count == seedBytes else { throw .length("an Ed25519 seed", expected: seedBytes, found: seed.count) }
      self.init(checked: seed.duplicate())
    }

    private init(checked seed: consuming SecretBytes) {
      let secret = SecretBytes(count: Int(crypto_sign_SECRETKEYBYTES))
      var point = [UInt8](repeating: 0, count: publicKeyBytes)
      let status = crypto_sign_seed_keypair(&point, secret.mutablePointer, seed.pointer)
      precondition(status == 0, "key generation cannot fail")
      self.secret = secret
      publicKey = PublicKey(trusted: point)
    }

    /// The 64-byte deterministic signature of `message`.
    public func signature(of message: [UInt8]) -> [UInt8] {
      var signature = [UInt8](repeating: 0, count: signatureBytes)
      let status = crypto_sign_detached(&signature, nil, message, UInt64(message.count), secret.pointer)
      precondition(status == 0, "signing cannot fail")
      return signature
    }

    /// The 32-byte seed, for the key file.
    public func seed() -> SecretBytes {
      let seed = SecretBytes(count: seedBytes)
      let status = crypto_sign_ed25519_sk_to_seed(seed.mutablePointer, secret.pointer)
      precondition(status == 0, "the seed is part of the key")
      return seed
    }
  }
}
