// What a site must not show before its time: roots, keys and shares of one attempt, in guarded memory.
import Masking
import Sodium

/// The roots of an attempt and the keys that follow from them.
struct SiteSecrets {
  let maskRoot: MaskRoot
  let selfMaskRoot: MaskRoot
  /// Of the components of noise that may be removed, from component 1 on.
  let noiseRoots: [MaskRoot]
  let maskKey: X25519.SecretKey
  let channelKey: X25519.SecretKey
  /// This site's part of the graph's seed; empty in the complete graph.
  let nonce: [UInt8]
}

/// The shares that a site holds of others and of itself: one guarded allocation for all, because each one costs system calls and
/// address space.
final class HeldShares {
  private var block: SecretBytes
  private var slots: [SiteID: Int] = [:]
  /// Bytes of one dealer's shares.
  private let size: Int

  /// Room for so many dealers with so many components of noise.
  init(capacity: Int, components: Int) {
    size = Channel.plaintextBytes(components: components)
    block = SecretBytes(count: max(capacity, 1) * size)
  }

  var dealers: [SiteID] { slots.keys.sorted() }

  /// Copies a dealer's shares, as an envelope holds them.
  func store(_ shares: borrowing SecretBytes, of dealer: SiteID) {
    let slot = slots[dealer] ?? slots.count
    precondition(shares.count == size && (slot + 1) * size <= block.count, "room for every dealer")
    block.withUnsafeMutableBytes { target in
      shares.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: target[(slot * size)...]).copyMemory(from: $0) }
    }
    slots[dealer] = slot
  }

  /// The share of one of a dealer's secrets, to be revealed.
  func exposed(_ kind: ShareKind, of dealer: SiteID) -> [UInt8]? {
    guard let slot = slots[dealer] else { return nil }
    return block.withUnsafeBytes { Array($0[(slot * size + Channel.offset(of: kind))...].prefix(Scalar.byteCount)) }
  }
}
