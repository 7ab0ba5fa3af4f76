// The specification and the tests hold each other: whatever a text of spec/ demands has an identifier, and a test names it.
import Foundation
import Testing

@Suite struct SpecificationTests {
  private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Paragraphs, list items and table rows, each in one line.
  private static func blocks(_ text: String) -> [String] {
    var blocks: [String] = []
    var isOpen = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let trimmed = line.trimmingCharacters(in: .whitespaces)
      if trimmed.isEmpty {
        isOpen = false
      } else if isOpen, !isItem(trimmed), !trimmed.hasPrefix("|") {
        blocks[blocks.count - 1] += " " + trimmed
      } else {
        blocks.append(trimmed)
        isOpen = true
      }
    }
    return blocks
  }

  private static func isItem(_ block: String) -> Bool { block.hasPrefix("- ") }

  private static func hasIdentifier(_ block: String) -> Bool { block.contains(#/\*\*\[[A-Z]{2}-[0-9]+\]/#) }

  /// Blocks that demand something and have no identifier, neither themselves nor every item of the list that they introduce.
  private static func nameless(_ text: String) -> [String] {
    let blocks = blocks(text)
    return blocks.indices.filter { index in
      let block = blocks[index]
      guard block.contains(#/\b(MUST|SHALL|REQUIRED)\b/#), !block.contains("BCP 14"), !hasIdentifier(block) else { return false }
      let list = blocks[(index + 1)...].prefix(while: isItem)
      return isItem(block) || list.isEmpty || !list.allSatisfy(hasIdentifier)
    }.map { blocks[$0] }
  }

  private static func chapters() throws -> [(name: String, text: String)] {
    let folder = root.appendingPathComponent("spec")
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "md" }.sorted { $0.path < $1.path }
      .map { ($0.lastPathComponent, try String(contentsOf: $0, encoding: .utf8)) }
  }

  @Test func everyRequirementHasAnIdentifier() throws {
    let chapters = try Self.chapters()
    #expect(chapters.count >= 8)
    for chapter in chapters {
      for block in Self.nameless(chapter.text) { Issue.record("\(chapter.name): no identifier: \(block.prefix(160))") }
    }
  }

  @Test func everyIdentifierIsNamedByATest() throws {
    let tests = FileManager.default.enumerator(at: Self.root.appendingPathComponent("Tests"), includingPropertiesForKeys: nil)
    var named: Set<Substring> = []
    while let file = tests?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      named.formUnion(try String(contentsOf: file, encoding: .utf8).matches(of: #/\b[A-Z]{2}-[0-9]+/#).map(\.output))
    }
    var demanded: Set<Substring> = []
    for chapter in try Self.chapters() {
      demanded.formUnion(chapter.text.matches(of: #/\*\*\[([A-Z]{2}-[0-9]+)\]/#).map(\.output.1))
    }
    #expect(demanded.count >= 78)
    for identifier in demanded.subtracting(named).sorted() { Issue.record("no test names \(identifier)") }
  }

  @Test(arguments: [
    ("A site MUST obey.", 1), ("**[SA-01]** A site MUST obey.", 0), ("- A site MUST obey.\n- **[SA-01]** And MUST go.", 1),
    ("It MUST refuse\n\n- **[SA-01]** this;\n- **[SA-02]** that.", 0), ("It MUST refuse\n\n- **[SA-01]** this;\n- that.", 1),
    ("It MUST\nrefuse. **[SA-01]**", 0), ("One.\n\nTwo MUST.\n\nThree **[SA-01]**.", 1), ("A site may do so; MUSTARD.", 0),
  ])
  func theCheckFindsWhatHasNoIdentifier(text: String, count: Int) { #expect(Self.nameless(text).count == count) }
}
