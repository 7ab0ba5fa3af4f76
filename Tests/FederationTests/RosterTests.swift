// The signed roster: an independent vector, the rules, and every way in which a roster must not be believed.
import Foundation
import SecAgg
import Sodium
import Testing

@testable import Federation

@Suite struct RosterTests {
  private struct Expected: Decodable {
    var consortiumKey: String
    var digest: String
    var siteKeys: [String: String]
  }

  @Test func theVectorOfIndependentSoftwareIsVerified() throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let expected = try decoder.decode(Expected.self, from: Data(Fixtures.vector("roster-expected.json")))
    let signed = try SignedRoster.parse(Fixtures.vector("roster.json"))
    let key = try Ed25519.PublicKey(try #require(Hexadecimal.bytes(expected.consortiumKey, count: 32)))
    let verified = try RosterVerifier(consortiumKey: key).verify(signed, now: Fixtures.now, highestSerialSeen: 7)
    #expect(Hexadecimal.text(verified.digest) == expected.digest)
    #expect(verified.view.colluders == 1 && verified.roster.serial == 7 && verified.server.addresses == ["localhost:7443"])
    #expect(Set(verified.view.siteKeys.keys.map { String($0.rawValue) }) == Set(expected.siteKeys.keys))
    for (site, member) in verified.view.siteKeys { #expect(Hexadecimal.text(member.bytes) == expected.siteKeys[String(site.rawValue)]) }
  }

  @Test func aRosterSurvivesItsFile() throws {
    let made = try Fixtures.consortium()
    let again = try SignedRoster.parse(RosterFile.encode(made.signed))
    #expect(again == made.signed)
    let verified = try made.verifier.verify(again, now: Fixtures.now, highestSerialSeen: 1)
    #expect(verified.view.siteKeys.count == 5 && verified.view.colluders == 1)
    #expect(verified.digest == made.signed.roster.digest)
    #expect(try made.sites[3].member(of: verified.roster, at: Fixtures.now).site == SiteID(3))
    try made.server.checkServer(of: verified.roster)
  }

  @Test func everySignatureRaisesTheSerialNumber() throws {
    var made = try Fixtures.consortium()
    let first = made.signed.roster.digest
    try made.signed.roster.revoke("site-4")
    try made.signed.sign(with: made.key, colluders: nil, now: Fixtures.now, validFor: 86_400)
    #expect(made.signed.roster.serial == 2 && made.signed.roster.digest != first)
    let newcomer = try made.signed.roster.add(
      Fixtures.request(Fixtures.identity("site-4")), from: Fixtures.now, until: Fixtures.now + Fixtures.year)
    #expect(newcomer.site == SiteID(5), "an index is never used again")
  }

  @Test func expiredMembersHaveNoKey() throws {
    var made = try Fixtures.consortium()
    _ = try made.signed.roster.add(Fixtures.request(Fixtures.identity("short")), from: Fixtures.now - 10, until: Fixtures.now + 60)
    try made.signed.sign(with: made.key, colluders: 1, now: Fixtures.now, validFor: 86_400)
    let later = try made.verifier.verify(made.signed, now: Fixtures.now + 61, highestSerialSeen: 0)
    #expect(later.view.siteKeys.count == 5 && later.roster.members.count == 6)
  }

  // MARK: not believed

  @Test func anotherConsortiumIsRefused() throws {
    let (mine, other) = (try Fixtures.consortium(sites: 3), try Fixtures.consortium(sites: 3))
    #expect(Fixtures.code { _ = try mine.verifier.verify(other.signed, now: Fixtures.now, highestSerialSeen: 0) } == .otherConsortium)
    // Its own key under our name: the signature gives it away.
    var forged = RosterFileText(other.signed)
    forged.replace(Hexadecimal.text(other.key.publicKey.bytes), Hexadecimal.text(mine.key.publicKey.bytes))
    let parsed = try SignedRoster.parse(forged.bytes)
    #expect(Fixtures.code { _ = try mine.verifier.verify(parsed, now: Fixtures.now, highestSerialSeen: 0) } == .rosterSignature)
  }

  @Test(arguments: [
    ("\"serial\" : 1", "\"serial\" : 2"), ("\"colluders\" : 1", "\"colluders\" : 0"), ("\"next_site\" : 5", "\"next_site\" : 6"),
    ("localhost:7443", "localhost:7444"), ("\"colluders\" : 1", "\"colluders\" : 3"), ("T20:26:40Z", "T20:26:41Z"),
  ])
  func everyAlterationBreaksTheSignature(original: String, altered: String) throws {
    let made = try Fixtures.consortium()
    var text = RosterFileText(made.signed)
    let found = text.replace(original, altered)
    #expect(found)
    let parsed = try SignedRoster.parse(text.bytes)
    #expect(Fixtures.code { _ = try made.verifier.verify(parsed, now: Fixtures.now, highestSerialSeen: 0) } == .rosterSignature)
  }

  @Test func swappedKeysBreakTheSignature() throws {
    let made = try Fixtures.consortium()
    var altered = made.signed
    let (a, b) = (altered.roster.members[0], altered.roster.members[1])
    func member(_ of: Roster.Member, key: Ed25519.PublicKey) -> Roster.Member {
      Roster.Member(
        site: of.site, name: of.name, protocolKey: key, witnessKey: of.witnessKey, certificate: of.certificate, notBefore: of.notBefore,
        notAfter: of.notAfter)
    }
    altered.roster.members[0] = member(a, key: b.protocolKey)
    altered.roster.members[1] = member(b, key: a.protocolKey)
    #expect(Fixtures.code { _ = try made.verifier.verify(altered, now: Fixtures.now, highestSerialSeen: 0) } == .rosterSignature)
  }

  @Test func everyDamagedSignatureByteIsNoticed() throws {
    let made = try Fixtures.consortium(sites: 3)
    for index in 0..<64 {
      var altered = made.signed
      altered.signature?[index] ^= 0x40
      #expect(Fixtures.code { _ = try made.verifier.verify(altered, now: Fixtures.now, highestSerialSeen: 0) } == .rosterSignature)
    }
  }

  @Test(
    arguments: [
      (90 * 86_400 + 1, 0, FederationError.Code.rosterExpired), (-301, 0, .rosterExpired), (0, 2, .rosterOutdated), (90 * 86_400, 1, nil),
      (-300, 0, nil),
    ] as [(Int, UInt64, FederationError.Code?)])
  func datesAndSerialNumbersCount(offset: Int, seen: UInt64, code: FederationError.Code?) throws {
    let made = try Fixtures.consortium(sites: 3)
    let now = Fixtures.now + Double(offset)
    #expect(Fixtures.code { _ = try made.verifier.verify(made.signed, now: now, highestSerialSeen: seen) } == code)
  }

  @Test func draftsAreNotBelieved() throws {
    var made = try Fixtures.consortium(sites: 3)
    made.signed.signature = nil
    #expect(Fixtures.code { _ = try made.verifier.verify(made.signed, now: Fixtures.now, highestSerialSeen: 0) } == .rosterUnsigned)
    let again = try SignedRoster.parse(RosterFile.encode(made.signed))
    #expect(again.signature == nil)
  }

  // MARK: not made

  @Test func sharedNamesKeysAndCertificatesAreRefused() throws {
    var made = try Fixtures.consortium(sites: 3)
    let known = made.sites[1]
    let fresh = try Fixtures.identity("fresh")
    func party(_ name: String, _ key: Ed25519.SigningKey, _ witness: Ed25519.SigningKey) throws -> EnrolmentRequest {
      try Fixtures.request(PartyIdentity(name: name, role: .site, protocolKey: key, witnessKey: witness, tls: fresh.tls))
    }
    let until = Fixtures.now + 60
    for request in [
      try Fixtures.request(known), try Fixtures.request(Fixtures.identity("site-1")), try Fixtures.request(Fixtures.identity("aggregator")),
      try party("fresh", known.protocolKey, fresh.witnessKey), try party("fresh", fresh.protocolKey, known.protocolKey),
      try party("fresh", known.witnessKey, fresh.witnessKey), try party("fresh", made.server.protocolKey, fresh.witnessKey),
      try party("fresh", made.key, fresh.witnessKey),
    ] {
      #expect(Fixtures.code { _ = try made.signed.roster.add(request, from: Fixtures.now, until: until) } == .rosterDuplicate)
    }
    #expect(made.signed.roster.members.count == 3, "a refused change leaves the roster as it was")
  }

  @Test func rolesDoNotMix() throws {
    var made = try Fixtures.consortium(sites: 3)
    let server = try Fixtures.request(Fixtures.identity("second", server: true))
    let site = try Fixtures.request(Fixtures.identity("fourth"))
    #expect(Fixtures.code { _ = try made.signed.roster.add(server, from: Fixtures.now, until: Fixtures.now + 60) } == .enrolmentMalformed)
    #expect(Fixtures.code { try made.signed.roster.setServer(site) } == .enrolmentMalformed)
    #expect(Fixtures.code { try made.signed.roster.revoke("nobody") } == .notInRoster)
    #expect(Fixtures.code { _ = try made.signed.roster.add(site, from: Fixtures.now, until: Fixtures.now) } == .rosterEntry)
  }

  @Test func rostersThatNoRoundCouldRunOnAreNotSigned() throws {
    var made = try Fixtures.consortium(sites: 3)
    for (colluders, validFor) in [(3, 86_400.0), (-1, 86_400), (1, 1), (1, 1e12)] {
      #expect(
        Fixtures.code { try made.signed.sign(with: made.key, colluders: colluders, now: Fixtures.now, validFor: validFor) } == .rosterEntry)
    }
    let stranger = Ed25519.SigningKey()
    #expect(Fixtures.code { try made.signed.sign(with: stranger, colluders: nil, now: Fixtures.now, validFor: 86_400) } == .otherConsortium)
    try made.signed.roster.revoke("site-0")
    #expect(Fixtures.code { try made.signed.sign(with: made.key, colluders: nil, now: Fixtures.now, validFor: 86_400) } == .rosterEntry)
    var empty = SignedRoster(roster: Roster(consortiumKey: made.key.publicKey))
    #expect(Fixtures.code { try empty.sign(with: made.key, colluders: 0, now: Fixtures.now, validFor: 86_400) } == .rosterEntry)
    #expect(made.signed.roster.serial == 1, "a refused signature leaves the serial number")
  }
}

/// A roster's file as text that tests alter.
struct RosterFileText {
  var text: String
  init(_ signed: SignedRoster) { text = String(decoding: RosterFile.encode(signed), as: UTF8.self) }
  var bytes: [UInt8] { Array(text.utf8) }

  /// False if there was nothing to replace.
  @discardableResult mutating func replace(_ original: String, _ altered: String) -> Bool {
    let changed = text.replacingOccurrences(of: original, with: altered)
    defer { text = changed }
    return changed != text
  }
}
