// What masks and shares refuse, and why. A reason never contains a secret.

public struct MaskingError: Error, Equatable, Sendable {
  public enum Code: String, Sendable {
    /// A packed vector has another length than its count and bits demand.
    case wrongLength = "MK-01"
    /// A padding bit is not zero.
    case paddingNotZero = "MK-02"
    /// A word does not fit the ring's bits.
    case wordOutOfRing = "MK-03"
    /// Two keys or identities that must differ are equal, or a shared secret is all zero.
    case unusablePair = "MK-04"
    /// Bytes that are not a canonical scalar.
    case scalarNotCanonical = "SS-01"
    /// Sharing parameters outside 1 ≤ t ≤ n ≤ 255, or another number of shares than the threshold.
    case wrongShareCount = "SS-02"
    /// A share's point is zero, outside the cohort, or appears twice.
    case badSharePoint = "SS-03"
  }

  public let code: Code
  public let reason: String

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}
