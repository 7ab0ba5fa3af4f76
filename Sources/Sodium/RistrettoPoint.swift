// Points of ristretto255 (RFC 9496) as 32 canonical bytes: Feldman's commitments. Multiplication is constant time in the scalar.
import CSodium

/// A public group element.
public struct RistrettoPoint: Hashable, Sendable {
  public static let byteCount = 32
  public let bytes: [UInt8]

  /// - Throws: `.wrongLength`, or `.notCanonical` where the bytes are not the one encoding of a point.
  public init(_ bytes: [UInt8]) throws(SodiumError) {
    guard bytes.count == RistrettoPoint.byteCount else {
      throw .length("a point", expected: RistrettoPoint.byteCount, found: bytes.count)
    }
    // libsodium 1.0.18 ignores the highest bit, which no canonical encoding has.
    guard bytes[31] & 0x80 == 0, crypto_core_ristretto255_is_valid_point(bytes) == 1 else {
      throw SodiumError(.notCanonical, "the bytes are not a canonical point")
    }
    self.bytes = bytes
  }

  private init(trusted bytes: [UInt8]) { self.bytes = bytes }

  /// The neutral element, which libsodium's multiplication refuses to give.
  public static let identity = RistrettoPoint(trusted: [UInt8](repeating: 0, count: byteCount))

  /// scalar · B for the 32 bytes of a canonical scalar.
  static func multipleOfBase(_ scalar: UnsafePointer<UInt8>) -> RistrettoPoint {
    var result = [UInt8](repeating: 0, count: byteCount)
    // The status only says that the result is the identity.
    return crypto_scalarmult_ristretto255_base(&result, scalar) == 0 ? RistrettoPoint(trusted: result) : .identity
  }

  /// scalar · B.
  public static func multipleOfBase(_ scalar: Scalar) -> RistrettoPoint { multipleOfBase(scalar.bytes.pointer) }

  public static func + (left: RistrettoPoint, right: RistrettoPoint) -> RistrettoPoint {
    var result = [UInt8](repeating: 0, count: byteCount)
    let status = crypto_core_ristretto255_add(&result, left.bytes, right.bytes)
    precondition(status == 0, "both are valid points")
    return RistrettoPoint(trusted: result)
  }

  /// factor · self, for a small public factor.
  func multiplied(by factor: UInt32) -> RistrettoPoint {
    var scalar = [UInt8](repeating: 0, count: Scalar.byteCount)
    for index in 0..<4 { scalar[index] = UInt8(truncatingIfNeeded: factor >> (8 * UInt32(index))) }
    var result = [UInt8](repeating: 0, count: RistrettoPoint.byteCount)
    return crypto_scalarmult_ristretto255(&result, scalar, bytes) == 0 ? RistrettoPoint(trusted: result) : .identity
  }

  /// Σ_j point^j · commitments[j], by Horner's rule.
  public static func evaluate(_ commitments: [RistrettoPoint], at point: UInt32) -> RistrettoPoint {
    guard var sum = commitments.last else { return .identity }
    for commitment in commitments.dropLast().reversed() { sum = sum.multiplied(by: point) + commitment }
    return sum
  }
}
