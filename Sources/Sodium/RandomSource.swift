// What a sampler draws from: a stream of uniformly random bytes that is handed in, so that a seed fixes every sample and no sampler
// reaches for randomness of its own (spec/11-samplers.md). A copy of a source would repeat its bytes: sources need not be copyable.

/// A stream of independent, uniformly random bytes.
public protocol RandomSource: ~Copyable {
  /// Fills the buffer with the next bytes of the stream. How the stream is cut into calls makes no difference to its bytes.
  mutating func fill(_ bytes: UnsafeMutableRawBufferPointer)
}
