// Where a site's secrets of an attempt come from: libsodium. Only this package's simulator and tests, which must repeat a run byte for
// byte, hand in anything else.
import Sodium

package struct SiteRandom: Sendable {
  package enum Use: Hashable, Sendable {
    case maskRoot, selfMaskRoot, maskCoefficient, selfMaskCoefficient
    /// Of noise that may be removed.
    case noiseRoot, noiseCoefficient
  }

  /// Uniform in 1 ..< ℓ.
  package var scalar: @Sendable (Use) -> Scalar
  package var channelKey: @Sendable () -> X25519.SecretKey
  /// 32 bytes for the graph's seed.
  package var nonce: @Sendable () -> [UInt8]

  package init(
    scalar: @escaping @Sendable (Use) -> Scalar, channelKey: @escaping @Sendable () -> X25519.SecretKey,
    nonce: @escaping @Sendable () -> [UInt8]
  ) {
    self.scalar = scalar
    self.channelKey = channelKey
    self.nonce = nonce
  }

  package static let system = SiteRandom(
    scalar: { _ in .random() }, channelKey: { X25519.SecretKey() },
    nonce: { SecretBytes(randomCount: GraphNonceBody.nonceBytes).exposed() })
}
