// data.yaml read leniently: every fault with its line and column, and whatever can be used in spite of them. Only a text that is no
// YAML mapping at all ends the check, as an error.
import Foundation
import Yams

struct DescriptionCheck {
  /// A folder, list file or image that a split names.
  struct Source {
    /// Absolute.
    var path: String
    var line: Int?
    var column: Int?
  }

  let path: String
  /// Class names by index; empty where the file does not say.
  private(set) var names: [String] = []
  private(set) var sources: [Dataset.Split: [Source]] = [:]
  private(set) var faults: [DataFault] = []

  init(yaml path: String) throws(DataError) {
    self.path = path
    let fields = try Self.fields(path)
    for (key, _) in fields where !DatasetDescription.keys.contains(key.string ?? "") {
      let known = DatasetDescription.keys.sorted().joined(separator: ", ")
      add(.description, key, "unknown key '\(key.string ?? "")': a data.yaml knows \(known)")
    }
    readNames(fields)
    let folder = URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent().path
    if let base = fields["path"], base.string == nil { add(.description, base, "path is no path") }
    let base = Self.absolute(fields["path"]?.string ?? ".", below: folder)
    for split in Dataset.Split.allCases { readSources(fields[split.rawValue], split, base) }
  }

  private mutating func add(_ kind: DataFault.Kind, _ node: Node?, _ detail: String) {
    faults.append(DataFault(kind, path, line: node?.mark?.line, column: node?.mark?.column, detail))
  }

  private static func fields(_ path: String) throws(DataError) -> Node.Mapping {
    func unusable(_ reason: String, line: Int? = nil, column: Int? = nil) -> DataError {
      DataError(.badDescription, path, line: line, column: column, reason, hint: DataFault.Kind.description.hint)
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DataError(.unreadable, path, "cannot be opened", hint: "give the path of a data.yaml")
    }
    guard data.count <= DatasetDescription.fileBytesMax, let text = String(data: data, encoding: .utf8) else {
      throw unusable("not a UTF-8 text of at most \(DatasetDescription.fileBytesMax) bytes")
    }
    do throws(YAMLText.Fault) {
      guard let mapping = try YAMLText.mapping(text) else { throw YAMLText.Fault(reason: "not a YAML mapping") }
      return mapping
    } catch { throw unusable(error.reason, line: error.line, column: error.column) }
  }

  // MARK: Names

  private mutating func readNames(_ fields: Node.Mapping) {
    let node = fields["names"].flatMap { $0.null == nil ? $0 : nil }
    let count = fields["nc"].flatMap { $0.null == nil ? $0 : nil }
    if let list = node?.sequence {
      names = list.enumerated().map { name($0.element, $0.offset) }
    } else if let map = node?.mapping {
      readNumbered(map, node)
    } else if let node {
      add(.description, node, "names is neither a list of names nor numbers with names")
    }
    if let count, count.int.map({ $0 < 1 || $0 > DatasetDescription.classesMax }) ?? true {
      add(.description, count, "nc is not a number of classes from 1 to \(DatasetDescription.classesMax)")
    } else if let count, let number = count.int, node == nil {
      names = (0..<number).map { "class\($0)" }
    } else if let count, let number = count.int, number != names.count {
      add(.description, count, "nc is \(number), but there are \(names.count) names")
    }
    if names.isEmpty { add(.description, node ?? count, "names is missing: what are the classes called?") }
    if names.count > DatasetDescription.classesMax {
      add(.description, node, "\(names.count) classes; \(DatasetDescription.classesMax) are possible")
      names = Array(names.prefix(DatasetDescription.classesMax))
    }
  }

  private mutating func readNumbered(_ map: Node.Mapping, _ node: Node?) {
    var byIndex: [Int: String] = [:]
    for (key, value) in map {
      guard let index = key.int, (0..<DatasetDescription.classesMax).contains(index) else {
        add(.description, key, "'\(key.string ?? "")' is not the number of a class")
        continue
      }
      byIndex[index] = name(value, index)
    }
    let count = (byIndex.keys.max() ?? -1) + 1
    let missing = (0..<count).filter { byIndex[$0] == nil }
    if !missing.isEmpty {
      let shown = missing.prefix(10).map(String.init).joined(separator: ", ") + (missing.count > 10 ? ", …" : "")
      add(.description, node, "names has no class \(shown): classes are numbered from 0 without gaps")
    }
    names = (0..<count).map { byIndex[$0] ?? "class\($0)" }
  }

  private var firstByName: [String: Int] = [:]

  private mutating func name(_ node: Node, _ index: Int) -> String {
    let name = (node.string ?? "").trimmingCharacters(in: .whitespaces)
    if name.isEmpty { add(.description, node, "class \(index) has no name") }
    if let first = firstByName[name], !name.isEmpty {
      add(.sameClassName, node, "classes \(first) and \(index) are both called '\(name)'")
    } else {
      firstByName[name] = index
    }
    return name.isEmpty ? "class\(index)" : name
  }

  // MARK: Paths

  private mutating func readSources(_ node: Node?, _ split: Dataset.Split, _ base: String) {
    guard let node, node.null == nil else { return }
    for entry in node.sequence.map(Array.init) ?? [node] {
      guard let text = entry.string, !text.isEmpty else {
        add(.description, entry, "\(split.rawValue) is neither a path nor a list of paths")
        continue
      }
      let source = Source(path: Self.absolute(text, below: base), line: entry.mark?.line, column: entry.mark?.column)
      for other in Dataset.Split.allCases where other != split {
        guard sources[other]?.contains(where: { $0.path == source.path }) == true else { continue }
        add(.leak, entry, "\(split.rawValue) names \(text), and so does \(other.rawValue)")
      }
      if let first = sources[split]?.first(where: { $0.path == source.path }) {
        add(.listedTwice, entry, "\(split.rawValue) names \(text) again; it stands in line \(first.line ?? 0) already")
      } else {
        sources[split, default: []].append(source)
      }
    }
  }

  private static func absolute(_ path: String, below base: String) -> String {
    URL(fileURLWithPath: path.hasPrefix("/") ? path : base + "/" + path).standardizedFileURL.path
  }
}
