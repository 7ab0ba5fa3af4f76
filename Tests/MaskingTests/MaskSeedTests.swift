// Pair seeds, mask keys and self-mask seeds against independent vectors; masks of a cohort cancel; anything that differs
// between two sites breaks the seed [MK-04] [MK-20] [MK-21] [MK-22] [MK-23].
import Masking
import Sodium
import Testing

@Suite struct MaskSeedTests {
  let context = [UInt8](repeating: 9, count: 32)

  @Test func rootsGiveTheIndependentVectors() throws {
    for vector in try MaskingVectors.load().roots {
      let root = MaskRoot(try Scalar(canonical: vector.root.bytes))
      let key = root.maskKey(owner: vector.owner, context: vector.context.bytes)
      #expect(key.publicKey.bytes == vector.maskPublicKey.bytes)
      let seed = root.selfMaskSeed(owner: vector.owner, context: vector.context.bytes).exposed()
      #expect(seed == vector.selfMaskSeed.bytes)
    }
  }

  @Test func pairsGiveTheIndependentVectors() throws {
    for vector in try MaskingVectors.load().pairs {
      let secret = try X25519.SecretKey(derivedFrom: SecretBytes(copying: vector.ownSecret.bytes))
      let seed = try PairwiseMask.seed(
        own: vector.own, ownKey: secret, peer: vector.peer, peerKey: X25519.PublicKey(vector.peerPublicKey.bytes),
        context: vector.context.bytes
      ).exposed()
      #expect(seed == vector.seed.bytes)
      #expect((PairwiseMask.operation(own: vector.own, peer: vector.peer) == .add) == (vector.operation == "add"))
    }
  }

  @Test func theMasksOfACohortCancel() throws {
    let sites: [UInt32] = [0, 2, 3, 7, 11]
    let keys = sites.map { _ in X25519.SecretKey() }
    var total = [UInt32](repeating: 0, count: 101)
    for (index, own) in sites.enumerated() {
      for (other, peer) in sites.enumerated() where other != index {
        let seed = try PairwiseMask.seed(
          own: own, ownKey: keys[index], peer: peer, peerKey: keys[other].publicKey, context: context)
        MaskStream(seed: seed).apply(PairwiseMask.operation(own: own, peer: peer), section: 0, to: &total)
      }
      if index < sites.count - 1 { #expect(total.contains { $0 != 0 }, "masked until the last site's masks are in") }
    }
    #expect(total.allSatisfy { $0 == 0 })
  }

  @Test func twoSitesShownDifferentThingsDeriveDifferentSeeds() throws {
    let (left, right, other) = (X25519.SecretKey(), X25519.SecretKey(), X25519.SecretKey())
    func seed(own: UInt32, _ key: X25519.SecretKey, peer: UInt32, _ peerKey: X25519.SecretKey, _ context: [UInt8]) throws -> [UInt8] {
      try PairwiseMask.seed(own: own, ownKey: key, peer: peer, peerKey: peerKey.publicKey, context: context).exposed()
    }
    let agreed = try seed(own: 1, left, peer: 2, right, context)
    #expect(try seed(own: 2, right, peer: 1, left, context) == agreed)
    var otherContext = context
    otherContext[31] ^= 1
    #expect(try seed(own: 2, right, peer: 1, left, otherContext) != agreed)
    #expect(try seed(own: 3, right, peer: 1, left, context) != agreed)
    #expect(try seed(own: 1, right, peer: 2, left, context) != agreed, "keys swapped between the identities")
    #expect(try seed(own: 2, right, peer: 1, other, context) != agreed)
  }

  @Test func unusablePairsAreRefused() throws {
    let key = X25519.SecretKey()
    let weak = try X25519.PublicKey([UInt8](repeating: 0, count: 32))
    #expect(code(own: 1, key, peer: 1, X25519.SecretKey().publicKey) == .unusablePair)
    #expect(code(own: 1, key, peer: 2, key.publicKey) == .unusablePair)
    #expect(code(own: 1, key, peer: 2, weak) == .unusablePair)
  }

  @Test func secretsOfOneSiteDifferByOwnerContextAndKind() {
    let root = MaskRoot.random()
    let seed = root.selfMaskSeed(owner: 1, context: context).exposed()
    let otherOwner = root.selfMaskSeed(owner: 2, context: context).exposed()
    let otherContext = root.selfMaskSeed(owner: 1, context: [UInt8](repeating: 8, count: 32)).exposed()
    let otherRoot = MaskRoot.random().selfMaskSeed(owner: 1, context: context).exposed()
    #expect(Set([seed, otherOwner, otherContext, otherRoot]).count == 4)
    #expect(
      root.maskKey(owner: 1, context: context).publicKey != root.maskKey(owner: 2, context: context).publicKey)
  }

  private func code(own: UInt32, _ key: X25519.SecretKey, peer: UInt32, _ peerKey: X25519.PublicKey) -> MaskingError.Code? {
    do {
      _ = try PairwiseMask.seed(own: own, ownKey: key, peer: peer, peerKey: peerKey, context: context)
      return nil
    } catch { return error.code }
  }
}
