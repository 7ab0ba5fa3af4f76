// Typed reads from one mapping of a configuration file. A section states its keys when it is opened; any other key is an error
// at once, with the nearest known key as a hint, so that a typing mistake never means "default".
import Foundation
import Yams

struct ConfigSection {
  let document: ConfigDocument
  /// Dotted path for messages; empty at the top.
  let path: String
  let node: Node
  private let values: [(key: String, keyNode: Node, value: Node)]

  /// - Parameters:
  ///   - keys: every key that may stand here.
  ///   - elsewhere: where other keys of the format belong, for hints.
  /// - Throws: CF-03 for any other key, CF-04 if this is no mapping.
  init(
    _ document: ConfigDocument, _ node: Node, path: String, keys: [String], elsewhere: [String: String] = [:]
  ) throws(FederationError) {
    (self.document, self.path, self.node) = (document, path, node)
    guard case .mapping(let mapping) = node else {
      throw FederationError(
        .wrongType, "`\(path)` holds settings of its own: `key: value` lines, or {key: value}",
        hint: "known keys: \(keys.joined(separator: ", "))",
        at: document.place(of: node))
    }
    var values: [(String, Node, Node)] = []
    for (keyNode, value) in mapping {
      guard case .scalar(let scalar) = keyNode, keys.contains(scalar.string) else {
        throw Self.unknown(keyNode, document, path: path, keys: keys, elsewhere: elsewhere)
      }
      values.append((scalar.string, keyNode, value))
    }
    self.values = values
  }

  private static func unknown(
    _ key: Node, _ document: ConfigDocument, path: String, keys: [String], elsewhere: [String: String]
  ) -> FederationError {
    guard case .scalar(let scalar) = key else {
      return FederationError(
        .unknownKey, "a key is one word", hint: "known keys: \(keys.joined(separator: ", "))", at: document.place(of: key))
    }
    let name = String(scalar.string.prefix(80))
    let hint: String
    if let home = elsewhere[name] {
      hint = home.isEmpty ? "`\(name)` belongs at the top of the file" : "`\(name)` belongs under `\(home)`"
    } else if let near = Spelling.nearest(to: name, among: keys) {
      hint = "did you mean `\(near)`?"
    } else if let near = Spelling.nearest(to: name, among: elsewhere.keys.sorted()), let home = elsewhere[near], !home.isEmpty {
      hint = "did you mean `\(near)` under `\(home)`?"
    } else {
      hint = "known keys here: \(keys.joined(separator: ", "))"
    }
    let what = path.isEmpty ? "unknown key `\(name)`" : "unknown key `\(name)` in `\(path)`"
    return FederationError(.unknownKey, what, hint: hint, at: document.place(of: key))
  }

  func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
  func value(_ key: String) -> Node? { values.first { $0.key == key }?.value }
  func has(_ key: String) -> Bool { value(key) != nil }

  /// Where the value of `key` stands, or the section if it is not given.
  func place(_ key: String) -> SourcePlace { document.place(of: value(key) ?? node) }

  func section(_ key: String, keys: [String], elsewhere: [String: String] = [:]) throws(FederationError) -> ConfigSection? {
    guard let node = value(key) else { return nil }
    return try ConfigSection(document, node, path: name(key), keys: keys, elsewhere: elsewhere)
  }

  // MARK: values

  private func wrong(_ key: String, _ node: Node, _ expected: String, hint: String) -> FederationError {
    FederationError(.wrongType, "`\(name(key))` must be \(expected)", hint: hint, at: document.place(of: node))
  }

  private func outside(_ key: String, _ node: Node, _ rule: String, hint: String = "choose a value in that range") -> FederationError {
    FederationError(.outOfRange, "`\(name(key))` must be \(rule)", hint: hint, at: document.place(of: node))
  }

  /// The text of a scalar; nil for null.
  private func plain(_ node: Node) -> (text: String, quoted: Bool)? {
    guard case .scalar(let scalar) = node else { return nil }
    let quoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
    if !quoted, ["", "~", "null", "Null", "NULL"].contains(scalar.string) { return nil }
    return (scalar.string, quoted)
  }

  func missing(_ key: String, hint: String) -> FederationError {
    FederationError(.missingKey, "`\(name(key))` is missing", hint: hint, at: document.place(of: node))
  }

  func bool(_ key: String) throws(FederationError) -> Bool? {
    guard let node = value(key) else { return nil }
    switch plain(node) {
    case ("true", false)?: return true
    case ("false", false)?: return false
    default: throw wrong(key, node, "true or false", hint: "write `\(key): true` or `\(key): false`, without quotes")
    }
  }

  func int(_ key: String, in range: ClosedRange<Int>) throws(FederationError) -> Int? {
    guard let node = value(key) else { return nil }
    guard let (text, quoted) = plain(node), !quoted, text.utf8.count <= 20, text.wholeMatch(of: /[+-]?[0-9]+/) != nil else {
      throw wrong(key, node, "a whole number", hint: "write digits only, for example `\(key): \(range.lowerBound)`")
    }
    guard let number = Int(text), range.contains(number) else {
      throw outside(key, node, "between \(range.lowerBound) and \(range.upperBound)")
    }
    return number
  }

