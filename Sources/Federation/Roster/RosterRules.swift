// The rules that every roster keeps, and the changes that a consortium can make to one. Each change is a new signed roster.
import Foundation
import SecAgg
import Sodium
import TLSIdentity

extension Roster {
  /// Checks everything that can be checked without a clock.
  ///
  /// - Throws: RO-06 where two entries share what must be their own, RO-09 for an entry that breaks a rule.
  public func validate() throws(FederationError) {
    guard members.count <= Self.membersMax else { throw Self.entry("\(members.count) sites are more than \(Self.membersMax)") }
    guard zip(members, members.dropFirst()).allSatisfy({ $0.site < $1.site }) else {
      throw FederationError(.rosterDuplicate, "two sites share an index, or they are out of order", hint: Self.hint)
    }
    if let last = members.last, last.site.rawValue >= nextSite { throw Self.entry("an index is above the next free one") }
    guard nextSite <= 1_000_000 else { throw Self.entry("the next index is out of bounds") }
    guard colluders >= 0, colluders < max(1, members.count) else {
      throw Self.entry("\(colluders) colluders among \(members.count) sites")
    }
    if serial > 0, issued >= validUntil { throw Self.entry("it ends before it begins") }
    for member in members {
      try Self.check(name: member.name, certificate: member.certificate)
      guard member.notBefore < member.notAfter else { throw Self.entry("the entry of \(member.name) ends before it begins") }
    }
    if let server {
      try Self.check(name: server.name, certificate: server.certificate)
      guard (1...Self.addressesMax).contains(server.addresses.count) else {
        throw Self.entry("the server has \(server.addresses.count) addresses")
      }
      for address in server.addresses {
        guard let parsed = HostPort(address), parsed.port > 0 else { throw Self.entry("\"\(address.prefix(80))\" is no host:port") }
      }
    }
    try validateDistinct()
  }

  private func validateDistinct() throws(FederationError) {
    var names: Set<String> = []
    var keys: Set<[UInt8]> = [consortiumKey.bytes]
    var certificates: Set<CertificateFingerprint> = []
    var tlsKeys: Set<[UInt8]> = []
    func distinct(_ name: String, _ key: [UInt8], _ second: [UInt8], _ certificate: PeerCertificate) throws(FederationError) {
      guard names.insert(name).inserted else { throw Self.duplicate("two entries are named \(name)") }
      guard keys.insert(key).inserted, keys.insert(second).inserted else {
        throw Self.duplicate("a signing key of \(name) is used elsewhere in the roster")
      }
      guard certificates.insert(certificate.fingerprint).inserted, tlsKeys.insert(certificate.publicKey).inserted else {
        throw Self.duplicate("the certificate of \(name), or its key, is used elsewhere in the roster")
      }
    }
    if let server { try distinct(server.name, server.protocolKey.bytes, server.logKey.bytes, server.certificate) }
    for member in members { try distinct(member.name, member.protocolKey.bytes, member.witnessKey.bytes, member.certificate) }
  }

  private static let hint = "ask the consortium for a correct roster"
  private static func entry(_ reason: String) -> FederationError {
    FederationError(.rosterEntry, "the roster is not valid: \(reason)", hint: hint)
  }
  private static func duplicate(_ reason: String) -> FederationError {
    FederationError(.rosterDuplicate, reason, hint: "every name, key and certificate stands once: revoke the old entry first")
  }

  private static func check(name: String, certificate: PeerCertificate) throws(FederationError) {
    try PartyIdentity.check(name: name)
    guard certificate.name.text == name else {
      throw entry("the certificate of \(name) speaks for \(certificate.name.text)")
    }
  }

  // MARK: changes

  /// Adds a site under the next index. n_C follows as a third of the sites unless the consortium fixed it (see `sign`).
  ///
  /// - Parameter request: already verified; see `EnrolmentRequest.verified`.
  public mutating func add(_ request: EnrolmentRequest, from notBefore: Date, until notAfter: Date) throws(FederationError) -> Member {
    guard case .site = request.role else {
      throw FederationError(.enrolmentMalformed, "\(request.name) asks to be a server, not a site", hint: "use `secagg-roster add-server`")
    }
    let member = Member(
      site: SiteID(nextSite), name: request.name, protocolKey: request.protocolKey, witnessKey: request.witnessKey,
      certificate: request.certificate, notBefore: Int64(notBefore.timeIntervalSince1970), notAfter: Int64(notAfter.timeIntervalSince1970))
    var changed = self
    changed.members.append(member)
    changed.nextSite += 1
    try changed.validate()
    self = changed
    return member
  }

  /// Sets or replaces the server.
  public mutating func setServer(_ request: EnrolmentRequest) throws(FederationError) {
    guard case .server(let addresses) = request.role else {
      throw FederationError(.enrolmentMalformed, "\(request.name) asks to be a site, not a server", hint: "use `secagg-roster add-site`")
    }
    var changed = self
    changed.server = Server(
      name: request.name, protocolKey: request.protocolKey, logKey: request.witnessKey, certificate: request.certificate,
      addresses: addresses)
    try changed.validate()
    self = changed
  }

  /// Removes a site. Its index stays used.
  public mutating func revoke(_ name: String) throws(FederationError) {
    guard let index = members.firstIndex(where: { $0.name == name }) else {
      throw FederationError(.notInRoster, "no site named \(name) is in the roster", hint: "`secagg-roster show` lists the names")
    }
    members.remove(at: index)
    colluders = min(colluders, max(0, members.count - 1))
  }
}

/// A host and a port, as addresses are written.
public struct HostPort: Equatable, Sendable, CustomStringConvertible {
  /// A name, or a numeric address without brackets.
  public var host: String
  public var port: Int

  public init(host: String, port: Int) { (self.host, self.port) = (host, port) }

  /// `name:port`, `1.2.3.4:port` or `[::1]:port`; nil for anything else. Port 0 is taken: it lets the system choose.
  public init?(_ text: String) {
    guard text.utf8.count <= 300, let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits), port <= 65_535
    else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      guard IPAddress.bytes(host)?.count == 16 else { return nil }
    } else {
      guard !host.isEmpty, host.utf8.count <= 253, host.utf8.allSatisfy(Self.isHostByte) else { return nil }
    }
    self.init(host: host, port: port)
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 46
  }

  public var isLoopback: Bool { IPAddress.isLoopback(host) }
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
