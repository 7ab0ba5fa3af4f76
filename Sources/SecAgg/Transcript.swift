// Every hash of the protocol (spec/01-notation-and-encodings.md, "Hashes"): BLAKE2b-256 over label ‖ 0x00 ‖ ctx ‖ fields. No
// label is a prefix of another up to its zero byte, and fields are of fixed size or length-prefixed: no two inputs collide.
import Masking
import Sodium

package enum Transcript {
  static func context(_ plan: [UInt8]) -> [UInt8] { BLAKE2b.hash(label("context") + plan) }

  /// `secagg/v1/NAME` and a zero byte: what every hash and every signature begins with.
  static func label(_ name: String) -> [UInt8] { Array("secagg/v1/\(name)".utf8) + [0] }

  static func hash(_ name: String, _ context: [UInt8], _ write: (inout ByteWriter) -> Void) -> [UInt8] {
    var writer = ByteWriter()
    writer.fixed(label(name))
    writer.fixed(context)
    write(&writer)
    return BLAKE2b.hash(writer.bytes)
  }
}

// MARK: What is hashed

extension Transcript {
  /// U1 with every key, as one dealer saw it.
  static func keyList(_ context: [UInt8], _ keys: [SignedMessage]) -> [UInt8] {
    hash("key-list-hash", context) { $0.messages(keys) }
  }

  /// What a site commits to before it shows its part of the graph's seed.
  static func nonceCommitment(_ context: [UInt8], _ site: SiteID, _ nonce: [UInt8]) -> [UInt8] {
    hash("nonce-commitment", context) {
      $0.site(site)
      $0.fixed(nonce)
    }
  }

  /// Who accepted, with their commitments.
  static func commitmentList(_ context: [UInt8], _ sites: [SiteID], _ commitments: [[UInt8]]) -> [UInt8] {
    hash("commitment-list", context) {
      $0.sites(sites)
      for commitment in commitments { $0.fixed(commitment) }
    }
  }

  static func graphSeed(_ context: [UInt8], commitmentList: [UInt8], _ nonces: [[UInt8]]) -> [UInt8] {
    hash("graph-seed", context) {
      $0.fixed(commitmentList)
      for nonce in nonces { $0.fixed(nonce) }
    }
  }

  /// Where a site stands on the ring: the sites are in the order of these.
  static func graphPosition(_ context: [UInt8], seed: [UInt8], _ site: SiteID) -> [UInt8] {
    hash("graph-position", context) {
      $0.fixed(seed)
      $0.site(site)
    }
  }

  /// U1 in the sparse graph, where nobody sees all keys.
  static func keyedSet(_ context: [UInt8], seed: [UInt8], _ keyed: [SiteID]) -> [UInt8] {
    hash("keyed-set", context) {
      $0.fixed(seed)
      $0.sites(keyed)
    }
  }

  /// D in the sparse graph, bound to U1.
  static func dealerSet(_ context: [UInt8], keyedSet: [UInt8], _ dealers: [SiteID]) -> [UInt8] {
    hash("dealer-set", context) {
      $0.fixed(keyedSet)
      $0.sites(dealers)
    }
  }

  /// All messages of phases 1 and 2 that everybody must have seen alike.
  static func phases1And2(_ context: [UInt8], keys: [SignedMessage], headers: [SignedMessage]) -> [UInt8] {
    hash("transcript", context) { $0.fixed(phases1And2Preimage(keys: keys, headers: headers)) }
  }

  static func phases1And2Preimage(keys: [SignedMessage], headers: [SignedMessage]) -> [UInt8] {
    var writer = ByteWriter()
    writer.messages(keys)
    writer.messages(headers)
    return writer.bytes
  }

  /// H(U2), bound to the transcript on which the masks rest.
  static func maskSet(_ context: [UInt8], transcript: [UInt8], _ masked: [SiteID]) -> [UInt8] {
    hash("mask-set", context) {
      $0.fixed(transcript)
      $0.sites(masked)
    }
  }

  /// Digest of a masked input.
  package static func input(_ context: [UInt8], _ site: SiteID, _ payload: [UInt8]) -> [UInt8] {
    let hasher = inputHasher(context, site)
    hasher.update(payload)
    return hasher.finalise()
  }

  static func inputHasher(_ context: [UInt8], _ site: SiteID) -> BLAKE2b.Hasher {
    var writer = ByteWriter()
    writer.fixed(label("input-digest"))
    writer.fixed(context)
    writer.site(site)
    let hasher = BLAKE2b.Hasher()
    hasher.update(writer.bytes)
    return hasher
  }

  /// H(ctx, U1, U2, U3, all input digests): what a survivor signs.
  package static func survivors(
    _ context: [UInt8], keyed: [SiteID], maskSet: [UInt8], masked: [SiteID], survivors: [SiteID], digests: [[UInt8]]
  ) -> [UInt8] {
    self.survivors(
      context, preimage: survivorsPreimage(keyed: keyed, maskSet: maskSet, masked: masked, survivors: survivors, digests: digests))
  }

  static func survivors(_ context: [UInt8], preimage: [UInt8]) -> [UInt8] {
    hash("survivor-set", context) { $0.fixed(preimage) }
  }

  /// What stands behind ctx in the hash of the survivors.
  static func survivorsPreimage(
    keyed: [SiteID], maskSet: [UInt8], masked: [SiteID], survivors: [SiteID], digests: [[UInt8]]
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.sites(keyed)
    writer.fixed(maskSet)
    writer.sites(masked)
    writer.sites(survivors)
    for digest in digests { writer.fixed(digest) }
    return writer.bytes
  }

  /// Digest of a sum: its packed sections.
  static func sum(_ context: [UInt8], packed: [[UInt8]]) -> [UInt8] {
    hash("sum-digest", context) { for section in packed { $0.fixed(section) } }
  }

  /// Share hash H(label, ctx, dealer, holder, kind, share). The share is uniform, so its hash hides it.
  static func share(_ context: [UInt8], dealer: SiteID, holder: SiteID, _ kind: ShareKind, _ share: Scalar) -> [UInt8] {
    secretHash("share-hash", context, share) {
      $0.site(dealer)
      $0.site(holder)
      $0.u8(kind.rawValue)
    }
  }

  /// Commitment to a self-mask's root.
  static func root(_ context: [UInt8], dealer: SiteID, _ root: Scalar) -> [UInt8] {
    secretHash("root-hash", context, root) { $0.site(dealer) }
  }

  /// Commitment to the root of one component of noise that may be removed.
  static func noiseRoot(_ context: [UInt8], dealer: SiteID, component: Int, _ root: Scalar) -> [UInt8] {
    secretHash("noise-root-hash", context, root) {
      $0.site(dealer)
      $0.u8(UInt8(clamping: component))
    }
  }

  package static func envelope(_ context: [UInt8], dealer: SiteID, holder: SiteID, _ envelope: [UInt8]) -> [UInt8] {
    hash("envelope-hash", context) {
      $0.site(dealer)
      $0.site(holder)
      $0.block16(envelope)
    }
  }

  // Secrets are hashed from guarded memory, never through an array.
  private static func secretHash(
    _ name: String, _ context: [UInt8], _ secret: Scalar, _ write: (inout ByteWriter) -> Void
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.fixed(label(name))
    writer.fixed(context)
    write(&writer)
    let hasher = BLAKE2b.Hasher()
    hasher.update(writer.bytes)
    secret.withUnsafeBytes { hasher.update($0) }
    return hasher.finalise()
  }
}
