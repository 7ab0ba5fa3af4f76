// Why the server cannot start or go on with a job: one code a cause, a sentence for people, and what to do next.

/// A failure of the server's side.
public struct CoordinatorError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The causes; the raw value is what the command line prints as `error[CO-01]`.
  public enum Code: String, Sendable, CaseIterable {
    /// The state directory is damaged or belongs to another job.
    case stateDamaged = "CO-01"
    /// Another server runs with this state directory.
    case stateInUse = "CO-02"
    /// A file could not be read or written.
    case file = "CO-03"
    /// The initial weights cannot be used.
    case weights = "CO-04"
    /// The state directory belongs to a job with another configuration.
    case otherJob = "CO-05"
    /// Too few sites came in time.
    case tooFewSites = "CO-06"
    /// A round failed in every attempt.
    case roundFailed = "CO-07"
    /// The sum could not be decoded.
    case badSum = "CO-08"
    /// The job's parameters are out of bounds.
    case badJob = "CO-09"
    /// Another attempt would spend more privacy than the job may.
    case budgetSpent = "CO-10"
  }

  public let code: Code
  public let reason: String
  public let hint: String

  public init(_ code: Code, _ reason: String, hint: String) {
    self.code = code
    self.reason = reason
    self.hint = hint
  }

  /// The process exit status that belongs to it: 65 bad data, 69 unavailable, 75 try again, 78 configuration.
  public var exitStatus: Int32 {
    switch code {
    case .stateDamaged, .weights, .badSum: 65
    case .tooFewSites: 69
    case .stateInUse, .roundFailed: 75
    case .file, .otherJob, .badJob, .budgetSpent: 78
    }
  }

  public var description: String { "error[\(code.rawValue)]: \(reason)\nhint: \(hint)" }
}
