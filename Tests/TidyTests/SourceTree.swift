// The repository as the tidy tests see it: Swift files, who imports what, and where a line stands.
import Foundation

struct SourceFile: Sendable {
  /// Path from the repository's root, for example `Sources/SecAgg/RoundPlan.swift`.
  let path: String
  let text: String

  var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

  /// The module that the file belongs to: the folder under `Sources` or `Tests`.
  var module: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : ""
  }

  var imports: [String] {
    lines.compactMap { line in
      let words = line.split(separator: " ")
      guard let at = words.firstIndex(of: "import"), at <= 2, words.count > at + 1, !line.hasPrefix("//") else { return nil }
      let name = words[at + 1] == "struct" || words[at + 1] == "func" ? words.last! : words[at + 1]
      return name.split(separator: ".").first.map(String.init)
    }
  }
}

enum SourceTree {
  static let root: URL = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Every file below `folder` whose name ends in one of `suffixes`, in a fixed order.
  static func files(in folder: String, suffixes: [String]) -> [SourceFile] {
    let base = root.appendingPathComponent(folder)
    guard let walker = FileManager.default.enumerator(atPath: base.path) else { return [] }
    var found: [SourceFile] = []
    for case let relative as String in walker where suffixes.contains(where: relative.hasSuffix) {
      guard let text = try? String(contentsOf: base.appendingPathComponent(relative), encoding: .utf8) else { continue }
      found.append(SourceFile(path: folder + "/" + relative, text: text))
    }
    return found.sorted { $0.path < $1.path }
  }

  static let swiftSources = files(in: "Sources", suffixes: [".swift"])
  static let handWritten = swiftSources.filter { !$0.path.contains("/Generated/") }
  static let swiftTests = files(in: "Tests", suffixes: [".swift"])
}
