// What libsodium's typed owners refuse, and why. A reason never contains secret bytes.

/// An operational failure of a primitive: malformed outside data or a failed authentication.
public struct SodiumError: Error, Equatable, Sendable {
  public enum Code: String, Sendable {
    /// The bytes have another length than the primitive's.
    case wrongLength = "SO-01"
    /// The bytes are not the one canonical encoding of an acceptable value.
    case notCanonical = "SO-02"
    /// The Diffie-Hellman output is all zero: the peer sent a point of small order.
    case weakSharedSecret = "SO-03"
    /// The ciphertext, its associated data, nonce or key do not belong together.
    case authenticationFailed = "SO-04"
  }

  public let code: Code
  public let reason: String

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }

  static func length(_ what: String, expected: Int, found: Int) -> SodiumError {
    SodiumError(.wrongLength, "\(what) has \(found) bytes instead of \(expected)")
  }
}
