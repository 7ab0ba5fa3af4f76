// Everything that is random in a simulation follows from one seed, the sites' secrets too: a failing run replays byte for byte. Nothing
// here is for real secrets.
import Masking
import SecAgg
import Sodium

/// SplitMix64 (Steele, Lea, Flood 2014).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  /// A stream of its own for a named purpose.
  init(_ seed: UInt64, _ purpose: String, _ numbers: UInt64...) {
    var bytes = Array("\(seed)/\(purpose)".utf8)
    for number in numbers { bytes += Array("/\(number)".utf8) }
    self.init(BLAKE2b.hash(bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 56) } }

  /// True once in `1 / probability` times.
  mutating func happens(_ probability: Double) -> Bool { Double(next() >> 11) * 0x1p-53 < probability }
}

extension SiteRandom {
  /// The secrets of one site in one attempt.
  static func seeded(_ seed: UInt64, site: SiteID, attempt: UInt32, generation: Int) -> SiteRandom {
    func stream(_ purpose: String) -> Stream {
      Stream(SeededRandom(seed, purpose, UInt64(site.rawValue), UInt64(attempt), UInt64(generation)))
    }
    let (scalars, keys, nonces) = (stream("scalars"), stream("channel"), stream("nonce"))
    return SiteRandom(
      scalar: { _ in scalars.scalar() },
      channelKey: {
        guard let key = try? X25519.SecretKey(derivedFrom: SecretBytes(copying: keys.bytes(32))) else {
          preconditionFailure("32 bytes make a key")
        }
        return key
      },
      nonce: { nonces.bytes(32) })
  }

  /// One owner: a simulation runs on one thread.
  private final class Stream: @unchecked Sendable {
    private var random: SeededRandom
    init(_ random: SeededRandom) { self.random = random }
    func bytes(_ count: Int) -> [UInt8] { random.bytes(count) }

    func scalar() -> Scalar {
      // 248 bits are below the group's order.
      guard let scalar = try? Scalar(canonical: bytes(31) + [0]) else { preconditionFailure("31 bytes make a scalar") }
      return scalar
    }
  }

  /// The roots of noise that such a site draws: behind those of both masks.
  static func noiseRoots(_ seed: UInt64, site: SiteID, attempt: UInt32, generation: Int, count: Int) -> [MaskRoot] {
    let scalars = Stream(SeededRandom(seed, "scalars", UInt64(site.rawValue), UInt64(attempt), UInt64(generation)))
    return (0..<2 + count).map { _ in MaskRoot(scalars.scalar()) }.suffix(count)
  }
}

extension SeededRandom {
  /// One number of a stream of its own.
  static func draw(_ seed: UInt64, _ purpose: String, _ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
    var random = SeededRandom(seed, purpose, a, b, c)
    return random.next()
  }
}
