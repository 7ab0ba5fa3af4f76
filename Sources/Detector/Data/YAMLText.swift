// The mapping that a YAML text is, or what is wrong with it and where: the one way in for data.yaml, model yamls and hyper-parameters.
import Yams

enum YAMLText {
  struct Fault: Error {
    var reason: String
    /// From 1.
    var line: Int?
    var column: Int?
  }

  /// - Returns: nil for a text without content.
  static func mapping(_ text: String) throws(Fault) -> Node.Mapping? {
    let root: Node?
    do { root = try compose(yaml: text) } catch YamlError.duplicatedKeysInMapping(let keys, _) {
      let key = keys.sorted().first ?? ""
      let line = secondLine(of: key, in: text)
      throw Fault(reason: "\(key) stands twice", line: line, column: line == nil ? nil : 1)
    } catch YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _)
    {
      throw Fault(reason: "not YAML: \(problem)", line: mark.line, column: mark.column)
    } catch { throw Fault(reason: "not YAML") }
    guard let root else { return nil }
    guard let mapping = root.mapping else {
      throw Fault(reason: "not a YAML mapping", line: root.mark?.line, column: root.mark?.column)
    }
    return mapping
  }

  /// The second line that begins with `key:`; the parser only says that there is one.
  private static func secondLine(of key: String, in text: String) -> Int? {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    return lines.indices.filter { lines[$0].hasPrefix(key + ":") }.dropFirst().first.map { $0 + 1 }
  }
}
