// Every refusal code is in the specification and in a test by its name.
import Foundation
import TestSupport
import Testing

@testable import SecAgg

@Suite struct CodeCoverageTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  private static func text(_ folder: URL, _ suffix: String) throws -> String {
    try FileManager.default.contentsOfDirectory(at: folder.resolvingSymlinksInPath(), includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == suffix && $0.lastPathComponent != "CodeCoverageTests.swift" }
      .map { try String(contentsOf: $0, encoding: .utf8) }.joined()
  }

  @Test func everyCodeHasATestAndARowInTheSpecification() throws {
    let tests = try Self.text(Self.folder, "swift")
    let specification = try Self.text(
      Self.folder.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("spec"), "md")
    for code in RefusalCode.allCases {
      #expect(tests.contains("." + String(describing: code)), "no test expects \(code)")
      #expect(specification.contains(code.rawValue), "the specification does not have \(code.rawValue)")
    }
    #expect(Set(RefusalCode.allCases.map(\.rawValue)).count == RefusalCode.allCases.count)
  }
}
