// Why images, labels or a data.yaml were not accepted: what, where, and what to do. Input from disk is never trusted.

public struct DataError: Error, Equatable, Sendable {
  public enum Code: String, Sendable, CaseIterable {
    case unreadable = "DT-01"
    case badDescription = "DT-02"
    case noImages = "DT-03"
    case badImage = "DT-04"
    case badLabel = "DT-05"
    case tooLarge = "DT-06"
    case cannotWrite = "DT-07"
    case badModel = "DT-08"
  }

  public let code: Code
  public let path: String
  /// Line in a text file, from 1.
  public let line: Int?
  /// Column in a text file, from 1; only where the line is known.
  public let column: Int?
  public let reason: String
  public let hint: String

  init(_ code: Code, _ path: String, line: Int? = nil, column: Int? = nil, _ reason: String, hint: String) {
    (self.code, self.path, self.line, self.column, self.reason, self.hint) = (code, path, line, column, reason, hint)
  }

  /// `path:line:column: reason`.
  public var message: String { path + [line, column].compactMap { $0.map { ":\($0)" } }.joined() + ": " + reason }
}
