// The program around the audit: its output for machines and people, and that no network code is in it.
import ArgumentParser
import CommandLineKit
import Foundation
import Testing

@testable import AuditCommand
@testable import Ledger

@Suite struct AuditProgramTests {
  private func report(_ name: String) throws -> AuditReport {
    let corpus = try LedgerCorpus.loaded()
    let found = try #require(corpus.cases.first { $0.name == name })
    return try corpus.audit(found.files, roster: found.roster, since: found.since)
  }

  @Test func jsonHasTheAgreedKeys() throws {
    for name in ["good", "epsilon-false", "tail-cut", "note-zero"] {
      let report = try report(name)
      let text = try JSONOutput.text(AuditSummary(report), pretty: false)
      let object = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      #expect(Set(object.keys).isSuperset(of: ["ok", "checks", "first_bad", "epsilon", "delta", "rounds", "not_made", "jobs"]))
      #expect(object["ok"] as? Bool == report.holds)
      for check in try #require(object["checks"] as? [[String: Any]]) { #expect(Set(check.keys) == ["name", "ok", "detail"]) }
      if let bad = object["first_bad"] as? [String: Any] {
        #expect(bad["cause"] as? String == report.firstBad?.fault.cause.rawValue && bad["index"] as? Int == report.firstBad?.index)
        #expect(bad.keys.contains("index"))
      } else {
        #expect(object["first_bad"] is NSNull && report.holds)
      }
    }
  }

  @Test func theReportStandsAloneInTwoLanguages() throws {
    for name in ["good", "epsilon-false", "roster-none", "tile-missing"] {
      // A chart names the format that it is drawn in, which nothing is fetched from.
      let page = AuditPage(try report(name), isPinned: true).html().replacingOccurrences(
        of: "xmlns=\"http://www.w3.org/2000/svg\"", with: "")
      for word in ["http://", "https://", "<script", "@import", "url(h", "url(/"] { #expect(!page.contains(word), "\(word)") }
      for word in ["lang=\"en\"", "lang=\"zh-Hans\"", "What no ledger can show", "账本无法证明的事", "Every check", "全部检查"] {
        #expect(page.contains(word))
      }
      #expect(page.components(separatedBy: "<div class=\"language\"").count == 3)
    }
    #expect(try AuditPage(report("good"), isPinned: true).html().contains("hospital-a"))
  }

  @Test func signaturesMayBeVerifiedOnAllCores() throws {
    for name in ["good", "signature-bit", "digest-replaced"] {
      let corpus = try LedgerCorpus.loaded()
      let found = try #require(corpus.cases.first { $0.name == name })
      let request = AuditRequest(consortiumKey: corpus.consortiumKey, verifier: AuditInputs.onAllCores)
      let report = try Audit.run(MemorySource(files: found.files), request)
      #expect((report.firstBad?.fault.cause.rawValue ?? "success") == found.expect && report.firstBad?.index == found.index)
    }
  }

  @Test func comparisons() throws {
    let corpus = try LedgerCorpus.loaded()
    func point(_ name: String) throws -> SignedCheckpoint {
      try SignedCheckpoint(parsing: #require(corpus.cases.first { $0.name == name }?.files["checkpoint"]))
    }
    let (good, prefix, forked) = (try point("good"), try point("good-prefix"), try point("forked"))
    let tree = try #require(report("good").logged?.tree)
    #expect(try Comparison(good, good, tree: nil).relation == .equal)
    #expect(try Comparison(prefix, good, tree: tree).relation == .continues)
    let fork = try Comparison(good, forked, tree: nil)
    let logKey = try #require(corpus.rosters["2"]).logKey
    #expect(fork.relation == .forked && fork.evidence?.holds(logKey: logKey) == true)
    #expect(throws: LedgerError.self) { try Comparison(prefix, good, tree: nil) }
    #expect(throws: LedgerError.self) { try Comparison(prefix, forked, tree: tree) }
  }

  /// The modules that the auditor reaches, and what of them is foreign: none can open a connection.
  @Test func noNetworkModuleIsReached() throws {
    let sources = LedgerCorpus.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources")
    var (seen, next): (Set<String>, [String]) = ([], ["AuditCommand"])
    while let module = next.popLast() {
      guard seen.insert(module).inserted, let walker = FileManager.default.enumerator(atPath: sources.appendingPathComponent(module).path)
      else { continue }
      for case let name as String in walker where name.hasSuffix(".swift") {
        let text = try String(contentsOf: sources.appendingPathComponent(module).appendingPathComponent(name), encoding: .utf8)
        for word in ["URLSession", "socket(", "connect(", "getaddrinfo", "Process()"] {
          #expect(!text.contains(word), "\(module)/\(name) has \(word)")
        }
        for line in text.split(separator: "\n") where line.hasPrefix("import ") || line.contains(" import ") && !line.hasPrefix("//") {
          if let last = line.split(separator: " ").last { next.append(String(last)) }
        }
      }
    }
    let own: Set<String> = ["AuditCommand", "Ledger", "CommandLineKit", "DPAccountant", "Sodium", "GMP", "CSodium", "CGMP"]
    #expect(seen.subtracting(own).isSubset(of: ["ArgumentParser", "Foundation", "Dispatch", "Synchronization", "Glibc", "Darwin"]))
    // What the linker made of it, where the program stands beside the tests.
    let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("secagg-audit")
    guard let bytes = try? Data(contentsOf: program) else { return }
    for library in ["libFoundationNetworking.so", "libcurl", "libnio", "_NIOFileSystem", "GRPCCore"] {
      #expect(bytes.range(of: Data(library.utf8)) == nil, "\(library) is in the program")
    }
  }
}

@Suite struct LedgerExampleTests {
  private static let folder = LedgerCorpus.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("examples/ledger").path

  /// The two folders that the repository shows, read from the disk.
  @Test(arguments: [("good", nil, nil), ("forged", "LG-51", 8)] as [(String, String?, Int?)])
  func examples(_ name: String, _ cause: String?, _ index: Int?) throws {
    let corpus = try LedgerCorpus.loaded()
    let file = try #require(try TileStore.file(Self.folder + "/roster.json", bytesMax: LedgerRosterFile.bytesMax))
    let roster = try LedgerRosterFile.read(file, consortiumKey: corpus.consortiumKey)
    let report = try Audit.run(
      TileStore(folder: Self.folder + "/" + name), AuditRequest(roster: roster, consortiumKey: corpus.consortiumKey))
    #expect(report.firstBad?.fault.cause.rawValue == cause && report.firstBad?.index == index)
    #expect(throws: LedgerError.self) { try LedgerRosterFile.read(file, consortiumKey: roster.logKey) }
    #expect(throws: LedgerError.self) { try LedgerRosterFile.read(Array(file.dropLast(20)), consortiumKey: corpus.consortiumKey) }
    #expect(throws: LedgerError.self) { try Audit.run(TileStore(folder: Self.folder + "/none"), AuditRequest()) }
  }
}
