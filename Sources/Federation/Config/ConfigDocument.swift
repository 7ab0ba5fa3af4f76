// A configuration file as a tree with positions. Bounded before it is parsed: size, nesting, and no anchors at all, so that a
// small file cannot unfold into a large one. Every complaint carries file, line and column.
import Foundation
import Yams

/// One YAML file, read and composed, with the text kept for error messages.
struct ConfigDocument {
  /// A configuration is written by hand; more than this is something else.
  static let bytesMax = 65_536
  static let openBracketsMax = 256
  static let indentMax = 200

  let file: String
  let lines: [Substring]
  let root: Node

  /// - Throws: CF-01 for a file that cannot be read.
  init(path: String) throws(FederationError) {
    let bytes: [UInt8]
    do {
      bytes = try BoundedFile.read(path, bytesMax: Self.bytesMax)
    } catch {
      throw FederationError(.configUnreadable, "cannot read \(path): \(error.reason)", hint: "check the path given with --config")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FederationError(.configSyntax, "\(path) is not UTF-8 text", hint: "save the file as UTF-8")
    }
    try self.init(text: text, file: path)
  }

  /// - Parameter file: the name that error messages show.
  /// - Throws: CF-02 for text that is no YAML mapping, CF-06 duplicate keys, CF-10 forbidden constructs.
  init(text: String, file: String) throws(FederationError) {
    self.file = file
    lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    guard text.utf8.count <= Self.bytesMax else {
      throw FederationError(.configUnreadable, "\(file) is larger than \(Self.bytesMax) bytes", hint: "give the configuration file")
    }
    let place = { [lines] in Self.place(file: file, lines: lines, line: $0, column: $1, width: $2) }
    try Self.screen(lines, place: place)
    root = try Self.compose(text, file: file, place: place)
  }

  func place(of node: Node) -> SourcePlace {
    var width = 1
    if case .scalar(let scalar) = node {
      let quotes = scalar.style == .singleQuoted || scalar.style == .doubleQuoted ? 2 : 0
      width = scalar.string.unicodeScalars.count + quotes
    }
    return Self.place(file: file, lines: lines, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1, width: width)
  }

  private static func place(file: String, lines: [Substring], line: Int, column: Int, width: Int) -> SourcePlace {
    let text = lines.indices.contains(line - 1) ? String(lines[line - 1]) : ""
    return SourcePlace(file: file, line: max(1, line), column: max(1, column), width: max(1, width), text: text)
  }

  /// Looks at the raw text for what must not reach the parser. Judges tokens by the character before them, without knowing
  /// quotes, so it may refuse a harmless ` &x` inside them, never the other way round.
  private static func screen(_ lines: [Substring], place: (Int, Int, Int) -> SourcePlace) throws(FederationError) {
    var brackets = 0
    for (index, line) in lines.enumerated() {
      var before: Unicode.Scalar = " "
      var inPrefix = true
      let scalars = Array(line.unicodeScalars)
      // In a line with quotes a '#' may be text: then what looks like a comment is looked at as well.
      let quoted = scalars.contains("'") || scalars.contains("\"")
      for (offset, scalar) in scalars.enumerated() {
        if scalar == "#", before == " " || before == "\t", !quoted { break }
        inPrefix = inPrefix && " -?:".unicodeScalars.contains(scalar)
        if inPrefix, offset >= indentMax {
          throw FederationError(
            .forbiddenYAML, "nested too deeply", hint: "a configuration needs a few levels only", at: place(index + 1, offset + 1, 1))
        }
        if scalar == "[" || scalar == "{" { brackets += 1 }
        let follows = offset + 1 < scalars.count ? scalars[offset + 1] : " "
        if scalar == "&" || scalar == "*", " \t,[{:-?!'\"".unicodeScalars.contains(before), follows != " " {
          throw FederationError(
            .forbiddenYAML, "anchors and aliases (`&name`, `*name`) are not taken here", hint: "write the value out where it is needed",
            at: place(index + 1, offset + 1, 1))
        }
        before = scalar
      }
      if brackets > openBracketsMax {
        throw FederationError(
          .forbiddenYAML, "more than \(openBracketsMax) brackets", hint: "a configuration is a short file", at: place(index + 1, 1, 1))
      }
    }
  }

  private static func compose(
    _ text: String, file: String, place: (Int, Int, Int) -> SourcePlace
  ) throws(FederationError) -> Node {
    do {
      guard let node = try Parser(yaml: text).singleRoot() else { return Node.mapping(Node.Mapping([])) }
      guard case .mapping = node else {
        throw FederationError(
          .configSyntax, "the file does not hold `key: value` settings", hint: "see the examples folder",
          at: place(node.mark?.line ?? 1, node.mark?.column ?? 1, 1))
      }
      return node
    } catch let error as FederationError {
      throw error
    } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
      let name = keys.first ?? "?"
      throw FederationError(
        .duplicateKey, "`\(name)` is given more than once", hint: "keep one of them; this is the first",
        at: place(context.mark.line, context.mark.column, name.unicodeScalars.count))
    } catch YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _)
    {
      throw FederationError(
        .configSyntax, "this is not YAML: \(problem)", hint: "check indentation, colons and brackets here and on the line above",
        at: place(mark.line, mark.column, 1))
    } catch {
      throw FederationError(.configSyntax, "\(file) is not YAML", hint: "save it as plain UTF-8 text without control characters")
    }
  }
}
