// Random bytes without end from one 32-byte key: ChaCha20 with fast key erasure (Bernstein 2017, "Fast-key-erasure random-number
// generators"). Every refill gives a block of key stream, whose first 32 bytes are the next key; the old key is overwritten at once and
// each byte when it is handed out, so memory that is read later does not show noise that was drawn before.
// The bytes of a given seed are fixed by spec/11-samplers.md [NS-01].
import CSodium

/// A source of random bytes, from the operating system's generator or from a given seed.
public struct RandomStream: RandomSource, ~Copyable {
  public static let seedBytes = 32
  /// Bytes of key stream a refill; the first `seedBytes` of them are the next key.
  static let blockBytes = 4096

  private var key: SecretBytes
  private var block: SecretBytes
  private var position: Int
  private let nonce: UInt64

  /// Seeded by the operating system: what production code uses.
  public init() { self.init(key: SecretBytes(randomCount: RandomStream.seedBytes), index: 0) }

  /// The stream of a seed. Streams of one seed with different indices are independent of each other.
  /// - Parameters:
  ///   - seed: 32 bytes, secret where what is drawn from them is.
  ///   - index: which of the seed's streams, such as the number of a block of coordinates.
  /// - Throws: `.wrongLength`.
  public init(seed: borrowing SecretBytes, index: UInt64 = 0) throws(SodiumError) {
    guard seed.count == RandomStream.seedBytes else {
      throw .length("a seed", expected: RandomStream.seedBytes, found: seed.count)
    }
    self.init(key: seed.duplicate(), index: index)
  }

  private init(key: consuming SecretBytes, index: UInt64) {
    SodiumLibrary.ensureReady()
    self.key = key
    block = SecretBytes(count: RandomStream.blockBytes)
    position = RandomStream.blockBytes
    nonce = index.littleEndian
  }

  public mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      if position == RandomStream.blockBytes { refill() }
      let count = min(bytes.count - done, RandomStream.blockBytes - position)
      let source = block.mutablePointer + position
      (base + done).copyMemory(from: source, byteCount: count)
      // Zeroed where it stands; not sodium_memzero a call, which would cost more than the copy: the refill overwrites it in any case.
      source.update(repeating: 0, count: count)
      position += count
      done += count
    }
  }

  private mutating func refill() {
    let status = withUnsafeBytes(of: nonce) { nonce in
      crypto_stream_chacha20(
        block.mutablePointer, UInt64(RandomStream.blockBytes), nonce.bindMemory(to: UInt8.self).baseAddress!, key.pointer)
    }
    precondition(status == 0, "the key stream cannot fail")
    key.mutablePointer.update(from: block.pointer, count: RandomStream.seedBytes)
    block.mutablePointer.update(repeating: 0, count: RandomStream.seedBytes)
    position = RandomStream.seedBytes
  }
}
