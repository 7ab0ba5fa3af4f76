// Rebuilding from revealed shares: Lagrange interpolation at zero with GMP. The weights depend on the survivors only, so
// they are computed once and serve every secret of the round.
import GMP
import Sodium

/// The Lagrange weights at zero of one set of points.
public struct ShamirWeights: Sendable {
  public let points: [UInt16]
  private let weights: [BigInteger]

  /// ℓ.
  static let order = BigInteger(bytes: Scalar.order, .littleEndian)

  /// - Parameter points: exactly the threshold's number of distinct points, none zero, in the order of the shares.
  /// - Throws: `.wrongShareCount` for none or more than 255, `.badSharePoint` for zero or a repeated point.
  public init(points: [UInt16]) throws(MaskingError) {
    guard !points.isEmpty, points.count <= ShamirShare.holdersMax else {
      throw MaskingError(.wrongShareCount, "\(points.count) points to interpolate from")
    }
    guard !points.contains(0) else { throw MaskingError(.badSharePoint, "zero is not a share's point") }
    guard Set(points).count == points.count else { throw MaskingError(.badSharePoint, "a point appears twice") }
    self.points = points
    weights = points.map { ShamirWeights.weight(of: $0, among: points) }
  }

  /// Π_{m ≠ j} x_m / (x_m − x_j) mod ℓ. Both products are exact integers, reduced once.
  private static func weight(of point: UInt16, among points: [UInt16]) -> BigInteger {
    var numerator = BigInteger(1)
    var denominator = BigInteger(1)
    for other in points where other != point {
      numerator = numerator * BigInteger(Int(other))
      denominator = denominator * BigInteger(Int(other) - Int(point))
    }
    // ℓ is prime and no difference of distinct points is a multiple of it.
    guard let inverse = try? denominator.inverse(modulo: order), let weight = try? (numerator * inverse).modulo(order) else {
      preconditionFailure("distinct points have distinct residues")
    }
    return weight
  }

  /// The value at zero of the polynomial through `shares`, in the order of `points`.
  /// - Throws: `.wrongShareCount` or `.badSharePoint` where the shares do not belong to these points.
  public func rebuild(_ shares: [ShamirShare]) throws(MaskingError) -> Scalar {
    guard shares.count == points.count else {
      throw MaskingError(.wrongShareCount, "\(shares.count) shares for \(points.count) points")
    }
    var sum = ModularAccumulator(modulus: ShamirWeights.order)
    for (index, share) in shares.enumerated() {
      guard share.point == points[index] else {
        throw MaskingError(.badSharePoint, "a share of point \(share.point) where \(points[index]) is due")
      }
      sum.addProduct(weights[index], BigInteger(bytes: share.value.exposed(), .littleEndian))
    }
    guard let bytes = try? sum.value().bytes(count: Scalar.byteCount, .littleEndian), let scalar = try? Scalar(canonical: bytes)
    else { preconditionFailure("a residue modulo the order is a canonical scalar") }
    return scalar
  }
}
