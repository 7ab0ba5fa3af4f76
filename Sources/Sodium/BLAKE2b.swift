// BLAKE2b (RFC 7693): plain, keyed and incremental. Keyed output over a secret key stays in guarded memory.
import CSodium

public enum BLAKE2b {
  /// Digest and key sizes in bytes that libsodium takes.
  public static let sizes = 16...64

  /// The digest of `message`; `key` nil or 16 to 64 bytes.
  public static func hash(_ message: [UInt8], key: [UInt8]? = nil, size: Int = 32) -> [UInt8] {
    let hasher = Hasher(key: key, size: size)
    hasher.update(message)
    return hasher.finalise()
  }

  /// A secret derived from a secret: the keyed digest of public bytes.
  public static func derive(key: borrowing SecretBytes, _ message: [UInt8], size: Int = 32) -> SecretBytes {
    precondition(sizes.contains(size) && sizes.contains(key.count), "BLAKE2b keys and digests have 16 to 64 bytes")
    let output = SecretBytes(count: size)
    let status = crypto_generichash(output.mutablePointer, size, message, UInt64(message.count), key.pointer, key.count)
    precondition(status == 0, "hashing cannot fail")
    return output
  }

  /// The keyed digest of public bytes as public bytes (an authenticator or commitment).
  public static func hash(_ message: [UInt8], secretKey key: borrowing SecretBytes, size: Int = 32) -> [UInt8] {
    derive(key: key, message, size: size).exposed()
  }

  /// An incremental hash. Not thread-safe; `finalise` ends it.
  public final class Hasher {
    // The state wants 64-byte alignment, for which Swift imports the type as opaque.
    private let memory: UnsafeMutableRawPointer
    private let state: OpaquePointer
    private let size: Int
    private var isFinished = false

    public init(key: [UInt8]? = nil, size: Int = 32) {
      precondition(sizes.contains(size), "BLAKE2b digests have 16 to 64 bytes")
      precondition(key.map { sizes.contains($0.count) } ?? true, "BLAKE2b keys have 16 to 64 bytes")
      SodiumLibrary.ensureReady()
      memory = UnsafeMutableRawPointer.allocate(byteCount: crypto_generichash_statebytes(), alignment: 64)
      state = OpaquePointer(memory)
      self.size = size
      let status = crypto_generichash_init(state, key, key?.count ?? 0, size)
      precondition(status == 0, "the sizes were checked")
    }

    deinit {
      sodium_memzero(memory, crypto_generichash_statebytes())
      memory.deallocate()
    }

    public func update(_ bytes: [UInt8]) {
      bytes.withUnsafeBytes { update($0) }
    }

    public func update(_ bytes: ArraySlice<UInt8>) {
      bytes.withUnsafeBytes { update($0) }
    }

    public func update(_ bytes: UnsafeRawBufferPointer) {
      precondition(!isFinished, "a finished hash takes no more bytes")
      guard let base = bytes.baseAddress else { return }
      let status = crypto_generichash_update(state, base.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
      precondition(status == 0, "hashing cannot fail")
    }

    /// The digest of everything so far; once.
    public func finalise() -> [UInt8] {
      precondition(!isFinished, "a hash is finished once")
      isFinished = true
      var digest = [UInt8](repeating: 0, count: size)
      let status = crypto_generichash_final(state, &digest, size)
      precondition(status == 0, "hashing cannot fail")
      return digest
    }
  }
}
