// Keys on disk and the request to be enrolled: secrets stay their owner's, nothing is overwritten, nobody enrols another's key.
import Foundation
import Sodium
import TLSIdentity
import Testing

@testable import Federation

@Suite struct IdentityTests {
  private func mode(_ path: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
  }

  @Test func anIdentityIsMadeOnceAndReadAgain() throws {
    try Fixtures.withFolder { folder in
      let directory = folder + "/deep/identity"
      let made = try PartyIdentity.createSite(name: "hospital-a", directory: directory, now: Date())
      let read = try PartyIdentity.load(directory)
      #expect(read.name == "hospital-a" && read.role == .site)
      #expect(read.protocolKey.publicKey == made.protocolKey.publicKey && read.witnessKey.publicKey == made.witnessKey.publicKey)
      #expect(read.tls.certificate == made.tls.certificate)
      for file in ["protocol.key", "witness.key", "tls.key"] { #expect(try mode("\(directory)/\(file)") == 0o600) }
      #expect(try mode(directory) == 0o700)
      #expect(Fixtures.code { _ = try PartyIdentity.createSite(name: "hospital-a", directory: directory) } == .identityExists)
      #expect(try PartyIdentity.load(directory).protocolKey.publicKey == made.protocolKey.publicKey)
    }
  }

  @Test func aServersIdentityKnowsItsHosts() throws {
    try Fixtures.withFolder { folder in
      let made = try PartyIdentity.createServer(name: "aggregator", hosts: ["agg.example.org", "10.0.0.7"], directory: folder + "/id")
      #expect(try PartyIdentity.load(folder + "/id").role == .server)
      #expect(try EnrolmentRequest(of: made, addresses: ["agg.example.org:1", "10.0.0.7:2"], now: Date()).name == "aggregator")
      #expect(
        Fixtures.code { _ = try EnrolmentRequest(of: made, addresses: ["other.example.org:1"], now: Date()) } == .enrolmentCertificate)
      #expect(Fixtures.code { _ = try EnrolmentRequest(of: made, addresses: [], now: Date()) } == .enrolmentMalformed)
      #expect(Fixtures.code { _ = try EnrolmentRequest(of: made, addresses: ["agg.example.org:0"], now: Date()) } == .enrolmentMalformed)
    }
  }

  @Test(arguments: ["protocol.key", "witness.key", "tls.key"])
  func exposedSecretsAreRefused(file: String) throws {
    try Fixtures.withFolder { folder in
      _ = try PartyIdentity.createSite(name: "a", directory: folder + "/id")
      for mode in [0o640, 0o604, 0o620] {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(folder)/id/\(file)")
        #expect(Fixtures.code { _ = try PartyIdentity.load(folder + "/id") } == .identityExposed)
      }
    }
  }

