// k-means (Lloyd 1982) over widths and heights, each divided by its deviation so that both count alike. Of several starts, each spread
// out by chance (Arthur and Vassilvitskii 2007, k-means++), the best one.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Centres of clusters of boxes.
struct BoxClusters {
  let centres: [SIMD2<Float>]

  private static let starts = 30
  private static let roundsMax = 100
  /// A start is over when its distortion falls by less than this.
  private static let enough: Float = 1e-5
  /// More boxes than this say nothing new about the clusters; as many are drawn.
  private static let boxesMax = 20_000

  /// - Precondition: `boxes` holds at least `count` different ones.
  init(_ boxes: [SIMD2<Float>], count: Int, _ random: inout SampleRandom) {
    precondition(count > 0 && boxes.count >= count)
    var drawn = boxes
    if boxes.count > Self.boxesMax {
      drawn.shuffle(using: &random)
      drawn = Array(drawn.prefix(Self.boxesMax))
    }
    let deviation = Self.deviation(drawn)
    let points = drawn.map { $0 / deviation }
    var best: (centres: [SIMD2<Float>], distortion: Float) = ([], .infinity)
    for _ in 0..<Self.starts {
      let found = Self.refined(Self.spread(points, count, &random), points)
      if found.distortion < best.distortion { best = found }
    }
    centres = best.centres.map { $0 * deviation }
  }

  private static func deviation(_ boxes: [SIMD2<Float>]) -> SIMD2<Float> {
    let mean = boxes.reduce(SIMD2<Float>(), +) / Float(boxes.count)
    let variance = boxes.reduce(SIMD2<Float>()) { $0 + ($1 - mean) * ($1 - mean) } / Float(boxes.count)
    // All boxes of one width or height: any scale will do.
    return SIMD2(variance.x > 0 ? variance.x.squareRoot() : 1, variance.y > 0 ? variance.y.squareRoot() : 1)
  }

  /// `count` of the points, each drawn by the square of its distance from those before.
  private static func spread(_ points: [SIMD2<Float>], _ count: Int, _ random: inout SampleRandom) -> [SIMD2<Float>] {
    var centres: [SIMD2<Float>] = []
    var distances = [Float](repeating: 1, count: points.count)
    for _ in 0..<count {
      var left = random.uniform(0, distances.reduce(0) { $0 + Double($1) })
      let chosen = distances.firstIndex { distance in
        left -= Double(distance)
        return left < 0
      }
      let centre = points[chosen ?? points.count - 1]
      for (index, point) in points.enumerated() {
        let gap = point - centre
        let square = gap.x * gap.x + gap.y * gap.y
        distances[index] = centres.isEmpty ? square : min(distances[index], square)
      }
      centres.append(centre)
    }
    return centres
  }

  /// Lloyd's rounds from one start. A centre that no point is near stays where it is.
  private static func refined(
    _ start: [SIMD2<Float>], _ points: [SIMD2<Float>]
  ) -> (centres: [SIMD2<Float>], distortion: Float) {
    var centres = start
    var last = Float.infinity
    for _ in 0..<roundsMax {
      var sums = [SIMD2<Float>](repeating: SIMD2(), count: centres.count)
      var counts = [Float](repeating: 0, count: centres.count)
      var total: Float = 0
      for point in points {
        var (nearest, distance) = (0, Float.infinity)
        for index in centres.indices {
          let gap = point - centres[index]
          let square = gap.x * gap.x + gap.y * gap.y
          if square < distance { (nearest, distance) = (index, square) }
        }
        sums[nearest] += point
        counts[nearest] += 1
        total += distance.squareRoot()
      }
      for index in centres.indices where counts[index] > 0 { centres[index] = sums[index] / counts[index] }
      let distortion = total / Float(points.count)
      if last - distortion <= enough { return (centres, distortion) }
      last = distortion
    }
    return (centres, last)
  }
}

extension SampleRandom {
  /// A standard normal number (Box and Muller 1958).
  mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform(0, 1))).squareRoot()
    return radius * cos(2 * .pi * uniform(0, 1))
  }
}
