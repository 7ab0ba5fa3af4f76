// What an audit can find false, one code a rule of spec/15-ledger.md. The code of a cause is the id of its rule.

public enum Cause: String, Sendable, CaseIterable {
  // The log
  /// The checkpoint is no note, or no checkpoint.
  case checkpointForm = "LG-01"
  /// An entry bundle or tile is missing, cut off, or of another size than the checkpoint asks for.
  case bundle = "LG-02"
  /// A tile disagrees with the entries.
  case tile = "LG-03"
  /// The entries do not have the checkpoint's root.
  case root = "LG-04"
  /// The log does not continue a checkpoint that was seen before.
  case since = "LG-05"
  /// The checkpoint is of another log than the roster's server keeps.
  case origin = "LG-06"
  /// The log's own signature is missing or wrong.
  case logSignature = "LG-07"
  /// A site's cosignature is wrong, or older than the newest entry.
  case cosignature = "LG-08"
  /// Fewer cosignatures than a quorum.
  case quorum = "LG-09"

  // Leaves
  case leafLength = "LG-10"
  case notCanonical = "LG-11"
  case schema = "LG-12"
  case time = "LG-13"
  case attachment = "LG-14"

  // Rosters
  /// No roster first, a malformed one, or one that the consortium did not sign.
  case roster = "LG-20"
  /// A roster that a quorum of the sites before did not agree to.
  case rosterAgreement = "LG-21"
  /// A serial number or date that goes back.
  case rosterOrder = "LG-22"
  /// The newest roster of the log is not the one that the auditor was given.
  case rosterPinned = "LG-23"

  // Jobs
  /// A record that is none, or says something else than its leaf.
  case jobRecord = "LG-30"
  /// A job that is opened twice, is not open, or is closed.
  case jobOrder = "LG-31"

  // Rounds
  case plan = "LG-40"
  case planOfJob = "LG-41"
  case replay = "LG-42"
  case survivors = "LG-43"
  case charge = "LG-44"
  case order = "LG-45"
  case released = "LG-46"
  case signatureCount = "LG-47"
  case revealed = "LG-48"
  case weights = "LG-49"

  // Privacy
  case epsilonRound = "LG-50"
  case epsilonTotal = "LG-51"
  case delta = "LG-52"
  case budget = "LG-53"
  case refund = "LG-54"
  case aborted = "LG-55"
  case closing = "LG-56"
  /// A survivor's signature does not hold over the sets of its leaf.
  case signature = "LG-57"
}

/// A rule that an entry breaks.
public struct AuditFault: Error, Equatable, Sendable {
  public let cause: Cause
  /// One sentence without a full stop.
  public let reason: String

  public init(_ cause: Cause, _ reason: String) { (self.cause, self.reason) = (cause, reason) }
}
