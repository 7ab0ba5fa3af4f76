// Shares travel through the server in envelopes between two sites (spec/03-phases.md, phase 2): XChaCha20-Poly1305 under a key
// of its own for each direction of each pair of each attempt, hence used once, hence with the zero nonce.
import Masking
import Sodium

enum Channel {
  private static let nonce = [UInt8](repeating: 0, count: AEAD.nonceBytes)

  /// The envelope of a holder's two shares.
  static func seal(
    maskKeyShare: Scalar, selfMaskShare: Scalar, from dealer: SiteID, to holder: SiteID, own: X25519.SecretKey,
    peer: X25519.PublicKey, context: [UInt8]
  ) throws(Refusal) -> [UInt8] {
    let key = try key(from: dealer, to: holder, own: own, peer: peer, ownIsDealer: true, context: context)
    var plaintext = SecretBytes(count: 2 * Scalar.byteCount)
    plaintext.withUnsafeMutableBytes { target in
      for (index, share) in [maskKeyShare, selfMaskShare].enumerated() {
        share.withUnsafeBytes { source in
          UnsafeMutableRawBufferPointer(rebasing: target[(index * Scalar.byteCount)...]).copyMemory(from: source)
        }
      }
    }
    return AEAD.seal(plaintext, associatedData: associatedData(dealer, holder, context), nonce: nonce, key: key)
  }

  /// The two shares of an envelope, or nil where it does not open or holds no canonical scalars: the dealer's fault, since the
  /// caller has compared the envelope with the hash that the dealer signed.
  static func open(
    _ envelope: [UInt8], from dealer: SiteID, to holder: SiteID, own: X25519.SecretKey, peer: X25519.PublicKey,
    context: [UInt8]
  ) throws(Refusal) -> (maskKeyShare: Scalar, selfMaskShare: Scalar)? {
    let key = try key(from: dealer, to: holder, own: own, peer: peer, ownIsDealer: false, context: context)
    let data = associatedData(dealer, holder, context)
    guard let plaintext = try? AEAD.open(envelope, associatedData: data, nonce: nonce, key: key),
      plaintext.count == 2 * Scalar.byteCount
    else { return nil }
    guard let first = scalar(plaintext, 0), let second = scalar(plaintext, 1) else { return nil }
    return (first, second)
  }

  private static func scalar(_ plaintext: borrowing SecretBytes, _ index: Int) -> Scalar? {
    var bytes = SecretBytes(count: Scalar.byteCount)
    bytes.withUnsafeMutableBytes { target in
      plaintext.withUnsafeBytes { source in
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[(index * Scalar.byteCount)...].prefix(Scalar.byteCount)))
      }
    }
    return try? Scalar(canonical: bytes)
  }

  /// BLAKE2b-256(key = X25519 output; label ‖ ctx ‖ dealer ‖ holder ‖ dealer's key ‖ holder's key).
  private static func key(
    from dealer: SiteID, to holder: SiteID, own: X25519.SecretKey, peer: X25519.PublicKey, ownIsDealer: Bool,
    context: [UInt8]
  ) throws(Refusal) -> SecretBytes {
    let shared: SecretBytes
    do { shared = try own.sharedSecret(with: peer) } catch {
      throw Refusal(.weakKey, error.reason, culprit: ownIsDealer ? holder : dealer)
    }
    var writer = ByteWriter()
    writer.fixed(Transcript.label("channel-key"))
    writer.fixed(context)
    writer.site(dealer)
    writer.site(holder)
    writer.fixed((ownIsDealer ? own.publicKey : peer).bytes)
    writer.fixed((ownIsDealer ? peer : own.publicKey).bytes)
    return BLAKE2b.derive(key: shared, writer.bytes)
  }

  private static func associatedData(_ dealer: SiteID, _ holder: SiteID, _ context: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    writer.fixed(Transcript.label("envelope"))
    writer.fixed(context)
    writer.site(dealer)
    writer.site(holder)
    return writer.bytes
  }
}
