// docs/errors.md has a row for every code in the sources, and every code means one thing.
import Foundation
import Testing

@testable import Federation

@Suite struct ErrorTableTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Code → the files that define it as the raw value of a case, or hand it to a CommandError.
  private func codesInSources() throws -> [String: Set<String>] {
    let pattern = try Regex("(?:case [A-Za-z]+ = |code: )\"([A-Z]{2}-[0-9]{2,3})\"")
    let sources = Self.root.appendingPathComponent("Sources").resolvingSymlinksInPath()
    var codes: [String: Set<String>] = [:]
    let walker = try #require(FileManager.default.enumerator(atPath: sources.path))
    for case let path as String in walker where path.hasSuffix(".swift") {
      let text = try String(contentsOf: sources.appendingPathComponent(path), encoding: .utf8)
      for match in text.matches(of: pattern) { codes[String(match.output[1].substring ?? ""), default: []].insert(path) }
    }
    return codes
  }

  private func rows() throws -> [String] {
    let text = try String(contentsOf: Self.root.appendingPathComponent("docs/errors.md"), encoding: .utf8)
    return text.split(separator: "\n").compactMap { line in
      line.firstMatch(of: /^\| `([A-Z]{2}-[0-9]{2,3})` \|/).map { String($0.1) }
    }
  }

  @Test func everyCodeHasItsRow() throws {
    let (codes, rows) = (try codesInSources(), Set(try rows()))
    #expect(codes.count > 60)
    for (code, files) in codes.sorted(by: { $0.key < $1.key }) where !rows.contains(code) {
      Issue.record("\(code) of \(files.sorted().joined(separator: ", ")) has no row in docs/errors.md")
    }
  }

  @Test func noRowIsLeftOver() throws {
    let codes = try codesInSources()
    for row in try rows() where codes[row] == nil { Issue.record("docs/errors.md explains \(row), which no source uses") }
  }

  @Test func rowsAreInOrderAndOnce() throws {
    let rows = try rows()
    #expect(Set(rows).count == rows.count)
  }

  @Test func noModuleUsesAnothersLetters() throws {
    var owners: [String: Set<String>] = [:]
    for (code, files) in try codesInSources() {
      // Commands and drivers may hand on a code of the protocol; only definitions own letters.
      for file in files where !file.contains("Command/") {
        let module = file.split(separator: "/").first.map(String.init) ?? ""
        owners[String(code.prefix(2)), default: []].insert(module)
      }
    }
    owners["SA"]?.remove("Coordinator")
    owners["SA"]?.remove("Participant")
    for (letters, modules) in owners where modules.count > 1 { Issue.record("\(letters) is used by \(modules.sorted())") }
  }

  @Test func everyFederationCodeHasADocumentedExit() {
    for code in FederationError.Code.allCases {
      #expect([65, 77, 78].contains(FederationError(code, "r", hint: "h").exitStatus))
    }
  }
}
