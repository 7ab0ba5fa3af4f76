// What a party hands to the consortium to be taken into the roster: its public keys and certificate, signed by both of its signing
// keys, so that nobody can enrol another's key as his own. The fingerprint is compared by voice before it is added.
import Foundation
import SecAgg
import Sodium
import TLSIdentity

public struct EnrolmentRequest: Equatable, Sendable {
  public enum Role: Equatable, Sendable {
    case site
    /// With the addresses at which sites reach it, `host:port`.
    case server(addresses: [String])
  }

  public let name: String
  public let role: Role
  public let protocolKey: Ed25519.PublicKey
  /// A site's witness key, or a server's log key.
  public let witnessKey: Ed25519.PublicKey
  public let certificate: PeerCertificate
  /// Seconds since 1970.
  public let created: Int64
  let signature: [UInt8]
  let witnessSignature: [UInt8]

  static let label = "secagg/v1/enrolment"
  static let bytesMax = 131_072
  static let format = "secagg-enrolment/v1"

  /// A request of the party whose keys these are.
  public init(of identity: PartyIdentity, addresses: [String], now: Date) throws(FederationError) {
    (name, certificate, created) = (identity.name, identity.tls.certificate, Int64(now.timeIntervalSince1970))
    role = identity.role == .site ? .site : .server(addresses: addresses)
    (protocolKey, witnessKey) = (identity.protocolKey.publicKey, identity.witnessKey.publicKey)
    let bytes = Self.canonical(name, role, protocolKey, witnessKey, certificate, created)
    signature = identity.protocolKey.signature(of: bytes)
    witnessSignature = identity.witnessKey.signature(of: bytes)
    try check()
  }

  private init(file: File) throws(FederationError) {
    let fields = Self.fields
    guard file.format == Self.format else { throw fields.error("its format is not \(Self.format)") }
    switch (file.role, file.addresses) {
    case ("site", nil): role = .site
    case ("server", let addresses?): role = .server(addresses: addresses)
    default: throw fields.error("its role is neither a site nor a server with addresses")
    }
    name = file.name
    protocolKey = try fields.key(file.protocolKey, "protocol_key")
    witnessKey = try fields.key(file.witnessKey, "witness_key")
    certificate = try fields.certificate(file.certificate, file.certificateSha256, "the request")
    created = try fields.time(file.created, "created")
    signature = try fields.signature(file.signature)
    witnessSignature = try fields.signature(file.witnessSignature)
    try check()
  }

  /// The eight groups that both sides read to each other.
  public var fingerprint: String { Fingerprint.text(of: canonicalBytes, purpose: "enrolment") }

  var canonicalBytes: [UInt8] { Self.canonical(name, role, protocolKey, witnessKey, certificate, created) }

  private static func canonical(
    _ name: String, _ role: Role, _ key: Ed25519.PublicKey, _ witness: Ed25519.PublicKey, _ certificate: PeerCertificate, _ created: Int64
  ) -> [UInt8] {
    var out = CanonicalWriter(label: label)
    out.string(name)
    switch role {
    case .site: out.flag(false)
    case .server(let addresses):
      out.flag(true)
      out.count(addresses.count)
      for address in addresses { out.string(address) }
    }
    out.data(key.bytes)
    out.data(witness.bytes)
    out.data(certificate.der)
    out.integer(UInt64(bitPattern: created))
    return out.bytes
  }

