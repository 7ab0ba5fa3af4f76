// Where text goes: results on standard output, everything about the run (progress, logs, warnings) on standard error,
// so that `--json` output stays a clean stream. Colour only on a terminal, and never when NO_COLOR is set.
import Foundation

/// The two output streams of a process.
public enum Output {
  /// Writes a line to standard output.
  public static func line(_ text: String = "") { write(text + "\n", to: FileHandle.standardOutput) }

  /// Writes a line to standard error.
  public static func note(_ text: String) { write(text + "\n", to: FileHandle.standardError) }

  /// A warning that nobody can overlook: it has a frame of its own on standard error.
  public static func loudWarning(_ lines: [String]) {
    let width = min(110, lines.map(\.count).max() ?? 0)
    let bar = String(repeating: "!", count: width + 4)
    let (on, off) = isTerminal(STDERR_FILENO) ? ("\u{1B}[1;33m", "\u{1B}[0m") : ("", "")
    note(on + bar + off)
    for text in lines { note(on + "! " + text + off) }
    note(on + bar + off)
  }

  /// Prints an error the way docs/errors.md describes.
  public static func report(_ error: CommandError) {
    note(error.rendered(color: isTerminal(STDERR_FILENO)))
  }

  /// True if the descriptor is a terminal that understands colour and cursor movement.
  public static func isTerminal(_ descriptor: Int32) -> Bool {
    let environment = ProcessInfo.processInfo.environment
    return isatty(descriptor) == 1 && environment["NO_COLOR"] == nil && environment["TERM"] != "dumb"
  }

  /// Width of the terminal on standard error in columns; 100 if it is none.
  public static var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 100 }
    return Int(size.ws_col)
  }

  /// Writes raw text; a reader that went away ends the output, not the program with a trap.
  public static func write(_ text: String, to handle: FileHandle) {
    try? handle.write(contentsOf: Data(text.utf8))
  }
}

/// Machine-readable results: one object, or one object a line, on standard output and nothing else there.
public enum JSONOutput {
  /// Prints one value as an indented object with sorted keys.
  public static func object(_ value: some Encodable) throws {
    Output.write(try text(value, pretty: true) + "\n", to: FileHandle.standardOutput)
  }

  /// Prints one value as one line.
  public static func line(_ value: some Encodable) throws {
    Output.write(try text(value, pretty: false) + "\n", to: FileHandle.standardOutput)
  }

  /// The JSON text itself. Keys are sorted so that equal values give equal bytes. Non-finite numbers become the strings
  /// `"inf"`, `"-inf"`, `"nan"`, because JSON has no number for them.
  public static func text(_ value: some Encodable, pretty: Bool) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = pretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
