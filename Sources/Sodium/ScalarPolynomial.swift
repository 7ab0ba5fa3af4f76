// A polynomial over the scalars, all coefficients in one guarded allocation: what Shamir's dealer needs, in constant time
// (Horner's rule; the degree and the point are public). 2 ms for degree 100 at 150 points.
import CSodium

public struct ScalarPolynomial: ~Copyable {
  private let coefficients: SecretBytes
  // Guarded memory costs two system calls, so one product serves every evaluation.
  private let product = SecretBytes(count: Scalar.byteCount)
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

  /// The value at a public point.
  /// Mutating because evaluations share scratch memory.
  public mutating func value(at point: UInt32) -> Scalar {
    let size = Scalar.byteCount
    var x = [UInt8](repeating: 0, count: size)
    for index in 0..<4 { x[index] = UInt8(truncatingIfNeeded: point >> (8 * UInt32(index))) }
    let sum = SecretBytes(count: size)
    sum.mutablePointer.update(from: coefficients.pointer + (count - 1) * size, count: size)
    for index in stride(from: count - 2, through: 0, by: -1) {
      crypto_core_ristretto255_scalar_mul(product.mutablePointer, sum.pointer, x)
      crypto_core_ristretto255_scalar_add(sum.mutablePointer, product.pointer, coefficients.pointer + index * size)
    }
    return Scalar(reduced: sum)
  }
}
