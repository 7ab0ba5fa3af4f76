// Why a site's client cannot go on: one code a cause, a sentence for people, and what to do next. Never holds a key, a weight or a
// value of the site's data; what is told to the server is a code and a fixed sentence only (`toldToServer`).

/// A failure at a site.
public struct ParticipantError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The causes; the raw value is what the command line prints as `error[PA-01]`.
  public enum Code: String, Sendable, CaseIterable {
    /// The journal is damaged, or something else.
    case journalDamaged = "PA-01"
    /// Another client runs with this state directory.
    case stateInUse = "PA-02"
    /// A file of the site could not be read or written.
    case file = "PA-03"
    /// What was asked for was done before, under other contents: the journal forbids it.
    case journalForbids = "PA-04"
    /// The trainer could not be started.
    case trainerStart = "PA-05"
    /// The trainer ended with a failure.
    case trainerFailed = "PA-06"
    /// The trainer took longer than agreed.
    case trainerDeadline = "PA-07"
    /// The trainer's result is not what the contract asks for.
    case trainerResult = "PA-08"
    /// The server's configuration, weights or messages break a rule.
    case serverMisbehaves = "PA-09"
    /// The site's own policy forbids the job.
    case policy = "PA-10"
    /// The roster is older than one already seen, or the site is not in it.
    case roster = "PA-11"
    /// The server ended the job with a failure.
    case jobFailed = "PA-12"
  }

  public let code: Code
  public let reason: String
  public let hint: String

  public init(_ code: Code, _ reason: String, hint: String) {
    self.code = code
    self.reason = reason
    self.hint = hint
  }

  /// The process exit status that belongs to it: 65 bad data, 70 internal, 75 try again, 77 identity refused, 78 configuration.
  public var exitStatus: Int32 {
    switch code {
    case .journalDamaged, .trainerResult, .serverMisbehaves: 65
    case .stateInUse, .trainerFailed, .trainerDeadline, .jobFailed: 75
    case .file, .trainerStart: 78
    case .journalForbids, .policy, .roster: 77
    }
  }

  public var description: String { "error[\(code.rawValue)]: \(reason)\nhint: \(hint)" }
}
