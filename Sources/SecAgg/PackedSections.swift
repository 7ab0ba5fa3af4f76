// Sections of a vector as bytes (spec/05-masks.md) and the stream of one pair: shared by the masking site and the unmasking server.
import Masking
import Sodium

enum PackedSections {
  /// Reduces to the low b bits and packs; one byte string a section.
  static func pack(_ sections: [[UInt32]], _ layout: [VectorSection]) throws(Refusal) -> [[UInt8]] {
    var packed: [[UInt8]] = []
    for (words, section) in zip(sections, layout) {
      var words = words
      Ring(bits: section.bits).reduce(&words)
      do { packed.append(try BitPacking.pack(words, bits: section.bits)) } catch { throw Refusal(.badInput, error.reason) }
    }
    return packed
  }
}

enum PairMask {
  static func stream(
    own: SiteID, key: X25519.SecretKey, peer: SiteID, peerKey: X25519.PublicKey, context: [UInt8]
  ) throws(Refusal) -> MaskStream {
    do {
      let seed = try PairwiseMask.seed(
        own: own.rawValue, ownKey: key, peer: peer.rawValue, peerKey: peerKey, context: context)
      return MaskStream(seed: seed)
    } catch { throw Refusal(.weakKey, error.reason, culprit: peer) }
  }
}
