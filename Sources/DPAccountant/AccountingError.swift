// What the accountant refuses, and why: it never guesses the cost of an event that it does not know.

public struct AccountingError: Error, Equatable, Sendable {
  public enum Code: String, Sendable {
    /// No theorem that this accountant implements covers the event.
    case unsupportedEvent = "AC-01"
    /// A parameter outside its range (noise multiplier, sampling rate, count, order, δ, ε).
    case parameterOutOfRange = "AC-02"
    /// No noise multiplier within the search range meets the target.
    case targetOutOfReach = "AC-03"
    /// A request that is no JSON object of the expected form, or that lacks a parameter or has one too many.
    case malformedRequest = "AC-04"
  }

  public let code: Code
  public let reason: String

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}
