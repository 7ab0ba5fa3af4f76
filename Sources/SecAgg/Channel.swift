// Shares travel through the server in envelopes between two sites (spec/03-phases.md, phase 2): XChaCha20-Poly1305 under a key
// of its own for each direction of each pair of each attempt, hence used once, hence with the zero nonce.
import Masking
import Sodium

enum Channel {
  private static let nonce = [UInt8](repeating: 0, count: AEAD.nonceBytes)
  /// The share of the mask key's root, that of the self-mask's, then those of the noise's components.
  static func plaintextBytes(components: Int) -> Int { (2 + components) * Scalar.byteCount }

  static func offset(of kind: ShareKind) -> Int { (Int(kind.rawValue) - 1) * Scalar.byteCount }

  /// A holder's shares behind each other.
  static func plaintext(maskKeyShare: Scalar, selfMaskShare: Scalar, noiseShares: [Scalar] = []) -> SecretBytes {
    var plaintext = SecretBytes(count: plaintextBytes(components: noiseShares.count))
    let kinds = ShareKind.all(components: noiseShares.count)
    plaintext.withUnsafeMutableBytes { target in
      for (share, kind) in zip([maskKeyShare, selfMaskShare] + noiseShares, kinds) {
        share.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: target[offset(of: kind)...]).copyMemory(from: $0) }
      }
    }
    return plaintext
  }

  /// The envelope of a holder's shares.
  static func seal(
    _ plaintext: borrowing SecretBytes, from dealer: SiteID, to holder: SiteID, key: borrowing SecretBytes, context: [UInt8]
  ) -> [UInt8] {
    AEAD.seal(plaintext, associatedData: associatedData(dealer, holder, context), nonce: nonce, key: key)
  }

  /// The shares of an envelope, or nil where it does not open or holds no canonical scalars: the dealer's fault, since the
  /// caller has compared the envelope with the hash that the dealer signed.
  static func open(
    _ envelope: [UInt8], from dealer: SiteID, to holder: SiteID, components: Int, key: borrowing SecretBytes, context: [UInt8]
  ) -> SecretBytes? {
    let data = associatedData(dealer, holder, context)
    guard let plaintext = try? AEAD.open(envelope, associatedData: data, nonce: nonce, key: key),
      plaintext.count == plaintextBytes(components: components)
    else { return nil }
    for kind in ShareKind.all(components: components) where share(kind, of: plaintext) == nil { return nil }
    return plaintext
  }

  /// One of the shares, or nil where it is no canonical scalar.
  static func share(_ kind: ShareKind, of plaintext: borrowing SecretBytes) -> Scalar? {
    var bytes = SecretBytes(count: Scalar.byteCount)
    bytes.withUnsafeMutableBytes { target in
      plaintext.withUnsafeBytes {
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset(of: kind)...].prefix(Scalar.byteCount)))
      }
    }
    return try? Scalar(canonical: bytes)
  }

  /// BLAKE2b-256(key = X25519 output; label ‖ ctx ‖ dealer ‖ holder ‖ dealer's key ‖ holder's key).
  static func key(
    _ shared: borrowing SecretBytes, from dealer: SiteID, to holder: SiteID, dealerKey: X25519.PublicKey,
    holderKey: X25519.PublicKey, context: [UInt8]
  ) -> SecretBytes {
    var writer = ByteWriter()
    writer.fixed(Transcript.label("channel-key"))
    writer.fixed(context)
    writer.site(dealer)
    writer.site(holder)
    writer.fixed(dealerKey.bytes)
    writer.fixed(holderKey.bytes)
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
