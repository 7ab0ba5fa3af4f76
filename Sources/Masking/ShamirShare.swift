// Shamir's secret sharing over the scalar field of ristretto255 (spec/06-secret-sharing.md). A dealer splits with
// libsodium in constant time; values are revealed by the time that they are rebuilt, so the server may use GMP.
import Sodium

/// One point of a dealer's polynomial: x = 1 + the holder's index in the sorted cohort.
public struct ShamirShare: Sendable {
  public static let holdersMax = 255

  public let point: UInt16
  public let value: Scalar

  /// - Throws: `.badSharePoint` for x = 0, where the secret itself lies.
  public init(point: UInt16, value: Scalar) throws(MaskingError) {
    guard point != 0 else { throw MaskingError(.badSharePoint, "a share at zero would be the secret") }
    self.point = point
    self.value = value
  }

  /// A share from 32 bytes of outside data.
  /// - Throws: `.badSharePoint`, `.scalarNotCanonical`.
  public init(point: UInt16, canonical bytes: borrowing SecretBytes) throws(MaskingError) {
    do { try self.init(point: point, value: Scalar(canonical: bytes)) } catch let error as MaskingError {
      throw error
    } catch {
      throw MaskingError(.scalarNotCanonical, "the share of point \(point) is not a canonical scalar")
    }
  }
}

/// All shares of one root, split so that any `threshold` of them rebuild it and fewer say nothing.
public final class ShamirDeal: Sendable {
  public let points: [UInt16]
  private let values: SecretBytes
  /// Feldman's commitments to the polynomial, where they were asked for.
  public let commitments: [RistrettoPoint]

  /// - Parameters:
  ///   - points: distinct, none zero.
  ///   - commits: whether to compute the commitments, which take `threshold` multiplications in the group.
  ///   - coefficient: gives the t − 1 random coefficients; a test hands in fixed ones.
  /// - Throws: `.wrongShareCount` unless 1 ≤ threshold ≤ points ≤ 255, `.badSharePoint`.
  public init(
    _ secret: Scalar, threshold: Int, points: [UInt16], commits: Bool = false, coefficient: () -> Scalar = { .random() }
  ) throws(MaskingError) {
    guard threshold >= 1, threshold <= points.count, points.count <= ShamirShare.holdersMax else {
      throw MaskingError(.wrongShareCount, "a threshold of \(threshold) among \(points.count) shares")
    }
    guard !points.contains(0), Set(points).count == points.count else {
      throw MaskingError(.badSharePoint, "points of shares are distinct and not zero")
    }
    let polynomial = ScalarPolynomial(constant: secret, count: threshold, next: coefficient)
    self.points = points
    values = polynomial.values(at: points.map(UInt32.init))
    commitments = commits ? polynomial.commitments() : []
  }

  /// The share of `points[index]`.
  public func share(_ index: Int) -> Scalar { Scalar(at: index, of: values) }

  /// The shares as values of their own.
  public func shares() -> [ShamirShare] {
    points.indices.map { index in
      guard let share = try? ShamirShare(point: points[index], value: share(index)) else {
        preconditionFailure("no point is zero")
      }
      return share
    }
  }
}

/// Feldman's check (1987): whether a share lies on the polynomial that its dealer committed to.
public enum FeldmanCheck {
  /// - Parameter commitments: to the coefficients, in ascending degree.
  public static func holds(_ share: Scalar, at point: UInt16, _ commitments: [RistrettoPoint]) -> Bool {
    RistrettoPoint.multipleOfBase(share) == RistrettoPoint.evaluate(commitments, at: UInt32(point))
  }
}
