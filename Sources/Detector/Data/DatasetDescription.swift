// data.yaml in YOLOv5's format: where the images are and what the classes are called. A key that YOLOv5 does not know is an error with
// its place: a misspelt `train` or `names` would otherwise silently change the data set.
import Foundation
import Yams

public struct DatasetDescription: Equatable, Sendable {
  /// Path of the file.
  public let path: String
  /// Class names in order of their index.
  public let names: [String]
  /// Image folders, list files or images, absolute.
  public let trainingPaths: [String]
  public let validationPaths: [String]
  public let testPaths: [String]

  /// `download` is never run.
  static let keys: Set<String> = ["path", "train", "val", "test", "nc", "names", "download"]
  static let fileBytesMax = 4 << 20
  static let classesMax = 10_000

  /// Reads `yaml`. Paths in it are relative to `path` in it, and that to the file's folder.
  public init(yaml path: String) throws(DataError) {
    let file = URL(fileURLWithPath: path).standardizedFileURL
    guard let data = FileManager.default.contents(atPath: file.path) else {
      throw DataError(.unreadable, path, "cannot be opened", hint: "give the path of a data.yaml")
    }
    guard data.count <= Self.fileBytesMax, let text = String(data: data, encoding: .utf8) else {
      throw DataError(.badDescription, path, "not a text of at most \(Self.fileBytesMax) bytes", hint: "a data.yaml is a small UTF-8 text")
    }
    try self.init(parsing: text, path: path)
  }

  /// - Parameter path: where the text came from; relative paths start there.
  public init(parsing text: String, path: String) throws(DataError) {
    let file = URL(fileURLWithPath: path).standardizedFileURL
    let fields = try Self.fields(text, path)
    let base = Self.absolute(fields["path"]?.string ?? ".", below: file.deletingLastPathComponent().path)
    self.path = path
    names = try Self.names(fields, path)
    trainingPaths = try Self.paths(fields["train"], "train", base, path)
    validationPaths = try Self.paths(fields["val"], "val", base, path)
    testPaths = try Self.paths(fields["test"], "test", base, path)
  }

  public func paths(_ split: Dataset.Split) -> [String] {
    switch split {
    case .train: trainingPaths
    case .val: validationPaths
    case .test: testPaths
    }
  }

  private static func bad(_ path: String, _ reason: String, line: Int? = nil) -> DataError {
    DataError(.badDescription, path, line: line, reason, hint: "a data.yaml has path, train, val, nc and names, as in YOLOv5")
  }

  private static func fields(_ text: String, _ path: String) throws(DataError) -> [String: Node] {
    let mapping: Node.Mapping
    do throws(YAMLText.Fault) {
      guard let found = try YAMLText.mapping(text) else { throw YAMLText.Fault(reason: "not a YAML mapping") }
      mapping = found
    } catch { throw bad(path, error.reason, line: error.line) }
    var fields: [String: Node] = [:]
    for (key, value) in mapping {
      let name = key.string ?? ""
      guard keys.contains(name) else {
        let known = keys.sorted().joined(separator: ", ")
        throw DataError(
          .badDescription, path, line: key.mark?.line, column: key.mark?.column, "unknown key '\(name)'", hint: "a data.yaml knows \(known)"
        )
      }
      guard fields.updateValue(value, forKey: name) == nil else { throw bad(path, "\(name) stands twice", line: key.mark?.line) }
    }
    return fields
  }

  private static func names(_ fields: [String: Node], _ path: String) throws(DataError) -> [String] {
    let count = fields["nc"]?.int
    var names: [String] = []
    if let list = fields["names"]?.sequence {
      names = list.map { $0.string ?? "" }
    } else if let map = fields["names"]?.mapping {
      var byIndex: [Int: String] = [:]
      for (key, value) in map { byIndex[key.int ?? -1] = value.string ?? "" }
      guard byIndex.count == map.count, Set(byIndex.keys) == Set(0..<map.count) else {
        throw bad(path, "names must number the classes 0 to \(max(0, map.count - 1))", line: fields["names"]?.mark?.line)
      }
      names = (0..<map.count).compactMap { byIndex[$0] }
    } else if let count, count > 0, count <= classesMax {
      names = (0..<count).map { "class\($0)" }
    }
    guard !names.isEmpty, names.count <= classesMax else { throw bad(path, "names is missing, or has more than \(classesMax) classes") }
    if let count, count != names.count {
      throw bad(path, "nc is \(count), but there are \(names.count) names", line: fields["nc"]?.mark?.line)
    }
    return names
  }

  private static func paths(_ node: Node?, _ key: String, _ base: String, _ path: String) throws(DataError) -> [String] {
    guard let node, node.null == nil else { return [] }
    let found = node.sequence?.map(\.string) ?? [node.string]
    guard let entries = found as? [String], !entries.isEmpty else {
      throw bad(path, "\(key) is neither a path nor a list of paths", line: node.mark?.line)
    }
    return entries.map { absolute($0, below: base) }
  }

  private static func absolute(_ path: String, below base: String) -> String {
    path.hasPrefix("/") ? path : URL(fileURLWithPath: base + "/" + path).standardizedFileURL.path
  }
}
