// The survivors' signatures of all rounds, put aside while the entries are read and then verified together: they are most of an audit's
// work, and independent of each other. Who has several cores hands in how to use them.
import Sodium

public struct SignatureClaim: Sendable {
  /// Of the leaf that has the signature.
  public let index: Int
  public let site: UInt32
  let key: Ed25519.PublicKey
  let signature: [UInt8]
  let message: [UInt8]

  public var holds: Bool { key.verify(signature, of: message) }
}

/// Which of the claims, by number, do not hold.
public typealias SignatureVerifier = @Sendable ([SignatureClaim]) -> [Int]

public enum SignatureClaims {
  /// One after the other.
  public static let inOrder: SignatureVerifier = { claims in claims.indices.filter { !claims[$0].holds } }
}
