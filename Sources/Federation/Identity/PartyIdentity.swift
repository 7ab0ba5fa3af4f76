// A party's own keys on disk: one directory with two Ed25519 seeds, a TLS key and its certificate. Secret files belong to their
// owner alone, are never overwritten and never printed.
import Foundation
import SecAgg
import Sodium
import TLSIdentity

/// The keys of a site or of the server.
public struct PartyIdentity: Sendable {
  public enum Role: String, Sendable { case site, server }

  public let name: String
  public let role: Role
  /// Signs protocol messages.
  public let protocolKey: Ed25519.SigningKey
  /// A site's witness key, or the server's log key.
  public let witnessKey: Ed25519.SigningKey
  public let tls: TLSCredentials

  /// The files of an identity directory.
  public enum File {
    public static let protocolKey = "protocol.key"
    public static let witnessKey = "witness.key"
    public static let tlsKey = "tls.key"
    public static let certificate = "tls.pem"
  }

  /// - Throws: RO-09 for anything but 1 to 63 of `a-z 0-9 -`, with a letter or digit at both ends.
  static func check(name: String) throws(FederationError) {
    let bytes = Array(name.utf8)
    let fine = bytes.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    guard fine, (1...63).contains(bytes.count), bytes.first != 45, bytes.last != 45 else {
      throw FederationError(
        .rosterEntry, "\"\(name.prefix(80))\" is not a name for a party",
        hint: "use 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends")
    }
  }

  /// Makes a site's keys and certificate in a directory that holds none yet.
  public static func createSite(name: String, directory: String, days: Int = 825, now: Date = Date()) throws(FederationError)
    -> PartyIdentity
  {
    try create(name: name, role: .site, tlsRole: .site, directory: directory, days: days, now: now)
  }

  /// Makes the server's keys and certificate.
  ///
  /// - Parameter hosts: the names or addresses that sites will connect to, without port.
  public static func createServer(
    name: String, hosts: [String], directory: String, days: Int = 825, now: Date = Date()
  ) throws(FederationError) -> PartyIdentity {
    try create(name: name, role: .server, tlsRole: .server(hosts: hosts), directory: directory, days: days, now: now)
  }

  private static func create(
    name: String, role: Role, tlsRole: TLSCredentials.Role, directory: String, days: Int, now: Date
  ) throws(FederationError) -> PartyIdentity {
    try check(name: name)
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw FederationError(.identityFile, "cannot make the directory \(directory)", hint: "check the path and its permissions")
    }
    for file in [File.protocolKey, File.witnessKey, File.tlsKey, File.certificate] where access("\(directory)/\(file)", F_OK) == 0 {
      throw FederationError(
        .identityExists, "\(directory) holds keys already; they are never overwritten", hint: "use them, or give another directory")
    }
    let tls: TLSCredentials
    do {
      tls = try TLSCredentials.mint(name: name, role: tlsRole, days: days, now: now)
      try tls.save(certificateFile: "\(directory)/\(File.certificate)", keyFile: "\(directory)/\(File.tlsKey)")
    } catch {
      throw FederationError(.identityFile, error.reason, hint: error.hint)
    }
    let (protocolKey, witnessKey) = (Ed25519.SigningKey(), Ed25519.SigningKey())
    try KeyFile.writeSecret(protocolKey, to: "\(directory)/\(File.protocolKey)")
    try KeyFile.writeSecret(witnessKey, to: "\(directory)/\(File.witnessKey)")
    return PartyIdentity(name: name, role: role, protocolKey: protocolKey, witnessKey: witnessKey, tls: tls)
  }

  /// Reads an identity directory. Name and role are those of the certificate.
  ///
  /// - Throws: ID-01 missing file, ID-02 secret readable by others, ID-03 damaged key.
  public static func load(_ directory: String) throws(FederationError) -> PartyIdentity {
    let protocolKey = try KeyFile.readSecret("\(directory)/\(File.protocolKey)")
    let witnessKey = try KeyFile.readSecret("\(directory)/\(File.witnessKey)")
    let tls: TLSCredentials
    do {
      tls = try TLSCredentials.load(certificateFile: "\(directory)/\(File.certificate)", keyFile: "\(directory)/\(File.tlsKey)")
    } catch {
      let code: FederationError.Code =
        error.code == .keyFileExposed ? .identityExposed : error.code == .file ? .identityFile : .identityMalformed
      throw FederationError(code, error.reason, hint: error.hint)
    }
    guard protocolKey.publicKey != witnessKey.publicKey else {
      throw FederationError(.identityMalformed, "the two keys in \(directory) are one", hint: "make a new identity and enrol it")
    }
    let certificate = tls.certificate
    let role: Role = certificate.dnsNames.isEmpty && certificate.addresses.isEmpty ? .site : .server
    return PartyIdentity(name: certificate.name.text, role: role, protocolKey: protocolKey, witnessKey: witnessKey, tls: tls)
  }

  /// This site's entry in the roster, after checking that it holds exactly the keys that are here.
  ///
  /// - Throws: RO-08 if the roster does not know the name, ID-05 if it knows other keys, RO-04 if the entry is not valid now.
  public func member(of roster: Roster, at date: Date) throws(FederationError) -> Roster.Member {
    guard let member = roster.member(named: name) else {
      throw FederationError(
        .notInRoster, "\(name) is not in the roster", hint: "hand the enrolment request to the consortium, or fetch its new roster")
    }
    guard member.protocolKey == protocolKey.publicKey, member.witnessKey == witnessKey.publicKey, member.certificate == tls.certificate
    else {
      throw mismatch("the roster has other keys for \(name) than the identity directory")
    }
    guard member.isValid(at: date) else {
      throw FederationError(.rosterExpired, "the roster's entry of \(name) is not valid now", hint: "ask the consortium for a new entry")
    }
    return member
  }

  /// Checks that the roster's server is this identity.
  public func checkServer(of roster: Roster) throws(FederationError) {
    guard let server = roster.server, server.name == name else {
      throw FederationError(.notInRoster, "\(name) is not the roster's server", hint: "hand the enrolment request to the consortium")
    }
    guard server.protocolKey == protocolKey.publicKey, server.logKey == witnessKey.publicKey, server.certificate == tls.certificate else {
      throw mismatch("the roster has other keys for the server \(name) than the identity directory")
    }
  }

  private func mismatch(_ reason: String) -> FederationError {
    FederationError(.identityMismatch, reason, hint: "use the directory that the enrolment request came from, or enrol anew")
  }
}
