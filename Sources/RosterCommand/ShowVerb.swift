// secagg-roster show: what a roster says, and with a pinned key whether it may be believed.
import ArgumentParser
import CommandLineKit
import Federation
import Foundation
import SecAgg

struct ShowVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a roster; with --consortium-key check it as a site would.")

  @OptionGroup var file: RosterOption
  @Option(help: "The pinned public key; the roster is refused (77) if it does not fit.") var consortiumKey: String?
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    let signed = try SignedRoster.read(file.roster)
    if let path = consortiumKey {
      _ = try RosterVerifier(consortiumKey: KeyFile.readPublic(path)).verify(signed, now: Date(), highestSerialSeen: 0)
    }
    let summary = RosterSummary(signed, verified: consortiumKey != nil)
    if json { try JSONOutput.object(summary) } else { summary.print() }
  }
}

/// The roster as `show --json` prints it.
struct RosterSummary: Encodable {
  struct Party: Encodable {
    var site: UInt32?
    var name: String
    var protocolFingerprint: String
    var certificateSHA256: String
    var addresses: [String]?
    var notAfter: String

    enum CodingKeys: String, CodingKey {
      case site, name, addresses
      case protocolFingerprint = "protocol_fingerprint"
      case certificateSHA256 = "certificate_sha256"
      case notAfter = "not_after"
    }
  }

  var consortiumFingerprint: String
  var digest: String
  var serial: UInt64
  var issued: String?
  var validUntil: String?
  var colluders: Int
  var threshold: Int?
  var signed: Bool
  var verified: Bool
  var server: Party?
  var sites: [Party]

  enum CodingKeys: String, CodingKey {
    case digest, serial, issued, colluders, threshold, signed, verified, server, sites
    case consortiumFingerprint = "consortium_fingerprint"
    case validUntil = "valid_until"
  }

  init(_ signed: SignedRoster, verified: Bool) {
    let roster = signed.roster
    consortiumFingerprint = Fingerprint.text(of: roster.consortiumKey.bytes, purpose: "consortium")
    (digest, serial, colluders) = (Hexadecimal.text(roster.digest), roster.serial, roster.colluders)
    (self.signed, self.verified) = (signed.signature != nil, verified)
    if roster.serial > 0 { (issued, validUntil) = (Timestamp.text(roster.issued), Timestamp.text(roster.validUntil)) }
    if !roster.members.isEmpty { threshold = RoundPlan.threshold(sites: roster.members.count, colluders: roster.colluders) }
    server = roster.server.map { server in
      Party(
        name: server.name, protocolFingerprint: Fingerprint.text(of: server.protocolKey.bytes, purpose: "protocol"),
        certificateSHA256: server.certificate.fingerprint.description, addresses: server.addresses,
        notAfter: Timestamp.text(Int64(server.certificate.notAfter.timeIntervalSince1970)))
    }
    sites = roster.members.map { member in
      Party(
        site: member.site.rawValue, name: member.name,
        protocolFingerprint: Fingerprint.text(of: member.protocolKey.bytes, purpose: "protocol"),
        certificateSHA256: member.certificate.fingerprint.description, notAfter: Timestamp.text(member.notAfter))
    }
  }

  func print() {
    Output.line("consortium   \(consortiumFingerprint)")
    let state = signed ? "serial number \(serial), signed \(issued ?? "?"), valid until \(validUntil ?? "?")" : "draft, not signed"
    Output.line("roster       \(state)\(verified ? ", signature and dates checked" : "")")
    Output.line("colluders    \(colluders) of \(sites.count) sites\(threshold.map { ", threshold \($0)" } ?? "")")
    Output.line("digest       \(digest)")
    Output.line()
    var table = Table([.init("index", .right), .init("name"), .init("key fingerprint"), .init("until"), .init("certificate SHA-256")])
    func row(_ index: String, _ party: Party) -> [String] {
      [index, party.name, party.protocolFingerprint, String(party.notAfter.prefix(10)), String(party.certificateSHA256.prefix(29)) + "…"]
    }
    if let server { table.add(row("server", server)) }
    for site in sites { table.add(row(site.site.map(String.init) ?? "", site)) }
    for line in table.rendered() { Output.line(line) }
    if let addresses = server?.addresses { Output.line("\nserver at    \(addresses.joined(separator: ", "))") }
  }
}
