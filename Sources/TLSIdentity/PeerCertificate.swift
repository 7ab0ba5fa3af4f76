// One certificate as SecAgg sees it: its DER bytes, their fingerprint, the one `secagg://` name, the hosts, the validity. Trust never
// comes from a chain: the roster pins the exact certificate, TLS proves possession of its key (spec: transport).
import Crypto
import Foundation
import SwiftASN1
import X509

/// A parsed P-256 certificate with exactly one `secagg://` name. Equal when the bytes are equal.
public struct PeerCertificate: Sendable, Hashable {
  /// The longest certificate that is read, in bytes of DER.
  public static let bytesMax = 16_384

  /// The certificate's DER encoding, as it was given.
  public let der: [UInt8]
  public let fingerprint: CertificateFingerprint
  /// Whom the certificate speaks for: the URI in its subject alternative names.
  public let name: PartyName
  /// DNS names, lower case, in the certificate's order (servers only).
  public let dnsNames: [String]
  /// IP addresses as 4 or 16 bytes, network order (servers only).
  public let addresses: [[UInt8]]
  public let notBefore: Date
  public let notAfter: Date
  /// The public key: X9.63 uncompressed point, 65 bytes.
  public let publicKey: [UInt8]

  /// - Parameter der: one certificate, at most ``bytesMax`` bytes, nothing behind it.
  /// - Throws: ``TLSIdentityError`` `malformedCertificate`, `unsupportedKey` or `wrongName`.
  public init(der: [UInt8]) throws(TLSIdentityError) {
    guard der.count <= Self.bytesMax else {
      throw TLSIdentityError(
        .malformedCertificate, "the certificate has \(der.count) bytes, more than \(Self.bytesMax)", hint: "mint a new certificate")
    }
    let parsed: Certificate
    let names: SubjectAlternativeNames?
    do {
      parsed = try Certificate(derEncoded: der)
      names = try parsed.extensions.subjectAlternativeNames
    } catch {
      throw TLSIdentityError(.malformedCertificate, "these bytes are no X.509 certificate", hint: "check the file: it may be cut short")
    }
    guard let key = P256.Signing.PublicKey(parsed.publicKey) else {
      throw TLSIdentityError(.unsupportedKey, "the certificate's key is not ECDSA P-256", hint: "mint the certificate with SecAgg")
    }
    var uris: [String] = []
    var dns: [String] = []
    var ips: [[UInt8]] = []
    for name in names ?? SubjectAlternativeNames([]) {
      switch name {
      case .uniformResourceIdentifier(let uri): uris.append(uri)
      case .dnsName(let host): dns.append(host.lowercased())
      case .ipAddress(let address): ips.append(Array(address.bytes))
      default: break
      }
    }
    guard uris.count == 1, let uri = uris.first, let name = PartyName(uri: uri) else {
      throw TLSIdentityError(
        .wrongName, "the certificate does not carry exactly one secagg:// name", hint: "mint the certificate with SecAgg")
    }
    self.der = der
    fingerprint = CertificateFingerprint(ofDER: der)
    self.name = name
    dnsNames = dns
    addresses = ips
    notBefore = parsed.notValidBefore
    notAfter = parsed.notValidAfter
    publicKey = Array(key.x963Representation)
  }

  /// - Parameter pem: exactly one `CERTIFICATE` block.
  public init(pem: String) throws(TLSIdentityError) {
    guard pem.utf8.count <= 4 * Self.bytesMax, let document = try? PEMDocument(pemString: pem), document.discriminator == "CERTIFICATE"
    else {
      throw TLSIdentityError(
        .malformedCertificate, "this is not one PEM certificate", hint: "the file must hold one BEGIN CERTIFICATE block and nothing else")
    }
    try self.init(der: document.derBytes)
  }

  /// The certificate as one PEM block.
  public var pem: String { PEMDocument(type: "CERTIFICATE", derBytes: der).pemString + "\n" }

  /// `secagg://<name>`.
  public var uri: String { name.uri }

  /// Checks that `date` lies within the certificate's validity.
  public func checkValidity(at date: Date = Date()) throws(TLSIdentityError) {
    let format = Date.ISO8601FormatStyle()
    if date < notBefore {
      throw TLSIdentityError(
        .outsideValidity, "the certificate of \(name) is valid only from \(notBefore.formatted(format))",
        hint: "check this machine's clock, or wait")
    }
    if date > notAfter {
      throw TLSIdentityError(
        .outsideValidity, "the certificate of \(name) expired on \(notAfter.formatted(format))",
        hint: "mint a new certificate and have the consortium sign a new roster")
    }
  }

  /// Whether the certificate names this host: a DNS name, or an IP address in its usual notation. No wildcards.
  public func names(host: String) -> Bool {
    if let address = IPAddress.bytes(host) { return addresses.contains(address) }
    return dnsNames.contains(host.lowercased())
  }

  public static func == (left: Self, right: Self) -> Bool { left.der == right.der }
  public func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }
}

extension PeerCertificate {
  /// What the TLS library of a server hands out as the peer's certificate.
  package init(_ certificate: Certificate) throws(TLSIdentityError) {
    var serializer = DER.Serializer()
    do {
      try serializer.serialize(certificate)
    } catch {
      throw TLSIdentityError(.malformedCertificate, "the certificate cannot be encoded again", hint: "mint a new certificate")
    }
    try self.init(der: serializer.serializedBytes)
  }
}
