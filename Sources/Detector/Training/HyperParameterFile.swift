// YOLOv5's hyper-parameter yaml, read as it is and written as it is. A key that is not YOLOv5's is an error with its place: a misspelt
// one would otherwise train with a default in silence. Keys that a file leaves out keep v7.0's values for training from scratch.

import Foundation
import Yams

extension HyperParameters {
  private static let bytesMax = 1 << 20
  private static let anchorsKey = "anchors"

  /// Reads `yaml`.
  /// - Parameter task: what is trained: a detector has no polygons for `copy_paste`.
  /// - Throws: `TrainingError.badHyperParameters`, the place as `path:line:column` in its reason.
  public init(yaml path: String, task: ModelTask = .detect) throws(TrainingError) {
    guard let data = FileManager.default.contents(atPath: path), data.count <= Self.bytesMax,
      let text = String(data: data, encoding: .utf8)
    else {
      throw Self.fault(path, nil, "cannot be read as a text of at most \(Self.bytesMax) bytes", hint: "give the path of a hyp.yaml")
    }
    try self.init(parsing: text, path: path, task: task)
  }

  /// - Parameter path: named in errors.
  init(parsing text: String, path: String, task: ModelTask = .detect) throws(TrainingError) {
    self.init()
    let mapping: Node.Mapping?
    do throws(YAMLText.Fault) { mapping = try YAMLText.mapping(text) } catch {
      let place = [error.line, error.column].compactMap { $0.map { ":\($0)" } }.joined()
      throw TrainingError(.badHyperParameters, "\(path)\(place): \(error.reason)", hint: "a hyp.yaml is a list of `key: number` lines")
    }
    for (key, value) in mapping ?? [:] {
      let name = key.string ?? ""
      guard name == Self.anchorsKey || Self.fields.contains(where: { $0.key == name }) else {
        throw Self.fault(path, key.mark, "unknown key '\(name.prefix(60))'", hint: "known are \(Self.knownKeys)")
      }
      guard let number = value.scalar.flatMap({ Double($0.string) }), number.isFinite else {
        throw Self.fault(path, value.mark, "\(name) must be a number", hint: "write a number such as 0.5")
      }
      guard name != "copy_paste" || number == 0 || task == .segment else {
        throw Self.fault(
          path, value.mark, "copy_paste is \(number), but it needs polygons, and a detector is trained with boxes",
          hint: "set copy_paste: 0.0")
      }
      try set(name, number, path, value.mark)
    }
  }

  private static var knownKeys: String { (fields.map(\.key) + [anchorsKey]).joined(separator: ", ") }

  private mutating func set(_ name: String, _ number: Double, _ path: String, _ mark: Mark?) throws(TrainingError) {
    if name == Self.anchorsKey {
      let count = Int(min(max(number, -1), 1000).rounded(.toNearestOrEven))
      guard count == 0 || Self.anchorsRange.contains(count) else {
        throw Self.fault(path, mark, "anchors must be from 0 to \(Self.anchorsRange.upperBound)", hint: "0 keeps the model's anchors")
      }
      anchors = count == 0 ? nil : count
    } else if let field = Self.fields.first(where: { $0.key == name }) {
      guard field.accepts(number) else {
        throw Self.fault(path, mark, "\(name) must be \(field.rule)", hint: "it is the \(field.name)")
      }
      self[keyPath: field.path] = number
    }
  }

  private static func fault(_ path: String, _ mark: Mark?, _ reason: String, hint: String) -> TrainingError {
    let place = mark.map { "\(path):\($0.line):\($0.column)" } ?? path
    return TrainingError(.badHyperParameters, "\(place): \(reason)", hint: hint)
  }

  /// The yaml that says all this; reading it gives the same values.
  public var yaml: String {
    var lines = Self.fields.map { "\($0.key): \(Self.text(self[keyPath: $0.path]))" }
    if let anchors { lines.append("\(Self.anchorsKey): \(anchors)") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A number that YAML 1.1's readers take for one: `5e-05` without a point is a text to them.
  static func text(_ value: Double) -> String {
    let plain = "\(value)"
    guard let exponent = plain.firstIndex(of: "e"), !plain.contains(".") else { return plain }
    return plain[..<exponent] + ".0" + plain[exponent...]
  }
}
