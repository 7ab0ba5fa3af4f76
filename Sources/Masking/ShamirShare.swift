// Shamir's secret sharing over the scalar field of ristretto255 (spec/06-secret-sharing.md). A dealer splits with
// libsodium in constant time; values are revealed by the time that they are rebuilt, so the server may use GMP.
import Sodium

/// One point of a dealer's polynomial: x = 1 + the holder's index in the sorted cohort.
public struct ShamirShare: Sendable {
  public static let cohortMax = 255

  public let point: UInt8
  public let value: Scalar

  /// - Throws: `.badSharePoint` for x = 0, where the secret itself lies.
  public init(point: UInt8, value: Scalar) throws(MaskingError) {
    guard point != 0 else { throw MaskingError(.badSharePoint, "a share at zero would be the secret") }
    self.point = point
    self.value = value
  }

  /// A share from 32 bytes of outside data.
  /// - Throws: `.badSharePoint`, `.scalarNotCanonical`.
  public init(point: UInt8, canonical bytes: borrowing SecretBytes) throws(MaskingError) {
    do { try self.init(point: point, value: Scalar(canonical: bytes)) } catch let error as MaskingError {
      throw error
    } catch {
      throw MaskingError(.scalarNotCanonical, "the share of point \(point) is not a canonical scalar")
    }
  }

  /// Splits a secret so that any `threshold` of `count` shares rebuild it and fewer say nothing.
  /// - Parameter coefficient: gives the t − 1 random coefficients; a test hands in fixed ones.
  /// - Throws: `.wrongShareCount` unless 1 ≤ threshold ≤ count ≤ 255.
  public static func split(
    _ secret: Scalar, threshold: Int, count: Int, coefficient: () -> Scalar = { .random() }
  ) throws(MaskingError) -> [ShamirShare] {
    guard threshold >= 1, threshold <= count, count <= cohortMax else {
      throw MaskingError(.wrongShareCount, "a threshold of \(threshold) among \(count) shares")
    }
    var polynomial = ScalarPolynomial(constant: secret, count: threshold, next: coefficient)
    var shares: [ShamirShare] = []
    shares.reserveCapacity(count)
    for x in 1...UInt8(count) { shares.append(try ShamirShare(point: x, value: polynomial.value(at: UInt32(x)))) }
    return shares
  }
}
