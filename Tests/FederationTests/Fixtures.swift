// A consortium for tests, made by the production code, with fixed times; and where the vectors are.
import Foundation
import SecAgg
import Sodium
import TLSIdentity

@testable import Federation

enum Fixtures {
  static let now = Date(timeIntervalSince1970: 1_780_000_000)
  static let year = 365 * 86_400.0

  static func vector(_ name: String) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Vectors")
    return Array(try Data(contentsOf: folder.appendingPathComponent(name)))
  }

  /// A folder of its own for each test, removed when the test ends.
  static func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("secagg-test-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  static func identity(_ name: String, server: Bool = false) throws -> PartyIdentity {
    let tls = try TLSCredentials.mint(name: name, role: server ? .server(hosts: ["localhost", "127.0.0.1"]) : .site, days: 800, now: now)
    return PartyIdentity(
      name: name, role: server ? .server : .site, protocolKey: Ed25519.SigningKey(), witnessKey: Ed25519.SigningKey(), tls: tls)
  }

  static func request(_ identity: PartyIdentity) throws -> EnrolmentRequest {
    try EnrolmentRequest(of: identity, addresses: identity.role == .server ? ["localhost:7443"] : [], now: now)
  }

  /// A signed roster of `sites` sites and a server, with the consortium's key and the parties.
  static func consortium(sites: Int = 5) throws -> Consortium {
    let key = Ed25519.SigningKey()
    var roster = Roster(consortiumKey: key.publicKey)
    let server = try identity("aggregator", server: true)
    try roster.setServer(request(server))
    let parties = try (0..<sites).map { try identity("site-\($0)") }
    for party in parties { _ = try roster.add(request(party), from: now - 300, until: now + year) }
    var signed = SignedRoster(roster: roster)
    try signed.sign(with: key, colluders: nil, now: now, validFor: 90 * 86_400)
    return Consortium(key: key, signed: signed, server: server, sites: parties)
  }

  struct Consortium {
    var key: Ed25519.SigningKey
    var signed: SignedRoster
    var server: PartyIdentity
    var sites: [PartyIdentity]
    var verifier: RosterVerifier { RosterVerifier(consortiumKey: key.publicKey) }
  }

  /// The code of the error that `body` throws; nil if it throws none.
  static func code(_ body: () throws -> Void) -> FederationError.Code? {
    do {
      try body()
      return nil
    } catch { return (error as? FederationError)?.code }
  }
}
