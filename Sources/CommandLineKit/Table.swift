// Tables on the terminal: finished ones for results, and a live one whose rows arrive one by one while a job runs.
import Foundation

/// A text table with aligned columns.
public struct Table: Sendable {
  public enum Alignment: Sendable { case left, right }
  public struct Column: Sendable {
    public var title: String
    public var alignment: Alignment
    /// Least width in characters; live tables cannot look ahead and rely on it.
    public var width: Int
    public init(_ title: String, _ alignment: Alignment = .left, width: Int = 0) {
      (self.title, self.alignment, self.width) = (title, alignment, max(width, title.count))
    }
  }

  public let columns: [Column]
  public private(set) var rows: [[String]] = []

  public init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row; missing cells are empty, surplus cells are a mistake of the caller.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count <= columns.count, "more cells than columns")
    rows.append(cells + Array(repeating: "", count: columns.count - cells.count))
  }

  /// Header, rule and rows, as lines without trailing blanks.
  public func rendered() -> [String] {
    var widths = columns.map(\.width)
    for row in rows { for (i, cell) in row.enumerated() { widths[i] = max(widths[i], cell.count) } }
    return [Self.line(columns.map(\.title), columns, widths), Self.rule(widths)]
      + rows.map { Self.line($0, columns, widths) }
  }

  static func line(_ cells: [String], _ columns: [Column], _ widths: [Int]) -> String {
    var parts: [String] = []
    for (i, cell) in cells.enumerated() {
      let pad = String(repeating: " ", count: max(0, widths[i] - cell.count))
      parts.append(columns[i].alignment == .left ? cell + pad : pad + cell)
    }
    var text = parts.joined(separator: "  ")
    while text.last == " " { text.removeLast() }
    return text
  }

  static func rule(_ widths: [Int]) -> String {
    widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
  }
}

/// A table that prints each row as it becomes known; on a terminal the newest row can be rewritten in place while it
/// still changes. Not thread-safe: it belongs to the loop that it describes.
public final class LiveTable {
  private let columns: [Table.Column]
  private let live: Bool
  private let emit: (String) -> Void
  private var headed = false
  private var open = false

  public init(
    _ columns: [Table.Column], live: Bool = Output.isTerminal(STDERR_FILENO),
    emit: @escaping (String) -> Void = { Output.write($0, to: FileHandle.standardError) }
  ) {
    (self.columns, self.live, self.emit) = (columns, live, emit)
  }

  /// Shows a row that may still change. Without a terminal nothing is printed until `commit`.
  public func show(_ cells: [String]) {
    guard live else { return }
    header()
    emit("\r\u{1B}[K" + String(row(cells).prefix(max(20, Output.columns - 1))))
    open = true
  }

  /// Prints a row for good.
  public func commit(_ cells: [String]) {
    header()
    emit((open ? "\r\u{1B}[K" : "") + row(cells) + "\n")
    open = false
  }

  /// Prints a remark between rows.
  public func note(_ text: String) {
    emit((open ? "\r\u{1B}[K" : "") + text + "\n")
    open = false
  }

  private func header() {
    guard !headed else { return }
    headed = true
    let widths = columns.map(\.width)
    emit(Table.line(columns.map(\.title), columns, widths) + "\n" + Table.rule(widths) + "\n")
  }

  private func row(_ cells: [String]) -> String {
    let filled = cells + Array(repeating: "", count: max(0, columns.count - cells.count))
    return Table.line(Array(filled.prefix(columns.count)), columns, columns.map(\.width))
  }
}
