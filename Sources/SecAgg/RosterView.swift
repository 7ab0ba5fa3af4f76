// What the protocol needs of the consortium's signed roster (spec/02-context-keys-roster.md). Whoever makes one has verified
// the roster's signature, serial number and dates before.
import Sodium

public struct RosterView: Sendable {
  /// BLAKE2b-256 of the signed roster.
  public let digest: [UInt8]
  /// n_C: how many sites may collude with the server. It never shrinks with a round's cohort.
  public let colluders: Int
  public let siteKeys: [SiteID: Ed25519.PublicKey]
  public let serverKey: Ed25519.PublicKey

  public init(digest: [UInt8], colluders: Int, siteKeys: [SiteID: Ed25519.PublicKey], serverKey: Ed25519.PublicKey) {
    self.digest = digest
    self.colluders = colluders
    self.siteKeys = siteKeys
    self.serverKey = serverKey
  }

  /// The verification key of a message's sender.
  func key(of sender: SiteID) -> Ed25519.PublicKey? { sender == .server ? serverKey : siteKeys[sender] }
}
