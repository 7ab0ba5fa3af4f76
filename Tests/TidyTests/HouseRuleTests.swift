// House rules that are cheaper to test than to remember: a header a file, short lines and files, no stubs, no paths of one machine.
import Foundation
import Testing

@Suite struct HouseRuleTests {
  @Test func everyFileOpensWithAParagraph() {
    for file in SourceTree.handWritten {
      #expect(file.text.hasPrefix("//"), "\(file.path) does not say what it is")
    }
  }

  @Test func linesAndFilesAreShort() {
    for file in SourceTree.handWritten {
      #expect(file.lines.count <= 400, "\(file.path) has \(file.lines.count) lines: is there a second idea inside?")
      for (number, line) in file.lines.enumerated() where line.count > 140 {
        Issue.record("\(file.path):\(number + 1) is \(line.count) columns wide")
      }
    }
  }

  @Test func nothingIsLeftForLater() {
    let marks = ["TO" + "DO", "FIX" + "ME", "not " + "implemented", "try" + "! ", "fatal" + "Error("]
    for file in SourceTree.handWritten {
      for (number, line) in file.lines.enumerated() {
        for mark in marks where line.contains(mark) {
          Issue.record("\(file.path):\(number + 1) has \(mark)")
        }
      }
    }
  }

  @Test func noPathOfOneMachine() {
    let folders = ["Sources", "Tests", "spec", "docs", "tools", "examples"]
    let suffixes = [".swift", ".md", ".py", ".sh", ".proto", ".yaml", ".json", ".c", ".h"]
    let marks = ["/wo" + "rk/", "/ro" + "ot/", "../sha" + "red", "/opt/" + "swift"]
    for file in folders.flatMap({ SourceTree.files(in: $0, suffixes: suffixes) }) {
      for mark in marks {
        #expect(!file.text.contains(mark), "\(file.path) names \(mark)")
      }
    }
  }

  /// A MUST in capitals stands in a paragraph with the id of a rule, or introduces a list of them.
  @Test func everyMustHasAnID() throws {
    let pages = SourceTree.files(in: "spec", suffixes: [".md"]).filter { !$0.path.contains("/model/") }
    try #require(pages.count >= 10)
    let id = try Regex("[A-Z]{2}-[0-9]{2,3}")
    for page in pages {
      let paragraphs = page.text.split(separator: "\n\n")
      for (index, paragraph) in paragraphs.enumerated() where paragraph.contains("MUST") && !paragraph.contains("BCP 14") {
        let next = index + 1 < paragraphs.count ? paragraphs[index + 1] : ""
        #expect(paragraph.contains(id) || next.contains(id), "\(page.path): a MUST without an id: \(paragraph.prefix(200))")
      }
    }
  }

  /// Each `[XX-nn]` that the specification defines on a MUST is cited by at least one test, by its id.
  @Test func everyRequirementOfTheSpecificationIsCitedByATest() throws {
    let pages = SourceTree.files(in: "spec", suffixes: [".md"])
    try #require(!pages.isEmpty)
    let pattern = try Regex("\\[([A-Z]{2}-[0-9]{2,3})\\]")
    var defined: [String: String] = [:]
    for page in pages {
      for match in page.text.matches(of: pattern) {
        guard let id = match.output[1].substring else { continue }
        defined[String(id), default: page.path] = page.path
      }
    }
    let tests = SourceTree.swiftTests.map(\.text).joined(separator: "\n")
    for (id, page) in defined.sorted(by: { $0.key < $1.key }) {
      #expect(tests.contains(id), "\(page) defines [\(id)], and no test cites it")
    }
  }
}
