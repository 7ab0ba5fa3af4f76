// The one error type of training and validation: what was wrong, where, and what to do. Faults of a data set, of weights
// and of files keep their own module's types; this is for jobs, options and runs.

/// Why a training job could not be done.
public struct TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Codes as users see them.
  public enum Code: String, Sendable, CaseIterable {
    /// The job file or an option is wrong; nothing was started.
    case badJob = "TN-01"
    /// The data set holds nothing to train or validate with, or does not fit the weights.
    case unsuitableData = "TN-02"
    /// Weights that are damaged or no detector.
    case unsuitableWeights = "TN-03"
    /// Optimiser state that is damaged or belongs to other weights.
    case unsuitableState = "TN-04"
    /// The loss left the finite numbers.
    case diverged = "TN-05"
    /// A file could not be read or written.
    case inputOutput = "TN-06"
    /// OpenBLAS computes wrongly on this processor.
    case wrongProducts = "TN-07"
    /// A hyper-parameter file is wrong; the reason begins with its place.
    case badHyperParameters = "TN-08"
  }

  public let code: Code
  /// What happened, with its place.
  public let reason: String
  /// What to do about it.
  public let hint: String

  public init(_ code: Code, _ reason: String, hint: String) {
    self.code = code
    self.reason = reason
    self.hint = hint
  }

  public var description: String { "\(code.rawValue): \(reason) (\(hint))" }
}
