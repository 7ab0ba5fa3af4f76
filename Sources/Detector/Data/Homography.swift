// Maps of the plane by 3×3 matrices in homogeneous coordinates: shifts, turns, shears and tilts, and their products.

/// A map of the plane; what a tilt puts behind the viewer has no image.
struct Homography: Equatable, Sendable {
  /// Rows of the matrix.
  var rows: [SIMD3<Double>]

  init(_ first: SIMD3<Double>, _ second: SIMD3<Double>, _ third: SIMD3<Double>) { rows = [first, second, third] }

  static func moving(x: Double, y: Double) -> Homography { Homography([1, 0, x], [0, 1, y], [0, 0, 1]) }

  /// First `right`, then `left`.
  static func * (left: Homography, right: Homography) -> Homography {
    func row(_ index: Int) -> SIMD3<Double> {
      left.rows[index].x * right.rows[0] + left.rows[index].y * right.rows[1] + left.rows[index].z * right.rows[2]
    }
    return Homography(row(0), row(1), row(2))
  }

  /// The way back; nil where the plane is flattened.
  var inverse: Homography? {
    func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
      SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
    }
    // Columns of the inverse are the cross products of the rows over the determinant.
    let columns = [cross(rows[1], rows[2]), cross(rows[2], rows[0]), cross(rows[0], rows[1])]
    let determinant = (rows[0] * columns[0]).sum()
    guard abs(determinant) > 1e-9 else { return nil }
    let scaled = columns.map { $0 / determinant }
    return Homography(
      SIMD3(scaled[0].x, scaled[1].x, scaled[2].x), SIMD3(scaled[0].y, scaled[1].y, scaled[2].y),
      SIMD3(scaled[0].z, scaled[1].z, scaled[2].z))
  }

  /// Where a point goes; nil behind the viewer.
  func apply(x: Double, y: Double) -> (x: Double, y: Double)? {
    let point = SIMD3(x, y, 1)
    let depth = (rows[2] * point).sum()
    guard depth > 1e-9 else { return nil }
    return ((rows[0] * point).sum() / depth, (rows[1] * point).sum() / depth)
  }

  /// The upright rectangle around where a rectangle's corners go; nil if one of them goes nowhere.
  func frame(left: Float, top: Float, right: Float, bottom: Float) -> (left: Double, top: Double, right: Double, bottom: Double)? {
    var corners: [(x: Double, y: Double)] = []
    for (x, y) in [(left, top), (right, top), (left, bottom), (right, bottom)] {
      guard let corner = apply(x: Double(x), y: Double(y)) else { return nil }
      corners.append(corner)
    }
    let (xs, ys) = (corners.map(\.x), corners.map(\.y))
    guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max() else { return nil }
    return (left, top, right, bottom)
  }
}
