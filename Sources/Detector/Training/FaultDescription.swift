// The one place where errors of this module turn into what a command prints: code, sentence, hint, and the kind that
// decides the exit status. Commands map it to their own error type; this module knows no command line.

/// An error of the detector as a user should see it.
public struct FaultDescription: Equatable, Sendable {
  public enum Kind: Sendable {
    /// Bad data: images, labels, weights (exit status 65).
    case data
    /// A wrong job or option (78).
    case configuration
    /// A file or device failed (69).
    case unavailable
  }

  public var code: String
  public var what: String
  public var hint: String
  public var kind: Kind

  /// Nil for errors that are not of this module.
  public init?(_ error: any Error) {
    switch error {
    case let error as TrainingError:
      code = error.code.rawValue
      what = error.reason
      hint = error.hint
      switch error.code {
      case .badJob, .badHyperParameters: kind = .configuration
      case .inputOutput, .wrongProducts: kind = .unavailable
      case .unsuitableData, .unsuitableWeights, .unsuitableState, .diverged: kind = .data
      }
    case let error as DataError:
      code = error.code.rawValue
      what = error.message
      hint = error.hint
      kind = error.code == .cannotWrite ? .unavailable : .data
    default:
      return nil
    }
  }
}