  /// - Parameters:
  ///   - above: exclusive lower limit; `least`: inclusive one.
  func double(
    _ key: String, above: Double? = nil, least: Double? = nil, below: Double? = nil, most: Double? = nil
  ) throws(FederationError) -> Double? {
    guard let node = value(key) else { return nil }
    guard let (text, quoted) = plain(node), !quoted, text.utf8.count <= 40,
      text.wholeMatch(of: /[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?/) != nil, let number = Double(text), number.isFinite
    else { throw wrong(key, node, "a number", hint: "write it like 0.001 or 1e-5, without quotes or units") }
    var rules: [String] = []
    var fits = true
    if let above { (fits, rules) = (fits && number > above, rules + ["above \(above.short)"]) }
    if let least { (fits, rules) = (fits && number >= least, rules + ["at least \(least.short)"]) }
    if let below { (fits, rules) = (fits && number < below, rules + ["below \(below.short)"]) }
    if let most { (fits, rules) = (fits && number <= most, rules + ["at most \(most.short)"]) }
    guard fits else { throw outside(key, node, rules.joined(separator: " and ")) }
    return number
  }

  func string(_ key: String, bytesMax: Int = 4096) throws(FederationError) -> String? {
    guard let node = value(key) else { return nil }
    return try text(node, key: key, bytesMax: bytesMax)
  }

  private func text(_ node: Node, key: String, bytesMax: Int) throws(FederationError) -> String {
    guard let (text, _) = plain(node), !text.isEmpty else { throw wrong(key, node, "text", hint: "give a value, or leave the key out") }
    guard text.utf8.count <= bytesMax, text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
      throw outside(key, node, "at most \(bytesMax) bytes without control characters", hint: "shorten it")
    }
    return text
  }

  func strings(_ key: String, countMax: Int, bytesMax: Int = 256) throws(FederationError) -> [String]? {
    guard let node = value(key) else { return nil }
    guard case .sequence(let sequence) = node else { throw wrong(key, node, "a list", hint: "write it like [a, b]") }
    guard sequence.count <= countMax else { throw outside(key, node, "a list of at most \(countMax)") }
    var list: [String] = []
    for element in sequence { list.append(try text(element, key: key, bytesMax: bytesMax)) }
    return list
  }

  /// One word of `choices`; words of `later` belong to the format but are refused as not built yet.
  func choice(_ key: String, _ choices: [String], later: [String] = []) throws(FederationError) -> String? {
    guard let node = value(key) else { return nil }
    let word = try text(node, key: key, bytesMax: 256)
    if choices.contains(word) { return word }
    if later.contains(word) { throw notBuilt(key, "\(key): \(word)", instead: choices.map { "`\(key): \($0)`" }.joined(separator: " or ")) }
    let near = Spelling.nearest(to: word, among: choices + later)
    throw outside(
      key, node, "one of: \((choices + later).joined(separator: ", "))", hint: near.map { "did you mean `\($0)`?" } ?? "choose one of them")
  }

  func notBuilt(_ key: String, _ what: String, instead: String) -> FederationError {
    FederationError(.notBuilt, "`\(what)` is not built yet", hint: "use \(instead)", at: place(key))
  }

  func conflict(_ key: String, _ what: String, hint: String) -> FederationError {
    FederationError(.conflict, what, hint: hint, at: place(key))
  }

  func rangeError(_ key: String, _ rule: String, hint: String) -> FederationError {
    FederationError(.outOfRange, "`\(name(key))` must be \(rule)", hint: hint, at: place(key))
  }
}

extension Double {
  fileprivate var short: String { self == rounded() && abs(self) < 1e6 ? String(Int(self)) : String(self) }
}

/// Nearest known word for a misspelt one.
enum Spelling {
  /// The candidate at the smallest edit distance, if that is at most a third of the word; ties go to the first.
  static func nearest(to word: String, among candidates: [String]) -> String? {
    let limit = max(1, min(3, word.count / 3))
    let lower = Array(word.lowercased().replacing("-", with: "_").prefix(64))
    let scored = candidates.map { (word: $0, distance: distance(lower, Array($0))) }
    return scored.filter { $0.distance <= limit }.min { $0.distance < $1.distance }?.word
  }

  /// Insertions, deletions, substitutions and swaps of neighbours.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var rows = [Array(0...b.count)]
    for i in 1..<(a.count + 1) {
      var row = [i]
      for j in 1..<(b.count + 1) {
        let cost = a[i - 1] == b[j - 1] ? 0 : 1
        var best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + cost)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}

extension Node {
  /// The value at a path of mapping keys; nil where one of them is missing.
  func mappingValue(_ path: [String]) -> Node? {
    guard let first = path.first else { return self }
    guard case .mapping(let mapping) = self else { return nil }
    return mapping.first { $0.key.scalar?.string == first }?.value.mappingValue(Array(path.dropFirst()))
  }
}
