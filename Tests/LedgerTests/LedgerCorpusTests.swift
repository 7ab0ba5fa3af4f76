// Every ledger of the corpus, good and forged: the auditor names the rule that was broken and the entry, as the independent auditor in
// tools/reference does.
import Sodium
import Testing

@testable import Ledger

@Suite struct LedgerCorpusTests {
  @Test(arguments: LedgerCorpus.shared?.cases ?? [])
  func isJudgedAsExpected(_ ledger: LedgerCase) throws {
    let report = try LedgerCorpus.loaded().audit(ledger.files, roster: ledger.roster, since: ledger.since)
    #expect((report.firstBad?.fault.cause.rawValue ?? "success") == ledger.expect, "\(report.firstBad?.fault.reason ?? "")")
    #expect(report.firstBad?.index == ledger.index)
    #expect(report.holds == (ledger.expect == "success"))
    let failed = report.results.filter { $0.outcome == .failed }.map(\.check)
    #expect(report.firstBad.map { failed.contains($0.fault.cause.check) } ?? failed.isEmpty)
  }

  /// [LG-01] [LG-02] [LG-03] [LG-04] [LG-05] [LG-06] [LG-07] [LG-08] [LG-09] [LG-10] [LG-11] [LG-12] [LG-13] [LG-14] [LG-20] [LG-21]
  /// [LG-22] [LG-23] [LG-30] [LG-31] [LG-40] [LG-41] [LG-42] [LG-43] [LG-44] [LG-45] [LG-46] [LG-47] [LG-48] [LG-49] [LG-50] [LG-51]
  /// [LG-52] [LG-53] [LG-54] [LG-55] [LG-56] [LG-57]
  @Test func everyRuleIsBrokenByALedger() throws {
    let corpus = try LedgerCorpus.loaded()
    let broken = Set(corpus.cases.map(\.expect))
    #expect(corpus.cases.count >= 180)
    for cause in Cause.allCases { #expect(broken.contains(cause.rawValue), "no ledger breaks \(cause.rawValue)") }
  }

  @Test func figuresOfTheGoodLedger() throws {
    let corpus = try LedgerCorpus.loaded()
    let good = try #require(corpus.cases.first { $0.name == "good" })
    let report = try corpus.audit(good.files)
    let jobs = report.state.jobSummaries
    #expect(jobs.map(\.name) == ["mammography", "defects", "wards", "clinics"])
    #expect(jobs.map(\.unit) == [.site, .none, .record, .record])
    #expect(jobs.map(\.reserved) == [5, 2, 3, 1] && jobs.map(\.released) == [3, 2, 2, 1])
    // Two attempts of one training are one charge, an aborted attempt is one, a refunded one is none.
    let rounds = report.state.rounds
    #expect(
      rounds.map(\.fate) == [
        "released", "aborted", "released", "refunded", "released", "released", "released", "aborted", "released", "released", "released",
      ])
    #expect(rounds[1].dropped == [3] && rounds[4].invited.count == 6)
    #expect(report.cosigners == [0, 1, 2, 3, 4, 5])
    #expect(report.results.filter { $0.outcome == .notMade }.map(\.check) == [.since, .pinnedRoster])
  }

  /// No prefix of hostile bytes, and no flipped bit, does more than fail a check.
  @Test func damagedFilesNeverTrap() throws {
    let corpus = try LedgerCorpus.loaded()
    let good = try #require(corpus.cases.first { $0.name == "good-prefix" })
    var state: UInt64 = 7
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for (path, bytes) in good.files {
      for _ in 0..<150 {
        var files = good.files
        var changed = bytes
        switch next(3) {
        case 0: changed.removeLast(1 + next(bytes.count))
        case 1: changed[next(bytes.count)] ^= UInt8(1 << next(8))
        default: changed.insert(UInt8(next(256)), at: next(bytes.count))
        }
        files[path] = changed
        let report = try corpus.audit(files)
        // A cosignature that is no line of a known witness any more is one less, and one may be spared.
        #expect(!report.holds || path == "checkpoint")
      }
    }
  }
}
