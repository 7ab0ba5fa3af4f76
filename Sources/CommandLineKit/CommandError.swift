// What a command says when it fails: a code with a row in docs/errors.md, what happened, where, and what to do.
// The modules below know nothing of the command line; each command converts their typed errors into this one.

/// An operational failure as the user sees it. Never carries a secret.
public struct CommandError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A position in a text file, with the line itself so that a caret can be drawn under it.
  public struct Place: Sendable, Equatable {
    public var file: String
    /// Counted from 1.
    public var line: Int
    /// Counted from 1, in Unicode scalars.
    public var column: Int
    /// How many characters the caret line marks; at least 1.
    public var width: Int
    /// The text of that line, without its line break.
    public var text: String

    public init(file: String, line: Int, column: Int, width: Int = 1, text: String) {
      (self.file, self.line, self.column, self.width, self.text) = (file, line, column, width, text)
    }
  }

  /// Two letters, a hyphen, two digits: `CF-03`.
  public var code: String
  /// One sentence without a full stop: what happened, with the name of the thing concerned.
  public var what: String
  /// One sentence: what to do about it.
  public var hint: String?
  public var exit: ExitStatus
  public var place: Place?

  public init(code: String, what: String, hint: String? = nil, exit: ExitStatus, place: Place? = nil) {
    (self.code, self.what, self.hint, self.exit, self.place) = (code, what, hint, exit, place)
  }

  /// The lines printed on standard error, without a line break at the end.
  public func rendered(color: Bool = false) -> String {
    let red = color ? "\u{1B}[1;31m" : ""
    let bold = color ? "\u{1B}[1m" : ""
    let cyan = color ? "\u{1B}[36m" : ""
    let off = color ? "\u{1B}[0m" : ""
    var lines: [String] = []
    let position = place.map { "\(printable($0.file)):\($0.line):\($0.column): " } ?? ""
    lines.append("\(red)error[\(code)]\(off): \(bold)\(position)\(printable(what))\(off)")
    if let place { lines += caretLines(place, red: red, off: off) }
    if let hint { lines.append("\(cyan)hint\(off): \(printable(hint))") }
    return lines.joined(separator: "\n")
  }

  public var description: String { rendered() }

  private func caretLines(_ place: Place, red: String, off: String) -> [String] {
    // A very long line is cut to a window around the place, so that the caret stays on the screen.
    let scalars = Array(place.text.unicodeScalars)
    let column = min(max(place.column, 1), scalars.count + 1)
    let start = column > 100 ? column - 40 : 1
    let end = min(scalars.count, start + 119)
    let shown = start <= end ? scalars[(start - 1)..<end] : []
    var line = ""
    line.unicodeScalars.append(contentsOf: shown.map { $0.properties.isPrintableOnOneLine ? $0 : " " })
    let number = String(place.line)
    let margin = String(repeating: " ", count: number.count)
    let room = max(1, shown.count - (column - start))
    let carets = String(repeating: "^", count: min(max(place.width, 1), room))
    return [
      " \(number) | \(line)",
      " \(margin) | " + String(repeating: " ", count: column - start) + red + carets + off,
    ]
  }

  // Names out of files and from the network end up here: control characters must not reach the terminal.
  private func printable(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if scalar == "\n" || scalar.properties.isPrintableOnOneLine {
        out.append(scalar)
      } else {
        out.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      }
    }
    return String(out)
  }
}

extension Unicode.Scalar.Properties {
  fileprivate var isPrintableOnOneLine: Bool {
    switch generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
    default: return true
    }
  }
}
