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
    var consortiumKey: String
    var serial: UInt64
    var issued: String
    var validUntil: String
    var colluders: Int
    var nextSite: UInt32
    var server: ServerEntry?
    var sites: [SiteEntry]
    var signature: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case format, consortiumKey, serial, issued, validUntil, colluders, nextSite, server, sites, signature
    }
    init(from decoder: any Decoder) throws {
      let box = try StrictJSON.container(decoder, CodingKeys.self)
      format = try box.decode(String.self, forKey: .format)
      consortiumKey = try box.decode(String.self, forKey: .consortiumKey)
      serial = try box.decode(UInt64.self, forKey: .serial)
      issued = try box.decode(String.self, forKey: .issued)
      validUntil = try box.decode(String.self, forKey: .validUntil)
      colluders = try box.decode(Int.self, forKey: .colluders)
      nextSite = try box.decode(UInt32.self, forKey: .nextSite)
      server = try box.decodeIfPresent(ServerEntry.self, forKey: .server)
      sites = try box.decode([SiteEntry].self, forKey: .sites)
      signature = try box.decodeIfPresent(String.self, forKey: .signature)
    }
    init(_ signed: SignedRoster) {
      let roster = signed.roster
      (format, consortiumKey, serial) = (RosterFile.format, Hexadecimal.text(roster.consortiumKey.bytes), roster.serial)
      (issued, validUntil) = (Timestamp.text(roster.issued), Timestamp.text(roster.validUntil))
      (colluders, nextSite) = (roster.colluders, roster.nextSite)
      server = roster.server.map(ServerEntry.init)
      sites = roster.members.map(SiteEntry.init)
      signature = signed.signature.map { Hexadecimal.text($0) }
    }
  }

  private struct ServerEntry: Codable {
    var name: String
    var protocolKey: String
    var logKey: String
    var certificate: String
    var certificateSha256: String
    var addresses: [String]

    enum CodingKeys: String, CodingKey, CaseIterable { case name, protocolKey, logKey, certificate, certificateSha256, addresses }
    init(from decoder: any Decoder) throws {
      let box = try StrictJSON.container(decoder, CodingKeys.self)
      name = try box.decode(String.self, forKey: .name)
      protocolKey = try box.decode(String.self, forKey: .protocolKey)
      logKey = try box.decode(String.self, forKey: .logKey)
      certificate = try box.decode(String.self, forKey: .certificate)
      certificateSha256 = try box.decode(String.self, forKey: .certificateSha256)
      addresses = try box.decode([String].self, forKey: .addresses)
    }
    init(_ server: Roster.Server) {
      (name, protocolKey, logKey) = (server.name, Hexadecimal.text(server.protocolKey.bytes), Hexadecimal.text(server.logKey.bytes))
      certificate = Data(server.certificate.der).base64EncodedString()
      (certificateSha256, addresses) = (server.certificate.fingerprint.description, server.addresses)
    }
  }

  private struct SiteEntry: Codable {
    var site: UInt32
    var name: String
    var protocolKey: String
    var witnessKey: String
    var certificate: String
    var certificateSha256: String
    var notBefore: String
    var notAfter: String

    enum CodingKeys: String, CodingKey, CaseIterable {
      case site, name, protocolKey, witnessKey, certificate, certificateSha256, notBefore, notAfter
    }
    init(from decoder: any Decoder) throws {
      let box = try StrictJSON.container(decoder, CodingKeys.self)
      site = try box.decode(UInt32.self, forKey: .site)
      name = try box.decode(String.self, forKey: .name)
      protocolKey = try box.decode(String.self, forKey: .protocolKey)
      witnessKey = try box.decode(String.self, forKey: .witnessKey)
      certificate = try box.decode(String.self, forKey: .certificate)
      certificateSha256 = try box.decode(String.self, forKey: .certificateSha256)
      notBefore = try box.decode(String.self, forKey: .notBefore)
      notAfter = try box.decode(String.self, forKey: .notAfter)
    }
    init(_ member: Roster.Member) {
      (site, name, protocolKey) = (member.site.rawValue, member.name, Hexadecimal.text(member.protocolKey.bytes))
      (witnessKey, certificate) = (Hexadecimal.text(member.witnessKey.bytes), Data(member.certificate.der).base64EncodedString())
      certificateSha256 = member.certificate.fingerprint.description
      (notBefore, notAfter) = (Timestamp.text(member.notBefore), Timestamp.text(member.notAfter))
    }
  }

  static func encode(_ signed: SignedRoster) -> [UInt8] { StrictJSON.encode(File(signed)) }

  static func decode(_ bytes: [UInt8]) throws(FederationError) -> SignedRoster {
    let fields = StrictJSON.Fields(code: .rosterMalformed, what: "the roster", hint: "ask the consortium for the file again")
    let file = try fields.decode(File.self, bytes, bytesMax: bytesMax)
    guard file.format == format else { throw fields.error("its format is not \(format)") }
    guard file.sites.count <= Roster.membersMax else { throw fields.error("it has more than \(Roster.membersMax) sites") }
    guard (0...Roster.membersMax).contains(file.colluders) else { throw fields.error("its number of colluders is out of bounds") }
    var roster = Roster(consortiumKey: try fields.key(file.consortiumKey, "consortium_key"))
    (roster.serial, roster.colluders, roster.nextSite) = (file.serial, file.colluders, file.nextSite)
    (roster.issued, roster.validUntil) = (try fields.time(file.issued, "issued"), try fields.time(file.validUntil, "valid_until"))
    if let entry = file.server {
      roster.server = Roster.Server(
        name: entry.name, protocolKey: try fields.key(entry.protocolKey, "server.protocol_key"),
        logKey: try fields.key(entry.logKey, "server.log_key"),
        certificate: try fields.certificate(entry.certificate, entry.certificateSha256, "server"), addresses: entry.addresses)
    }
    for entry in file.sites {
      let place = "site \(entry.site)"
      roster.members.append(
        Roster.Member(
          site: SiteID(entry.site), name: entry.name, protocolKey: try fields.key(entry.protocolKey, place),
          witnessKey: try fields.key(entry.witnessKey, place),
          certificate: try fields.certificate(entry.certificate, entry.certificateSha256, place),
          notBefore: try fields.time(entry.notBefore, place), notAfter: try fields.time(entry.notAfter, place)))
    }
    try roster.validate()
    return SignedRoster(roster: roster, signature: try file.signature.map { text throws(FederationError) in try fields.signature(text) })
  }
}
