// Scalars of ristretto255: integers modulo the prime ℓ = 2^252 + 27742317777372353535851937790883648493, as 32 bytes
// little-endian. libsodium reduces silently, so canonical form (< ℓ) is checked here by hand. All arithmetic is constant time.
import CSodium

/// A secret scalar in guarded memory, immutable and always below ℓ.
public final class Scalar: Sendable {
  public static let byteCount = 32

  /// ℓ, little-endian.
  public static let order: [UInt8] =
    [
      0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    ] + [UInt8](repeating: 0, count: 15) + [0x10]

  let bytes: SecretBytes

  init(reduced bytes: consuming SecretBytes) { self.bytes = bytes }

  /// - Throws: `.wrongLength`, or `.notCanonical` for a value of ℓ or more.
  public convenience init(canonical bytes: [UInt8]) throws(SodiumError) {
    try self.init(canonical: SecretBytes(copying: bytes))
  }

  /// - Throws: `.wrongLength`, or `.notCanonical` for a value of ℓ or more.
  public convenience init(canonical bytes: borrowing SecretBytes) throws(SodiumError) {
    guard bytes.count == Scalar.byteCount else {
      throw .length("a scalar", expected: Scalar.byteCount, found: bytes.count)
    }
    guard bytes.withUnsafeBytes({ LittleEndian.isBelow($0.bindMemory(to: UInt8.self), Scalar.order) }) else {
      throw SodiumError(.notCanonical, "the scalar is not below the group order")
    }
    self.init(reduced: bytes.duplicate())
  }

  /// A small public integer.
  public convenience init(_ value: UInt32) {
    let bytes = SecretBytes(count: Scalar.byteCount)
    for index in 0..<4 { bytes.mutablePointer[index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) }
    self.init(reduced: bytes)
  }

  /// Uniform in 1 ..< ℓ.
  public static func random() -> Scalar {
    let bytes = SecretBytes(count: byteCount)
    crypto_core_ristretto255_scalar_random(bytes.mutablePointer)
    return Scalar(reduced: bytes)
  }

  public static func + (left: Scalar, right: Scalar) -> Scalar {
    let result = SecretBytes(count: byteCount)
    crypto_core_ristretto255_scalar_add(result.mutablePointer, left.bytes.pointer, right.bytes.pointer)
    return Scalar(reduced: result)
  }

  public static func - (left: Scalar, right: Scalar) -> Scalar {
    let result = SecretBytes(count: byteCount)
    crypto_core_ristretto255_scalar_sub(result.mutablePointer, left.bytes.pointer, right.bytes.pointer)
    return Scalar(reduced: result)
  }

  public static func * (left: Scalar, right: Scalar) -> Scalar {
    let result = SecretBytes(count: byteCount)
    crypto_core_ristretto255_scalar_mul(result.mutablePointer, left.bytes.pointer, right.bytes.pointer)
    return Scalar(reduced: result)
  }

  public func constantTimeEquals(_ other: Scalar) -> Bool { bytes.constantTimeEquals(other.bytes) }

  public func isZero() -> Bool { bytes.isZero() }

  /// The 32 bytes where they are, without a second owner: for a hash or a copy into guarded memory.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try bytes.withUnsafeBytes(body)
  }

  /// A second owner of the 32 bytes, for a key derivation or an encryption.
  public func secretBytes() -> SecretBytes { bytes.duplicate() }

  /// The 32 bytes in the clear, for the moment at which the scalar is revealed.
  public func exposed() -> [UInt8] { bytes.exposed() }
}
