// What the GMP owners refuse, and why.

/// Malformed outside data, or an operation without a result.
public struct GMPError: Error, Equatable, Sendable {
  public enum Code: String, Sendable {
    /// Text that is not a number of the expected form, or too long.
    case malformedNumber = "GM-01"
    /// A zero divisor or denominator.
    case divisionByZero = "GM-02"
    /// The number has no inverse for this modulus.
    case notInvertible = "GM-03"
    /// The number does not fit the requested size.
    case outOfRange = "GM-04"
  }

  public let code: Code
  public let reason: String

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}
