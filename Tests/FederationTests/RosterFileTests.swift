// The roster's file is strict: what is malformed is refused before any signature is looked at, and never traps.
import Foundation
import Testing

@testable import Federation

@Suite struct RosterFileTests {
  private static let base: String? = try? String(decoding: Fixtures.vector("roster.json"), as: UTF8.self)

  @Test(arguments: [
    ("secagg-roster/v1", "secagg-roster/v2"), ("\"serial\": 7", "\"serial\": -7"), ("\"serial\": 7", "\"serial\": 7.5"),
    ("\"serial\": 7", "\"serial\": \"7\""), ("\"serial\": 7", "\"serial\": 99999999999999999999"), ("\"serial\": 7,", ""),
    ("\"serial\": 7", "\"serial\": 7, \"extra\": 1"), ("\"name\": \"site-4\"", "\"name\": \"site-4\", \"note\": \"x\""),
    ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00"), ("2026-01-01T00:00:00Z", "2026-01-01 00:00:00Z"),
    ("2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z"), ("2026-01-01T00:00:00Z", "1969-01-01T00:00:00Z"),
    ("\"colluders\": 1", "\"colluders\": -1"), ("\"colluders\": 1", "\"colluders\": 1000000"),
    ("\"certificate\": \"MII", "\"certificate\": \"AII"), ("\"certificate\": \"MII", "\"certificate\": \"*II"),
    ("\"protocol_key\": \"", "\"protocol_key\": \"00"), ("\"witness_key\": \"", "\"witness_key\": \"zz"),
    ("\"signature\": \"", "\"signature\": \"00"), ("\"addresses\": [", "\"addresses\": [3,"),
  ])
  func malformedFilesAreRefused(original: String, altered: String) throws {
    let base = try #require(Self.base)
    let text = base.replacingOccurrences(of: original, with: altered)
    try #require(text != base)
    #expect(Fixtures.code { _ = try SignedRoster.parse(Array(text.utf8)) } == .rosterMalformed)
  }

  @Test(arguments: [
    ("\"site\": 4,", "\"site\": 2,", FederationError.Code.rosterDuplicate), ("\"site\": 5,", "\"site\": 6,", .rosterEntry),
    ("\"name\": \"site-4\"", "\"name\": \"site-5\"", .rosterEntry), ("\"name\": \"site-4\"", "\"name\": \"Site-4\"", .rosterEntry),
    ("\"name\": \"site-4\"", "\"name\": \"\"", .rosterEntry), ("\"colluders\": 1", "\"colluders\": 5", .rosterEntry),
    ("\"next_site\": 6", "\"next_site\": 5", .rosterEntry), ("localhost:7443", "localhost:0", .rosterEntry),
    ("localhost:7443", "nowhere", .rosterEntry), ("\"valid_until\": \"2028", "\"valid_until\": \"2025", .rosterEntry),
    ("\"not_after\": \"2028", "\"not_after\": \"2025", .rosterEntry),
  ])
  func brokenRulesAreRefused(original: String, altered: String, code: FederationError.Code) throws {
    let base = try #require(Self.base)
    let text = base.replacingOccurrences(of: original, with: altered)
    try #require(text != base)
    #expect(Fixtures.code { _ = try SignedRoster.parse(Array(text.utf8)) } == code)
  }

  @Test(arguments: ["", "{", "[]", "null", "{}", "\u{0}", "{\"format\": {}}"])
  func whatIsNoRosterIsRefused(text: String) {
    #expect(Fixtures.code { _ = try SignedRoster.parse(Array(text.utf8)) } == .rosterMalformed)
  }

  @Test func truncationAndDamageNeverTrap() throws {
    let bytes = try Fixtures.vector("roster.json")
    for length in stride(from: 0, to: bytes.count - 2, by: 37) {
      #expect(Fixtures.code { _ = try SignedRoster.parse(Array(bytes[..<length])) } != nil)
    }
    var state: UInt64 = 11
    for _ in 0..<300 {
      var damaged = bytes
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      damaged[Int(state >> 33) % bytes.count] ^= UInt8(truncatingIfNeeded: state >> 24) | 1
      _ = try? SignedRoster.parse(damaged)
    }
    #expect(Fixtures.code { _ = try SignedRoster.parse([UInt8](repeating: 91, count: 200_000)) } == .rosterMalformed)
  }

  @Test(arguments: ["/nonexistent/roster.json", "/tmp", "/dev/zero"])
  func unreadableFilesAreNamed(path: String) { #expect(Fixtures.code { _ = try SignedRoster.read(path) } == .rosterUnreadable) }

  @Test(arguments: [Int64(0), 1, 1_767_225_600, 4_102_444_800, 253_402_300_799])
  func timesHaveOneSpelling(seconds: Int64) { #expect(Timestamp.seconds(Timestamp.text(seconds)) == seconds) }
}
