// What a site has in common with one neighbour: both X25519 outputs are computed once, when the keys are shown, and only what is
// derived from them is kept, each for as long as it is needed.
import Masking
import Sodium

final class PairSecrets {
  /// Seed of the pairwise mask.
  private let maskSeed: SecretBytes
  private let sealing: SecretBytes
  private let opening: SecretBytes

  /// - Throws: SA-32 where a shared secret is all zero: its mask would be known to everybody.
  init(own: SiteID, _ secrets: SiteSecrets, peer: SiteID, _ keys: KeysBody, context: [UInt8]) throws(Refusal) {
    do {
      maskSeed = try PairwiseMask.seed(
        own: own.rawValue, ownKey: secrets.maskKey, peer: peer.rawValue, peerKey: keys.maskKey, context: context)
      let shared = try secrets.channelKey.sharedSecret(with: keys.channelKey)
      sealing = Channel.key(
        shared, from: own, to: peer, dealerKey: secrets.channelKey.publicKey, holderKey: keys.channelKey, context: context)
      opening = Channel.key(
        shared, from: peer, to: own, dealerKey: keys.channelKey, holderKey: secrets.channelKey.publicKey, context: context)
    } catch {
      throw Refusal(.weakKey, "the shared secret with \(peer) is all zero", culprit: peer)
    }
  }

  func maskStream() -> MaskStream { MaskStream(seed: maskSeed) }

  func seal(_ shares: borrowing SecretBytes, from own: SiteID, to peer: SiteID, context: [UInt8]) -> [UInt8] {
    Channel.seal(shares, from: own, to: peer, key: sealing, context: context)
  }

  func open(_ envelope: [UInt8], from peer: SiteID, to own: SiteID, components: Int, context: [UInt8]) -> SecretBytes? {
    Channel.open(envelope, from: peer, to: own, components: components, key: opening, context: context)
  }
}
