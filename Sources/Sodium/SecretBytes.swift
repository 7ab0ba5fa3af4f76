// Owner of secret bytes in guarded memory (sodium_malloc: guard pages, canary, locked where the system allows it; small ones share
// such regions, see SecretPool).
// Invariant: one owner, zeroed when it ends, never printable, never Codable, compared in constant time.
import CSodium

/// A fixed number of secret bytes. Not copyable: a second copy must be asked for by name.
public struct SecretBytes: ~Copyable, @unchecked Sendable {
  private let base: UnsafeMutableRawPointer
  public let count: Int

  /// All-zero bytes, to be filled by the caller.
  public init(count: Int) {
    precondition(count >= 0 && count <= 1 << 30, "a secret has between 0 and 2^30 bytes")
    self.count = count
    if let pool = SecretPool.pool(for: count) {
      base = pool.take()
      return
    }
    SodiumLibrary.ensureReady()
    guard let memory = sodium_malloc(count) else {
      preconditionFailure("no memory for a secret of \(count) bytes")
    }
    sodium_memzero(memory, count)
    base = memory
  }

  /// Uniformly random bytes of the operating system's generator.
  public init(randomCount count: Int) {
    self.init(count: count)
    randombytes_buf(base, count)
  }

  /// Copies bytes that the caller keeps.
  public init(copying bytes: [UInt8]) {
    self.init(count: bytes.count)
    bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      base.copyMemory(from: start, byteCount: source.count)
    }
  }

  /// Takes bytes over and zeroes the array that held them.
  public init(taking bytes: inout [UInt8]) {
    self.init(copying: bytes)
    SodiumLibrary.wipe(&bytes)
  }

  deinit {
    if let pool = SecretPool.pool(for: count) { pool.giveBack(base) } else { sodium_free(base) }
  }

  /// A second owner of the same bytes.
  public borrowing func duplicate() -> SecretBytes {
    let copy = SecretBytes(count: count)
    copy.base.copyMemory(from: base, byteCount: count)
    return copy
  }

  /// The bytes as an ordinary array, for the moment at which the secret ceases to be one (a reveal) or enters a key file.
  public borrowing func exposed() -> [UInt8] {
    [UInt8](UnsafeRawBufferPointer(start: base, count: count))
  }

  public borrowing func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  public mutating func withUnsafeMutableBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeMutableRawBufferPointer(start: base, count: count))
  }

  /// Compares without an early exit. The lengths are public.
  public borrowing func constantTimeEquals(_ other: borrowing SecretBytes) -> Bool {
    guard count == other.count else { return false }
    return sodium_memcmp(base, other.base, count) == 0
  }

  /// Whether every byte is zero, without an early exit.
  public borrowing func isZero() -> Bool {
    sodium_is_zero(base.assumingMemoryBound(to: UInt8.self), count) == 1
  }

  // For this module's calls into C. The pointer must not outlive the call.
  var pointer: UnsafePointer<UInt8> { UnsafePointer(base.assumingMemoryBound(to: UInt8.self)) }
  var mutablePointer: UnsafeMutablePointer<UInt8> { base.assumingMemoryBound(to: UInt8.self) }
}
