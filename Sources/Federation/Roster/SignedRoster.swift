// A roster with the consortium's signature, and the one place where a roster becomes believable. The file is readable JSON; what is
// signed is the canonical encoding of what was read from it, so spacing and order of the file mean nothing.
import Foundation
import SecAgg
import Sodium

/// A roster and the signature over its canonical bytes; not yet believed.
public struct SignedRoster: Equatable, Sendable {
  public var roster: Roster
  /// 64 bytes, or nil for a draft that was changed since it was signed.
  public var signature: [UInt8]?

  public init(roster: Roster, signature: [UInt8]? = nil) { (self.roster, self.signature) = (roster, signature) }

  /// Signs with the consortium's key: the serial number grows by one.
  ///
  /// - Parameters:
  ///   - colluders: n_C; a third of the sites if nil.
  ///   - validFor: seconds that the roster may be relied on; bounds how long a withheld revocation can matter.
  /// - Throws: RO-09 for a roster that no round could run on, RO-07 for another consortium's key.
  public mutating func sign(
    with key: Ed25519.SigningKey, colluders: Int?, now: Date, validFor: Double
  ) throws(FederationError) {
    guard key.publicKey == roster.consortiumKey else {
      throw FederationError(
        .otherConsortium, "this is not the key of the roster's consortium", hint: "give the key made by `secagg-roster init`")
    }
    let count = roster.members.count
    let chosen = colluders ?? Roster.defaultColluders(sites: count)
    guard count >= RoundPlan.cohortMin else {
      throw FederationError(
        .rosterEntry, "\(count) sites are too few: a sum of fewer than \(RoundPlan.cohortMin) hides nothing", hint: "add sites first")
    }
    guard roster.server != nil else {
      throw FederationError(.rosterEntry, "the roster names no server", hint: "run `secagg-roster add-server` first")
    }
    guard chosen >= 0, chosen < count, RoundPlan.threshold(sites: count, colluders: chosen) <= count else {
      throw FederationError(
        .rosterEntry, "\(chosen) colluders among \(count) sites leave no threshold", hint: "choose fewer; the default is a third")
    }
    guard validFor >= 60, validFor <= 10 * 366 * 86_400 else {
      throw FederationError(.rosterEntry, "a roster is valid for one minute to ten years", hint: "90 days is the default")
    }
    var next = roster
    (next.serial, next.colluders) = (roster.serial + 1, chosen)
    (next.issued, next.validUntil) = (Int64(now.timeIntervalSince1970), Int64(now.timeIntervalSince1970 + validFor))
    try next.validate()
    roster = next
    signature = key.signature(of: next.canonicalBytes)
  }

  /// Writes the JSON file, whole or not at all.
  public func write(to path: String) throws(FederationError) {
    do {
      try BoundedFile.write(RosterFile.encode(self), to: path, mode: 0o644, replaces: true)
    } catch {
      throw FederationError(.rosterUnreadable, "cannot write \(path): \(error.reason)", hint: "check the path and its permissions")
    }
  }

  /// Reads the JSON file; checks form and rules, not the signature.
  public static func read(_ path: String) throws(FederationError) -> SignedRoster {
    do {
      return try parse(try BoundedFile.read(path, bytesMax: RosterFile.bytesMax))
    } catch let error as FileProblem {
      throw FederationError(.rosterUnreadable, "cannot read \(path): \(error.reason)", hint: "check the path of the roster")
    } catch let error as FederationError {
      throw error
    } catch {
      throw FederationError(.rosterMalformed, "\(path) is not a roster", hint: "ask the consortium for the file again")
    }
  }

  /// - Throws: RO-02 for what is no roster, RO-06 and RO-09 for one that breaks a rule.
  public static func parse(_ bytes: [UInt8]) throws(FederationError) -> SignedRoster { try RosterFile.decode(bytes) }
}

/// A roster whose signature, date and serial number were checked against the pinned consortium key.
public struct VerifiedRoster: Sendable {
  public let roster: Roster
  public let digest: [UInt8]
  /// For the protocol: the keys of the members that are valid now.
  public let view: RosterView
  /// Not nil by construction.
  public let server: Roster.Server
}

/// Decides whether a roster may be believed. The consortium's key is pinned: no root ever comes from the server.
public struct RosterVerifier: Sendable {
  public let consortiumKey: Ed25519.PublicKey
  /// Clocks differ; a roster signed this many seconds in the future is still taken.
  public static let clockSkewSeconds = 300.0

  public init(consortiumKey: Ed25519.PublicKey) { self.consortiumKey = consortiumKey }

  /// - Parameters:
  ///   - highestSerialSeen: the caller's durable record; the caller stores the new serial number before it uses the roster.
  /// - Throws: RO-07 other consortium, RO-10 unsigned, RO-03 signature, RO-04 dates, RO-05 outdated, RO-06 and RO-09 rules.
  public func verify(_ signed: SignedRoster, now: Date, highestSerialSeen: UInt64) throws(FederationError) -> VerifiedRoster {
    let roster = signed.roster
    guard roster.consortiumKey == consortiumKey else {
      throw FederationError(
        .otherConsortium, "the roster is of another consortium than the pinned key",
        hint: "compare the fingerprint of the consortium's key by voice; never take a key from the server")
    }
    guard let signature = signed.signature else {
      throw FederationError(.rosterUnsigned, "the roster is a draft without a signature", hint: "run `secagg-roster sign`")
    }
    guard consortiumKey.verify(signature, of: roster.canonicalBytes) else {
      throw FederationError(
        .rosterSignature, "the consortium's signature does not fit the roster", hint: "the file was altered: fetch it again")
    }
    try roster.validate()
    guard now.timeIntervalSince1970 + Self.clockSkewSeconds >= Double(roster.issued) else {
      throw FederationError(
        .rosterExpired, "the roster is from the future: signed \(Timestamp.text(roster.issued))", hint: "check this machine's clock")
    }
    guard now.timeIntervalSince1970 <= Double(roster.validUntil) else {
      throw FederationError(
        .rosterExpired, "the roster was valid until \(Timestamp.text(roster.validUntil))", hint: "ask the consortium for its current roster"
      )
    }
    guard roster.serial >= highestSerialSeen, roster.serial > 0 else {
      throw FederationError(
        .rosterOutdated, "the roster has serial number \(roster.serial); number \(highestSerialSeen) was seen before",
        hint: "ask the consortium for its current roster; an old one may hide a revocation")
    }
    let view = try roster.view(at: now)
    guard let server = roster.server else {
      throw FederationError(.rosterEntry, "the roster names no server", hint: "ask the consortium for a complete roster")
    }
    return VerifiedRoster(roster: roster, digest: view.digest, view: view, server: server)
  }

  /// Reads and verifies a roster file.
  public func load(_ path: String, now: Date = Date(), highestSerialSeen: UInt64) throws(FederationError) -> VerifiedRoster {
    try verify(SignedRoster.read(path), now: now, highestSerialSeen: highestSerialSeen)
  }
}