  @Test(arguments: ["protocol.key", "witness.key", "tls.key", "tls.pem"])
  func missingAndDamagedFilesAreRefused(file: String) throws {
    try Fixtures.withFolder { folder in
      _ = try PartyIdentity.createSite(name: "a", directory: folder + "/id")
      let path = "\(folder)/id/\(file)"
      let content = try #require(FileManager.default.contents(atPath: path))
      for damaged in [
        Data(), content.prefix(content.count / 2), content.dropFirst(), content + content, Data(repeating: 48, count: 4096),
      ] {
        try damaged.write(to: URL(fileURLWithPath: path))
        let code = Fixtures.code { _ = try PartyIdentity.load(folder + "/id") }
        #expect(
          code == .identityMalformed || (damaged.count > 1024 && code == .identityFile),
          "\(damaged.count) bytes gave \(String(describing: code))")
      }
      try FileManager.default.removeItem(atPath: path)
      #expect(Fixtures.code { _ = try PartyIdentity.load(folder + "/id") } == .identityFile)
    }
  }

  @Test func oneKeyForTwoUsesIsRefused() throws {
    try Fixtures.withFolder { folder in
      _ = try PartyIdentity.createSite(name: "a", directory: folder + "/id")
      try FileManager.default.removeItem(atPath: folder + "/id/witness.key")
      try FileManager.default.copyItem(atPath: folder + "/id/protocol.key", toPath: folder + "/id/witness.key")
      #expect(Fixtures.code { _ = try PartyIdentity.load(folder + "/id") } == .identityMalformed)
    }
  }

  @Test(arguments: ["", "-a", "a-", "A", "a.b", "a b", "ä", String(repeating: "a", count: 64), "a/b", "../a"])
  func namesAreNarrow(name: String) throws {
    try Fixtures.withFolder { folder in
      #expect(Fixtures.code { _ = try PartyIdentity.createSite(name: name, directory: folder + "/id") } == .rosterEntry)
      #expect(!FileManager.default.fileExists(atPath: folder + "/id"))
    }
  }

  @Test func otherKeysThanTheRostersAreNoticed() throws {
    let made = try Fixtures.consortium(sites: 3)
    let roster = made.signed.roster
    #expect(Fixtures.code { _ = try Fixtures.identity("site-1").member(of: roster, at: Fixtures.now) } == .identityMismatch)
    #expect(Fixtures.code { _ = try Fixtures.identity("site-9").member(of: roster, at: Fixtures.now) } == .notInRoster)
    #expect(Fixtures.code { _ = try made.sites[0].member(of: roster, at: Fixtures.now + 2 * Fixtures.year) } == .rosterExpired)
    #expect(Fixtures.code { try Fixtures.identity("aggregator", server: true).checkServer(of: roster) } == .identityMismatch)
    #expect(Fixtures.code { try Fixtures.identity("other", server: true).checkServer(of: roster) } == .notInRoster)
  }

  @Test func aRequestSurvivesItsFile() throws {
    for server in [false, true] {
      let request = try Fixtures.request(Fixtures.identity("party", server: server))
      #expect(try EnrolmentRequest.parse(request.encoded()) == request)
      #expect(request.fingerprint.split(separator: "-").allSatisfy { $0.count == 4 } && request.fingerprint.count == 39)
    }
  }

  @Test(arguments: ["name", "role", "protocol_key", "witness_key", "certificate", "created", "signature", "witness_signature", "format"])
  func everyAlteredFieldOfARequestIsNoticed(field: String) throws {
    let (mine, other) = (try Fixtures.request(Fixtures.identity("mine")), try Fixtures.request(Fixtures.identity("other")))
    var object = try #require(try JSONSerialization.jsonObject(with: Data(mine.encoded())) as? [String: Any])
    let theirs = try #require(try JSONSerialization.jsonObject(with: Data(other.encoded())) as? [String: Any])
    object[field] = field == "role" ? "server" : field == "created" ? "2026-01-01T00:00:00Z" : field == "format" ? "x" : theirs[field]
    if field == "certificate" { object["certificate_sha256"] = theirs["certificate_sha256"] }
    let bytes = Array(try JSONSerialization.data(withJSONObject: object))
    #expect(Fixtures.code { _ = try EnrolmentRequest.parse(bytes) } != nil)
  }

  @Test func requestsAreStrictFiles() throws {
    let text = String(decoding: try Fixtures.request(Fixtures.identity("mine")).encoded(), as: UTF8.self)
    for altered in [
      "", "{}", text + "x", text.replacingOccurrences(of: "\"name\"", with: "\"nam\""),
      text.replacingOccurrences(of: "\"role\"", with: "\"extra\": 1, \"role\""), String(repeating: " ", count: 200_000) + text,
    ] { #expect(Fixtures.code { _ = try EnrolmentRequest.parse(Array(altered.utf8)) } == .enrolmentMalformed) }
  }

  @Test(arguments: ["", "0", "zz", String(repeating: "0", count: 64), String(repeating: "f", count: 64), String(repeating: "A", count: 64)])
  func publicKeyFilesAreChecked(content: String) throws {
    try Fixtures.withFolder { folder in
      try Data(content.utf8).write(to: URL(fileURLWithPath: folder + "/k"))
      #expect(Fixtures.code { _ = try KeyFile.readPublic(folder + "/k") } == .identityMalformed)
      let key = Ed25519.SigningKey().publicKey
      try KeyFile.writePublic(key, to: folder + "/k")
      #expect(try KeyFile.readPublic(folder + "/k") == key)
    }
  }

  @Test func fingerprintsDependOnThePurpose() {
    #expect(Fingerprint.text(of: [1, 2, 3], purpose: "consortium") != Fingerprint.text(of: [1, 2, 3], purpose: "enrolment"))
  }

  @Test(arguments: ["0", "0g", "0011", "AB", "é0", " 0"])
  func hexadecimalIsStrict(text: String) { #expect(Hexadecimal.bytes(text, count: 1) == nil) }
}
