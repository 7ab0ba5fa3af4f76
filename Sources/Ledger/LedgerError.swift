// What can go wrong with files and requests around a ledger, apart from what an audit finds false (that is a Cause, not an error).

public struct LedgerError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    /// A file of the ledger cannot be read or written.
    case unreadable = "LD-01"
    /// The ledger on disk is not what its own checkpoint says: nothing is appended to it.
    case damaged = "LD-02"
    /// An entry that every auditor would refuse: it is not written.
    case refusedEntry = "LD-03"
    /// A checkpoint, proof or cosignature that is malformed.
    case malformedNote = "LD-04"
    /// A roster or key that is malformed, or not the pinned consortium's.
    case roster = "LD-05"
    /// The ledger has no such round, site or entry.
    case notFound = "LD-06"
    /// Another process writes to this ledger.
    case locked = "LD-07"
    /// A witness does not sign: the new checkpoint does not follow from the last one that it saw.
    case inconsistent = "LD-08"
  }

  public let code: Code
  /// One sentence without a full stop.
  public let reason: String
  public let hint: String

  public init(_ code: Code, _ reason: String, hint: String = "") { (self.code, self.reason, self.hint) = (code, reason, hint) }

  public var description: String { "\(code.rawValue): \(reason)" }
}
