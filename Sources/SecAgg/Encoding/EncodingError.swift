// What the encoder and the decoder refuse (spec/04-quantisation-and-wrap-bound.md, spec/12-noised-rounds.md).

public struct EncodingError: Error, Equatable, Sendable {
  public enum Code: String, Sendable {
    /// NaN or infinity: training diverged, and a clamp would hide it.
    case notFinite = "EN-01"
    /// Vectors or sections of another length than the layout's.
    case wrongLength = "EN-02"
    /// A scalar that the parameters name is missing, or one that they do not name is given.
    case wrongScalars = "EN-03"
    /// A count below zero or above its range.
    case countOutOfRange = "EN-04"
    /// A sum that no honest updates can have.
    case sumOutOfRange = "EN-05"
    /// The weights of the survivors sum to nothing: there is no mean.
    case noWeight = "EN-06"
    /// No rounding of an update keeps the norm that a noised round allows.
    case cannotRound = "EN-07"
  }

  public let code: Code
  public let reason: String

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}
