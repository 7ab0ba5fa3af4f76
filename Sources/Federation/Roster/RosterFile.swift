// The roster and the enrolment request as JSON files: strict about keys, lengths and digits, so that one value has few spellings and
// nothing in a file is silently ignored.
import Foundation
import SecAgg
import Sodium
import TLSIdentity

enum RosterFile {
  /// 10,000 sites with their certificates.
  static let bytesMax = 48 << 20
  static let format = "secagg-roster/v1"

  private struct File: Codable {
    var format: String
    var consortium_key: String
    var serial: UInt64
    var issued: String
    var valid_until: String
    var colluders: Int
    var next_site: UInt32
    var server: ServerEntry?
    var sites: [SiteEntry]
    var signature: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case format, consortium_key, serial, issued, valid_until, colluders, next_site, server, sites, signature
    }
    init(from decoder: any Decoder) throws {
      let box = try StrictJSON.container(decoder, CodingKeys.self)
      format = try box.decode(String.self, forKey: .format)
      consortium_key = try box.decode(String.self, forKey: .consortium_key)
      serial = try box.decode(UInt64.self, forKey: .serial)
      issued = try box.decode(String.self, forKey: .issued)
      valid_until = try box.decode(String.self, forKey: .valid_until)
      colluders = try box.decode(Int.self, forKey: .colluders)
      next_site = try box.decode(UInt32.self, forKey: .next_site)
      server = try box.decodeIfPresent(ServerEntry.self, forKey: .server)
      sites = try box.decode([SiteEntry].self, forKey: .sites)
      signature = try box.decodeIfPresent(String.self, forKey: .signature)
    }
    init(_ signed: SignedRoster) {
      let roster = signed.roster
      (format, consortium_key, serial) = (RosterFile.format, Hexadecimal.text(roster.consortiumKey.bytes), roster.serial)
      (issued, valid_until) = (Timestamp.text(roster.issued), Timestamp.text(roster.validUntil))
      (colluders, next_site) = (roster.colluders, roster.nextSite)
      server = roster.server.map(ServerEntry.init)
      sites = roster.members.map(SiteEntry.init)
      signature = signed.signature.map { Hexadecimal.text($0) }
    }
  }

  private struct ServerEntry: Codable {
    var name: String
    var protocol_key: String
    var log_key: String
    var certificate: String
    var certificate_sha256: String
    var addresses: [String]

    enum CodingKeys: String, CodingKey, CaseIterable { case name, protocol_key, log_key, certificate, certificate_sha256, addresses }
    init(from decoder: any Decoder) throws {
      let box = try StrictJSON.container(decoder, CodingKeys.self)
      name = try box.decode(String.self, forKey: .name)
      protocol_key = try box.decode(String.self, forKey: .protocol_key)
      log_key = try box.decode(String.self, forKey: .log_key)
      certificate = try box.decode(String.self, forKey: .certificate)
      certificate_sha256 = try box.decode(String.self, forKey: .certificate_sha256)
      addresses = try box.decode([String].self, forKey: .addresses)
    }
    init(_ server: Roster.Server) {
      (name, protocol_key, log_key) = (server.name, Hexadecimal.text(server.protocolKey.bytes), Hexadecimal.text(server.logKey.bytes))
      certificate = Data(server.certificate.der).base64EncodedString()
      (certificate_sha256, addresses) = (server.certificate.fingerprint.description, server.addresses)
    }
  }

  private struct SiteEntry: Codable {
    var site: UInt32
    var name: String
    var protocol_key: String
    var witness_key: String
    var certificate: String
    var certificate_sha256: String
    var not_before: String
    var not_after: String

    enum CodingKeys: String, CodingKey, CaseIterable {
      case site, name, protocol_key, witness_key, certificate, certificate_sha256, not_before, not_after
    }
    init(from decoder: any Decoder) throws {
      let box = try StrictJSON.container(decoder, CodingKeys.self)
      site = try box.decode(UInt32.self, forKey: .site)
      name = try box.decode(String.self, forKey: .name)
      protocol_key = try box.decode(String.self, forKey: .protocol_key)
      witness_key = try box.decode(String.self, forKey: .witness_key)
      certificate = try box.decode(String.self, forKey: .certificate)
      certificate_sha256 = try box.decode(String.self, forKey: .certificate_sha256)
      not_before = try box.decode(String.self, forKey: .not_before)
      not_after = try box.decode(String.self, forKey: .not_after)
    }
    init(_ member: Roster.Member) {
      (site, name, protocol_key) = (member.site.rawValue, member.name, Hexadecimal.text(member.protocolKey.bytes))
      (witness_key, certificate) = (Hexadecimal.text(member.witnessKey.bytes), Data(member.certificate.der).base64EncodedString())
      certificate_sha256 = member.certificate.fingerprint.description
      (not_before, not_after) = (Timestamp.text(member.notBefore), Timestamp.text(member.notAfter))
    }
  }

  static func encode(_ signed: SignedRoster) -> [UInt8] { StrictJSON.encode(File(signed)) }

  static func decode(_ bytes: [UInt8]) throws(FederationError) -> SignedRoster {
    let fields = StrictJSON.Fields(code: .rosterMalformed, what: "the roster", hint: "ask the consortium for the file again")
    let file = try fields.decode(File.self, bytes, bytesMax: bytesMax)
    guard file.format == format else { throw fields.error("its format is not \(format)") }
    guard file.sites.count <= Roster.membersMax else { throw fields.error("it has more than \(Roster.membersMax) sites") }
    guard (0...Roster.membersMax).contains(file.colluders) else { throw fields.error("its number of colluders is out of bounds") }
    var roster = Roster(consortiumKey: try fields.key(file.consortium_key, "consortium_key"))
    (roster.serial, roster.colluders, roster.nextSite) = (file.serial, file.colluders, file.next_site)
    (roster.issued, roster.validUntil) = (try fields.time(file.issued, "issued"), try fields.time(file.valid_until, "valid_until"))
    if let entry = file.server {
      roster.server = Roster.Server(
        name: entry.name, protocolKey: try fields.key(entry.protocol_key, "server.protocol_key"),
        logKey: try fields.key(entry.log_key, "server.log_key"),
        certificate: try fields.certificate(entry.certificate, entry.certificate_sha256, "server"), addresses: entry.addresses)
    }
    for entry in file.sites {
      let place = "site \(entry.site)"
      roster.members.append(
        Roster.Member(
          site: SiteID(entry.site), name: entry.name, protocolKey: try fields.key(entry.protocol_key, place),
          witnessKey: try fields.key(entry.witness_key, place),
          certificate: try fields.certificate(entry.certificate, entry.certificate_sha256, place),
          notBefore: try fields.time(entry.not_before, place), notAfter: try fields.time(entry.not_after, place)))
    }
    try roster.validate()
    return SignedRoster(roster: roster, signature: try file.signature.map { text throws(FederationError) in try fields.signature(text) })
  }
}
