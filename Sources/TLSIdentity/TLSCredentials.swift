// A party's own TLS certificate with its key: minted here, self-signed, ECDSA P-256. Nobody issues certificates: the consortium's
// signature over the roster, which carries every certificate, is what makes one trusted. The key never appears in a description.
import Crypto
import Foundation
import SwiftASN1
import X509

/// A certificate and the private key that belongs to it.
public struct TLSCredentials: Sendable, CustomStringConvertible, CustomReflectable {
  /// What the certificate is for.
  public enum Role: Sendable, Equatable {
    /// A site: it only ever connects outwards.
    case site
    /// A server under these DNS names or IP addresses.
    case server(hosts: [String])
  }

  public let certificate: PeerCertificate
  let key: P256.Signing.PrivateKey

  /// The private key in DER, for the TLS library, which keeps its own copy in its own memory.
  package var keyDER: [UInt8] { Array(key.derRepresentation) }

  init(certificate: PeerCertificate, key: P256.Signing.PrivateKey) throws(TLSIdentityError) {
    guard Array(key.publicKey.x963Representation) == certificate.publicKey else {
      throw TLSIdentityError(
        .keyMismatch, "the key does not belong to the certificate of \(certificate.name)", hint: "give the key that was minted with it")
    }
    self.certificate = certificate
    self.key = key
  }

  /// Makes a fresh key and a self-signed certificate for it.
  /// - Parameters:
  ///   - name: the party's name in the roster; becomes the URI `secagg://<name>`.
  ///   - role: a server's certificate also names its hosts, at least one.
  ///   - days: validity from `now` (less five minutes, for clocks that differ), 1 to 3650.
  public static func mint(
    name: String, role: Role, days: Int = 825, now: Date = Date()
  ) throws(TLSIdentityError) -> TLSCredentials {
    guard (1...3650).contains(days) else {
      throw TLSIdentityError(.outsideValidity, "a validity of \(days) days is not between 1 and 3650", hint: "825 days is the default")
    }
    return try mint(name: name, role: role, notBefore: now - 300, notAfter: now + Double(days) * 86_400)
  }

  /// As ``mint(name:role:days:now:)`` with explicit bounds; certificates outside their validity exist for tests and drills.
  public static func mint(
    name: String, role: Role, notBefore: Date, notAfter: Date
  ) throws(TLSIdentityError) -> TLSCredentials {
    let party = try PartyName(name)
    var alternatives: [GeneralName] = [.uniformResourceIdentifier(party.uri)]
    var usage = ExtendedKeyUsage.Usage.clientAuth
    if case .server(let hosts) = role {
      guard !hosts.isEmpty, hosts.count <= 32 else {
        throw TLSIdentityError(
          .unusableName, "a server's certificate names 1 to 32 hosts", hint: "give the host that sites will connect to")
      }
      usage = .serverAuth
      for host in hosts { alternatives.append(try generalName(host)) }
    }
    let key = P256.Signing.PrivateKey()
    do {
      let subject = try DistinguishedName { CommonName(party.text) }
      let extensions = try Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        // The second bit is what a stock TLS library asks of a self-signed certificate that it is to take as its own trust root.
        Critical(KeyUsage(digitalSignature: true, keyCertSign: true))
        try ExtendedKeyUsage([usage])
        SubjectAlternativeNames(alternatives)
      }
      let certificate = try Certificate(
        version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
        notValidBefore: notBefore, notValidAfter: notAfter, issuer: subject, subject: subject,
        signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions, issuerPrivateKey: .init(key))
      var serializer = DER.Serializer()
      try serializer.serialize(certificate)
      return try TLSCredentials(certificate: PeerCertificate(der: serializer.serializedBytes), key: key)
    } catch let error as TLSIdentityError {
      throw error
    } catch {
      throw TLSIdentityError(.malformedCertificate, "the certificate of \(name) could not be made: \(error)", hint: "report this as a bug")
    }
  }

  private static func generalName(_ host: String) throws(TLSIdentityError) -> GeneralName {
    if let address = IPAddress.bytes(host) { return .ipAddress(ASN1OctetString(contentBytes: ArraySlice(address))) }
    let lower = host.lowercased()
    let fine = lower.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }
    guard fine, (1...253).contains(lower.utf8.count) else {
      throw TLSIdentityError(
        .unusableName, "\"\(host.prefix(80))\" is neither a host name nor an IP address", hint: "write it without port or scheme")
    }
    return .dnsName(lower)
  }

  public var description: String { "credentials of \(certificate.name), \(certificate.fingerprint)" }
  public var customMirror: Mirror { Mirror(self, children: ["certificate": certificate.fingerprint]) }
}
