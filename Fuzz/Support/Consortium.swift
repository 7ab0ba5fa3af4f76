// A small consortium by the production code: seeds for the roster and the enrolment.
import Federation
import Foundation
import Sodium
import TLSIdentity

struct Consortium {
  static let now = Date(timeIntervalSince1970: 1_780_000_000)

  let roster: SignedRoster
  let requests: [EnrolmentRequest]

  init() throws {
    let scratch = try Scratch("consortium")
    defer { try? FileManager.default.removeItem(atPath: scratch.path) }
    func request(_ name: String, hosts: [String]) throws -> EnrolmentRequest {
      let folder = "\(scratch.path)/\(name)"
      let identity =
        try hosts.isEmpty
        ? PartyIdentity.createSite(name: name, directory: folder, now: Self.now)
        : PartyIdentity.createServer(name: name, hosts: hosts, directory: folder, now: Self.now)
      return try EnrolmentRequest(of: identity, addresses: hosts.map { "\($0):7443" }, now: Self.now)
    }
    let key = Ed25519.SigningKey()
    var roster = Roster(consortiumKey: key.publicKey)
    let server = try request("aggregator", hosts: ["localhost"])
    try roster.setServer(server)
    let sites = try (0..<3).map { try request("site-\($0)", hosts: []) }
    for site in sites { _ = try roster.add(site, from: Self.now - 300, until: Self.now + 31_536_000) }
    var signed = SignedRoster(roster: roster)
    try signed.sign(with: key, colluders: 0, now: Self.now, validFor: 7_776_000)
    (self.roster, requests) = (signed, [server, sites[0]])
  }
}
