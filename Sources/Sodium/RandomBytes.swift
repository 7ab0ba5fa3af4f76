// Random bytes come from libsodium (the operating system's generator) and from nowhere else.
import CSodium

public enum RandomBytes {
  /// `count` uniformly random bytes that are not secret (nonces, identifiers). Secrets: `SecretBytes(randomCount:)`.
  public static func make(_ count: Int) -> [UInt8] {
    precondition(count >= 0, "a count of bytes is not negative")
    SodiumLibrary.ensureReady()
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      if let base = buffer.baseAddress { randombytes_buf(base, count) }
      filled = count
    }
  }

  /// Fills `words` with the ChaCha20 stream of a fresh 32-byte seed of the operating system. For many random bits that nothing secret
  /// follows from: libsodium asks the kernel for 256 bytes a call, which costs more than what the bits are for.
  public static func expand(into words: inout [UInt64]) {
    SodiumLibrary.ensureReady()
    var seed = make(Int(randombytes_seedbytes()))
    words.withUnsafeMutableBytes { bytes in
      if let base = bytes.baseAddress { randombytes_buf_deterministic(base, bytes.count, seed) }
    }
    sodium_memzero(&seed, seed.count)
  }

  /// A uniform integer in 0 ..< bound, without modulo bias.
  public static func uniform(below bound: UInt32) -> UInt32 {
    precondition(bound > 0, "the bound is positive")
    SodiumLibrary.ensureReady()
    return randombytes_uniform(bound)
  }
}

/// The same source as a Swift generator.
public struct SodiumRandomNumberGenerator: RandomNumberGenerator, Sendable {
  public init() { SodiumLibrary.ensureReady() }

  public mutating func next() -> UInt64 {
    var word: UInt64 = 0
    withUnsafeMutableBytes(of: &word) { randombytes_buf($0.baseAddress!, $0.count) }
    return word
  }
}
