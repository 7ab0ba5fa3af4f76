// Where mask seeds come from (spec/05-masks.md). Two sites that were shown different contexts derive different seeds:
// their masks do not cancel and the sum is garbage, never a leak.
import Sodium

/// Labels and field order of everything that is derived here: label ‖ 0x00 ‖ fixed-size fields.
enum Derivation {
  static let pairMask = "secagg/v1/pair-mask"
  static let selfMask = "secagg/v1/self-mask"
  static let maskKey = "secagg/v1/mask-key"
  static let noise = "secagg/v1/noise-seed"
  static let contextBytes = 32

  static func message(_ label: String, _ fields: [[UInt8]]) -> [UInt8] {
    Array(label.utf8) + [0] + fields.joined()
  }

  static func identifier(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
}

/// The mask that two sites share: the lower identifier adds it, the higher subtracts it.
public enum PairwiseMask {
  /// What `own` does with the mask that it shares with `peer`.
  public static func operation(own: UInt32, peer: UInt32) -> MaskStream.Operation {
    precondition(own != peer, "a site shares no pairwise mask with itself")
    return own < peer ? .add : .subtract
  }

  /// The 32-byte seed: BLAKE2b-256(key = X25519 output; label ‖ ctx ‖ id_lo ‖ id_hi ‖ pk_lo ‖ pk_hi).
  /// - Throws: `.unusablePair` where the two identities or keys are equal, or the shared secret is all zero.
  public static func seed(
    own: UInt32, ownKey: X25519.SecretKey, peer: UInt32, peerKey: X25519.PublicKey, context: [UInt8]
  ) throws(MaskingError) -> SecretBytes {
    precondition(context.count == Derivation.contextBytes, "ctx has 32 bytes")
    guard own != peer, ownKey.publicKey != peerKey else {
      throw MaskingError(.unusablePair, "a pair needs two identities and two keys")
    }
    let shared: SecretBytes
    do { shared = try ownKey.sharedSecret(with: peerKey) } catch {
      throw MaskingError(.unusablePair, "site \(peer): \(error.reason)")
    }
    let (lowKey, highKey) = own < peer ? (ownKey.publicKey, peerKey) : (peerKey, ownKey.publicKey)
    let message = Derivation.message(
      Derivation.pairMask,
      [
        context, Derivation.identifier(min(own, peer)), Derivation.identifier(max(own, peer)), lowKey.bytes, highKey.bytes,
      ])
    return BLAKE2b.derive(key: shared, message)
  }
}

/// A uniform scalar that a site shares out with Shamir and from which a round secret follows. Whoever rebuilds the root
/// derives exactly what its owner derived.
public struct MaskRoot: Sendable {
  public let scalar: Scalar

  /// A root drawn by its owner, or rebuilt by the server.
  public init(_ scalar: Scalar) { self.scalar = scalar }

  public static func random() -> MaskRoot { MaskRoot(.random()) }

  /// The X25519 mask key of site `owner` for this attempt, when this is a mask-key root.
  public func maskKey(owner: UInt32, context: [UInt8]) -> X25519.SecretKey {
    guard let key = try? X25519.SecretKey(derivedFrom: derive(Derivation.maskKey, owner, context)) else {
      preconditionFailure("a derived key has 32 bytes")
    }
    return key
  }

  /// The seed of the self-mask of site `owner`, when this is a self-mask root.
  public func selfMaskSeed(owner: UInt32, context: [UInt8]) -> SecretBytes {
    derive(Derivation.selfMask, owner, context)
  }

  /// The seed of one component of the noise of site `owner`, when this is that component's root.
  public func noiseSeed(owner: UInt32, component: UInt8, context: [UInt8]) -> SecretBytes {
    derive(Derivation.noise, owner, context, [component])
  }

  private func derive(_ label: String, _ owner: UInt32, _ context: [UInt8], _ rest: [UInt8] = []) -> SecretBytes {
    precondition(context.count == Derivation.contextBytes, "ctx has 32 bytes")
    return BLAKE2b.derive(key: scalar.secretBytes(), Derivation.message(label, [context, Derivation.identifier(owner), rest]))
  }
}
