// The consortium's roster (spec/02-context-keys-roster.md): who takes part, with which keys, until when. A value type; what may be
// believed of it is decided by RosterVerifier alone. Invariant of every roster that leaves this file: `validate()` holds.
import Foundation
import SecAgg
import Sodium
import TLSIdentity

public struct Roster: Equatable, Sendable {
  /// One site.
  public struct Member: Equatable, Sendable {
    /// The permanent index; never used again, also after revocation.
    public let site: SiteID
    public let name: String
    /// Signs the protocol's messages.
    public let protocolKey: Ed25519.PublicKey
    /// Signs checkpoints as a witness; a key of its own so that neither use can be turned into the other.
    public let witnessKey: Ed25519.PublicKey
    public let certificate: PeerCertificate
    /// Validity, seconds since 1970, both ends included.
    public let notBefore: Int64
    public let notAfter: Int64

    public func isValid(at date: Date) -> Bool {
      let seconds = date.timeIntervalSince1970
      return seconds >= Double(notBefore) && seconds <= Double(notAfter)
    }
  }

  /// The server that rounds run on.
  public struct Server: Equatable, Sendable {
    public let name: String
    /// Signs plans and sets.
    public let protocolKey: Ed25519.PublicKey
    /// Signs the ledger's checkpoints.
    public let logKey: Ed25519.PublicKey
    public let certificate: PeerCertificate
    /// Where sites may connect: `host:port`.
    public let addresses: [String]
  }

  /// The key that signs; what a party pins is its own copy, this one only says which is meant.
  public let consortiumKey: Ed25519.PublicKey
  /// Of the last signature; 0 before the first.
  public internal(set) var serial: UInt64 = 0
  /// Seconds since 1970 of the last signature, and until when it may be relied on.
  public internal(set) var issued: Int64 = 0
  public internal(set) var validUntil: Int64 = 0
  /// n_C: how many sites may collude with the server.
  public internal(set) var colluders = 0
  /// The index that the next site gets.
  public internal(set) var nextSite: UInt32 = 0
  public internal(set) var server: Server?
  /// By ascending index.
  public internal(set) var members: [Member] = []

  /// An empty roster of a consortium.
  public init(consortiumKey: Ed25519.PublicKey) { self.consortiumKey = consortiumKey }

  public static let membersMax = 10_000
  public static let addressesMax = 8
  static let label = "secagg/v1/roster"

  public func member(named name: String) -> Member? { members.first { $0.name == name } }
  public func member(_ site: SiteID) -> Member? { members.first { $0.site == site } }

  /// The bytes that the consortium signs. Two rosters have the same bytes exactly if they say the same.
  public var canonicalBytes: [UInt8] {
    var out = CanonicalWriter(label: Self.label)
    out.data(consortiumKey.bytes)
    out.integer(serial)
    out.integer(UInt64(bitPattern: issued))
    out.integer(UInt64(bitPattern: validUntil))
    out.count(colluders)
    out.integer(nextSite)
    out.flag(server != nil)
    if let server {
      out.string(server.name)
      out.data(server.protocolKey.bytes)
      out.data(server.logKey.bytes)
      out.data(server.certificate.der)
      out.count(server.addresses.count)
      for address in server.addresses { out.string(address) }
    }
    out.count(members.count)
    for member in members {
      out.integer(member.site.rawValue)
      out.string(member.name)
      out.data(member.protocolKey.bytes)
      out.data(member.witnessKey.bytes)
      out.data(member.certificate.der)
      out.integer(UInt64(bitPattern: member.notBefore))
      out.integer(UInt64(bitPattern: member.notAfter))
    }
    return out.bytes
  }

  /// BLAKE2b-256 of `canonicalBytes`: what every round's context names.
  public var digest: [UInt8] { BLAKE2b.hash(canonicalBytes) }

  /// What the protocol needs, with the keys of the members that are valid at `date`.
  ///
  /// - Throws: RO-09 if there is no server yet.
  public func view(at date: Date) throws(FederationError) -> RosterView {
    guard let server else {
      throw FederationError(.rosterEntry, "the roster names no server", hint: "run `secagg-roster add-server`, then sign again")
    }
    let valid = members.filter { $0.isValid(at: date) }
    return RosterView(
      digest: digest, colluders: colluders, siteKeys: Dictionary(uniqueKeysWithValues: valid.map { ($0.site, $0.protocolKey) }),
      serverKey: server.protocolKey)
  }

  /// n_C where the consortium has not chosen another: a third of the sites.
  public static func defaultColluders(sites: Int) -> Int { sites / 3 }
}
