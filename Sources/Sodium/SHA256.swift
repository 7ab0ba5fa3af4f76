// SHA-256 (FIPS 180-4), for formats that others fixed: the ledger's Merkle tree (RFC 6962) and key identifiers of signed notes. The
// protocol's own hash is BLAKE2b.
import CSodium

public enum SHA256 {
  public static let digestBytes = 32

  /// The digest of `prefix` and then `message`, without putting them together first.
  public static func hash(_ message: [UInt8], prefix: UInt8? = nil) -> [UInt8] {
    SodiumLibrary.ensureReady()
    var digest = [UInt8](repeating: 0, count: digestBytes)
    var state = crypto_hash_sha256_state()
    // The four calls only fail for null pointers.
    crypto_hash_sha256_init(&state)
    if var prefix { crypto_hash_sha256_update(&state, &prefix, 1) }
    crypto_hash_sha256_update(&state, message, UInt64(message.count))
    crypto_hash_sha256_final(&state, &digest)
    return digest
  }
}
