// What `secagg check` prints: findings by kind, tables of the splits and classes, a verdict. The same as JSON, there with every finding.

import CommandLineKit
import Detector
import Foundation

struct CheckReport: Encodable {
  struct Finding: Encodable {
    var kind: String
    var severity: String
    var file: String
    var line: Int?
    var column: Int?
    var detail: String

    enum CodingKeys: String, CodingKey { case kind, severity, file, line, column, detail }

    /// `line` is always there, null where there is none; `column` only where it is known.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(kind, forKey: .kind)
      try container.encode(severity, forKey: .severity)
      try container.encode(file, forKey: .file)
      try container.encode(line, forKey: .line)
      try container.encodeIfPresent(column, forKey: .column)
      try container.encode(detail, forKey: .detail)
    }
  }

  struct Split: Encodable {
    struct Class: Encodable {
      var `class`: Int
      var name: String
      var boxes: Int
      var images: Int
    }
    var images: Int
    var labelled: Int
    var background: Int
    var broken: Int
    var boxes: Int
    var perClass: [Class]

    enum CodingKeys: String, CodingKey {
      case images, labelled, background, broken, boxes
      case perClass = "per_class"
    }
  }

  var ok: Bool
  var images: Int
  var faultCount: Int
  var noteCount: Int
  /// Faults and notes: `severity` tells them apart.
  var faults: [Finding]
  var splits: [String: Split]

  private let outcome: DataCheck.Outcome
  private let folder: String

  enum CodingKeys: String, CodingKey {
    case ok, images, faults, splits
    case faultCount = "fault_count"
    case noteCount = "note_count"
  }

  static let shownMax = 20
  private static let classesShownMax = 40

  /// - Parameter folder: paths below it are shown relative to it; JSON has them as they are.
  init(_ outcome: DataCheck.Outcome, folder: String) {
    (self.outcome, self.folder) = (outcome, folder)
    (ok, images, faultCount, noteCount) = (outcome.isClean, outcome.images, outcome.faultCount, outcome.noteCount)
    faults = outcome.findings.map {
      Finding(
        kind: $0.kind.rawValue, severity: $0.severity.rawValue, file: $0.file, line: $0.line, column: $0.column, detail: $0.detail)
    }
    let names = outcome.names
    splits = Dictionary(
      uniqueKeysWithValues: outcome.splits.map { summary in
        let classes = summary.boxesByClass.indices.map { index in
          Split.Class(class: index, name: names[index], boxes: summary.boxesByClass[index], images: summary.imagesByClass[index])
        }
        return (
          summary.split.rawValue,
          Split(
            images: summary.images, labelled: summary.labelled, background: summary.background, broken: summary.broken,
            boxes: summary.boxes, perClass: classes)
        )
      })
  }

  /// The report for people.
  func lines() -> [String] { findingLines() + splitLines() + classLines() + [""] + verdict() }

  private func shown(_ text: String) -> String {
    // Names of files may hold control characters; a terminal obeys those.
    let printable = text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : String($0) }.joined()
    return printable.replacingOccurrences(of: folder == "/" ? "/" : folder + "/", with: "")
  }

  private func findingLines() -> [String] {
    var lines: [String] = []
    for kind in DataFault.Kind.allCases {
      let findings = outcome.findings.filter { $0.kind == kind }
      guard !findings.isEmpty else { continue }
      lines.append("\(kind.severity.rawValue)\(kind.severity == .note ? " " : "")  \(kind.title): \(findings.count)")
      for finding in findings.prefix(Self.shownMax) {
        let place = finding.file + [finding.line, finding.column].compactMap { $0.map { ":\($0)" } }.joined()
        lines.append("  \(shown(place)): \(shown(finding.detail))")
      }
      if findings.count > Self.shownMax { lines.append("  … and \(findings.count - Self.shownMax) more (--json lists all)") }
      lines += ["  hint: \(kind.hint)", ""]
    }
    return lines
  }

  private func splitLines() -> [String] {
    var table = Table([
      .init("split"), .init("images", .right), .init("labelled", .right), .init("background", .right), .init("broken", .right),
      .init("boxes", .right), .init("boxes an image", .right),
    ])
    for summary in outcome.splits {
      let mean = summary.images > 0 ? Text.fixed(Double(summary.boxes) / Double(summary.images), 1) : ""
      table.add(
        [summary.split.rawValue]
          + [summary.images, summary.labelled, summary.background, summary.broken, summary.boxes].map(String.init) + [mean])
    }
    return table.rendered()
  }

  private func classLines() -> [String] {
    var table = Table(
      [.init("class", .right), .init("name")]
        + outcome.splits.flatMap { [.init("\($0.split.rawValue) boxes", .right), .init("images", .right)] })
    for (index, name) in outcome.names.enumerated().prefix(Self.classesShownMax) {
      let counts = outcome.splits.flatMap { ["\($0.boxesByClass[index])", "\($0.imagesByClass[index])"] }
      table.add(["\(index)", shown(name)] + counts)
    }
    let rest = outcome.names.count - Self.classesShownMax
    return [""] + table.rendered() + (rest > 0 ? ["… and \(rest) more classes (--json lists all)"] : [])
  }

  private func verdict() -> [String] {
    func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
    let words = "\(counted(outcome.faultCount, "fault")) and \(counted(outcome.noteCount, "note")) in \(counted(outcome.images, "image"))"
    return [outcome.isClean ? "clean    \(words)" : "faulty   \(words): repair them, then check again"]
  }
}