  /// - Throws: ER-01 form, ER-02 signatures, ER-03 certificate.
  private func check() throws(FederationError) {
    let fields = Self.fields
    try PartyIdentity.check(name: name)
    if case .server(let addresses) = role {
      guard (1...Roster.addressesMax).contains(addresses.count) else {
        throw fields.error("a server has 1 to \(Roster.addressesMax) addresses")
      }
      for address in addresses {
        guard let parsed = HostPort(address), parsed.port > 0 else { throw fields.error("\"\(address.prefix(80))\" is no host:port") }
        guard certificate.names(host: parsed.host) else {
          throw FederationError(
            .enrolmentCertificate, "the certificate of \(name) does not name the host \(parsed.host)",
            hint: "make the identity again with --host \(parsed.host)")
        }
      }
    }
    guard protocolKey != witnessKey else { throw fields.error("its two keys are one") }
    guard certificate.name.text == name else {
      throw FederationError(
        .enrolmentCertificate, "the certificate speaks for \(certificate.name.text), not for \(name)", hint: "make a new request")
    }
    guard protocolKey.verify(signature, of: canonicalBytes), witnessKey.verify(witnessSignature, of: canonicalBytes) else {
      throw FederationError(
        .enrolmentSignature, "the request of \(name) was altered: a signature does not fit", hint: "ask for the file again")
    }
  }

  // MARK: file

  private static var fields: StrictJSON.Fields {
    StrictJSON.Fields(code: .enrolmentMalformed, what: "the enrolment request", hint: "ask the party to run enroll again")
  }

  private struct File: Codable {
    var format: String
    var name: String
    var role: String
    var addresses: [String]?
    var protocolKey: String
    var witnessKey: String
    var certificate: String
    var certificateSha256: String
    var created: String
    var signature: String
    var witnessSignature: String

    enum CodingKeys: String, CodingKey, CaseIterable {
      case format, name, role, addresses, protocolKey, witnessKey, certificate, certificateSha256, created, signature
      case witnessSignature
    }
    init(from decoder: any Decoder) throws {
      let box = try StrictJSON.container(decoder, CodingKeys.self)
      format = try box.decode(String.self, forKey: .format)
      name = try box.decode(String.self, forKey: .name)
      role = try box.decode(String.self, forKey: .role)
      addresses = try box.decodeIfPresent([String].self, forKey: .addresses)
      protocolKey = try box.decode(String.self, forKey: .protocolKey)
      witnessKey = try box.decode(String.self, forKey: .witnessKey)
      certificate = try box.decode(String.self, forKey: .certificate)
      certificateSha256 = try box.decode(String.self, forKey: .certificateSha256)
      created = try box.decode(String.self, forKey: .created)
      signature = try box.decode(String.self, forKey: .signature)
      witnessSignature = try box.decode(String.self, forKey: .witnessSignature)
    }
    init(_ request: EnrolmentRequest) {
      (format, name) = (EnrolmentRequest.format, request.name)
      if case .server(let list) = request.role { (role, addresses) = ("server", list) } else { (role, addresses) = ("site", nil) }
      (protocolKey, witnessKey) = (Hexadecimal.text(request.protocolKey.bytes), Hexadecimal.text(request.witnessKey.bytes))
      certificate = Data(request.certificate.der).base64EncodedString()
      (certificateSha256, created) = (request.certificate.fingerprint.description, Timestamp.text(request.created))
      (signature, witnessSignature) = (Hexadecimal.text(request.signature), Hexadecimal.text(request.witnessSignature))
    }
  }

  /// The JSON text of the request.
  public func encoded() -> [UInt8] { StrictJSON.encode(File(self)) }

  /// Reads a request and checks it: form, signatures, certificate.
  public static func parse(_ bytes: [UInt8]) throws(FederationError) -> EnrolmentRequest {
    try EnrolmentRequest(file: try fields.decode(File.self, bytes, bytesMax: bytesMax))
  }

  public static func read(_ path: String) throws(FederationError) -> EnrolmentRequest {
    let bytes: [UInt8]
    do { bytes = try BoundedFile.read(path, bytesMax: bytesMax) } catch {
      throw FederationError(.enrolmentMalformed, "cannot read \(path): \(error.reason)", hint: "check the path of the request")
    }
    return try parse(bytes)
  }

  public func write(to path: String) throws(FederationError) {
    do { try BoundedFile.write(encoded(), to: path, mode: 0o644, replaces: true) } catch {
      throw FederationError(.identityFile, "cannot write \(path): \(error.reason)", hint: "check the path and its permissions")
    }
  }
}
