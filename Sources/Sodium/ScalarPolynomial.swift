// A polynomial over the scalars, all coefficients in one guarded allocation: what Shamir's dealer needs, in constant time
// (Horner's rule; the degree and the points are public). Guarded memory costs system calls, so values too share one allocation.
import CSodium

public struct ScalarPolynomial: ~Copyable {
  private let coefficients: SecretBytes
  public let count: Int

  /// - Parameters:
  ///   - constant: the coefficient of degree 0.
  ///   - count: the number of coefficients, at least 1.
  ///   - next: gives the remaining coefficients, uniform and independent in production.
  public init(constant: Scalar, count: Int, next: () -> Scalar) {
    precondition(count >= 1 && count <= 1 << 16, "a polynomial has at least its constant")
    let storage = SecretBytes(count: count * Scalar.byteCount)
    storage.mutablePointer.update(from: constant.bytes.pointer, count: Scalar.byteCount)
    for index in 1..<max(count, 1) {
      let coefficient = next()
      (storage.mutablePointer + index * Scalar.byteCount).update(from: coefficient.bytes.pointer, count: Scalar.byteCount)
    }
    coefficients = storage
    self.count = count
  }

  /// The values at public points, 32 bytes each, in the order of the points.
  public borrowing func values(at points: [UInt32]) -> SecretBytes {
    let size = Scalar.byteCount
    let values = SecretBytes(count: points.count * size)
    let product = SecretBytes(count: size)
    for (index, point) in points.enumerated() {
      var x = [UInt8](repeating: 0, count: size)
      for byte in 0..<4 { x[byte] = UInt8(truncatingIfNeeded: point >> (8 * UInt32(byte))) }
      let sum = values.mutablePointer + index * size
      sum.update(from: coefficients.pointer + (count - 1) * size, count: size)
      for degree in stride(from: count - 2, through: 0, by: -1) {
        crypto_core_ristretto255_scalar_mul(product.mutablePointer, sum, x)
        crypto_core_ristretto255_scalar_add(sum, product.pointer, coefficients.pointer + degree * size)
      }
    }
    return values
  }

  /// Feldman's commitments: coefficient · B, in ascending degree.
  public borrowing func commitments() -> [RistrettoPoint] {
    (0..<count).map { RistrettoPoint.multipleOfBase(coefficients.pointer + $0 * Scalar.byteCount) }
  }
}

extension Scalar {
  /// One of several scalars that lie behind each other, each known to be canonical.
  public convenience init(at index: Int, of block: borrowing SecretBytes) {
    precondition(index >= 0 && (index + 1) * Scalar.byteCount <= block.count, "a scalar of the block")
    let bytes = SecretBytes(count: Scalar.byteCount)
    bytes.mutablePointer.update(from: block.pointer + index * Scalar.byteCount, count: Scalar.byteCount)
    self.init(reduced: bytes)
  }
}
