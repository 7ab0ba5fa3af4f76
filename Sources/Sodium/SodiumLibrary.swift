// libsodium must be initialised once before its first use: every owner of this module calls `ensureReady`.
import CSodium

/// Namespace of what belongs to the library as a whole.
public enum SodiumLibrary {
  /// The version of the library that runs, such as "1.0.18".
  public static var version: String { String(cString: sodium_version_string()) }

  private static let ready: Void = {
    // -1 means that no random source could be opened: nothing in this program may run then.
    precondition(sodium_init() >= 0, "libsodium could not be initialised: no source of randomness")
  }()

  /// Initialises libsodium (thread-safe, idempotent).
  public static func ensureReady() { _ = ready }

  /// Compares without an early exit. The lengths are public.
  public static func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    ensureReady()
    return sodium_memcmp(left, right, left.count) == 0
  }

  /// Overwrites a buffer that briefly held a secret. Copies that Swift made elsewhere are out of reach: prefer `SecretBytes`.
  public static func wipe(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      sodium_memzero(base, buffer.count)
    }
  }

  /// Overwrites memory that the caller owns, in a way that the compiler does not leave out.
  public static func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    sodium_memzero(base, bytes.count)
  }
}
