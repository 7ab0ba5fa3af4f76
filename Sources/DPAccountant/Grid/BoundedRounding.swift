// Stochastic rounding of a whole vector with a bounded norm (Kairouz, Liu, Steinke 2021, algorithm 1): every coordinate is rounded to a
// neighbouring integer so that its mean is kept, and all are drawn again until the squared norm, a sum of integers, is within its bound.
// The bound is what the account pays for; nothing here depends on how floating point rounds.
import Sodium

public struct BoundedRounding: Sendable {
  public let normSquaredMax: UInt64
  /// Draws so far.
  public private(set) var draws = 0

  /// With a bound of `normSquared` a draw fails with probability e^-8 at most, all of them with e^-512.
  public static let drawsMax = 64
  private static let chunk = 4096

  public init(normSquaredMax: UInt64) { self.normSquaredMax = normSquaredMax }

  /// - Parameter values: in grid steps, each below 2^30.
  /// - Returns: whole numbers whose squares sum to `normSquaredMax` at most; nil where none of `drawsMax` draws gave such.
  public mutating func round(_ values: [Double], from source: inout some RandomSource & ~Copyable) -> [Int32]? {
    var whole = [Int32](repeating: 0, count: values.count)
    for _ in 0..<BoundedRounding.drawsMax {
      draws += 1
      if draw(values, into: &whole, from: &source) <= normSquaredMax { return whole }
    }
    return nil
  }

  /// The squared norm that rounding a vector of norm `norm` exceeds with probability e^-8 at most (Kairouz, Liu, Steinke 2021), or never:
  /// S² + D/4 + 4(S + √D/2) and (S + √D)², with √D rounded up. Below it, whether integers are found would depend on the vector.
  /// - Parameters:
  ///   - norm: S, in grid steps.
  ///   - count: D.
  public static func normSquared(norm steps: UInt64, count: UInt64) -> UInt64 {
    // The root of a number below 2^53 is right or one too small after rounding down.
    var root = UInt64(Double(count).squareRoot())
    while root * root < count { root += 1 }
    return min(steps * steps + (count + 3) / 4 + 4 * steps + 2 * root, (steps + root) * (steps + root))
  }

  /// One rounding of every coordinate.
  /// - Returns: its squared norm.
  private func draw(_ values: [Double], into whole: inout [Int32], from source: inout some RandomSource & ~Copyable) -> UInt64 {
    var squared: UInt64 = 0
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: BoundedRounding.chunk) { random in
      defer { SodiumLibrary.wipe(UnsafeMutableRawBufferPointer(random)) }
      for start in stride(from: 0, to: values.count, by: BoundedRounding.chunk) {
        let count = min(BoundedRounding.chunk, values.count - start)
        source.fill(UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: random[..<count])))
        for index in 0..<count {
          let value = values[start + index]
          var floor = Int32(value)
          if Double(floor) > value { floor -= 1 }
          // 53 random bits against the fraction, as in spec/04 [SA-103].
          if Double(UInt64(littleEndian: random[index]) >> 11) * 0x1p-53 < value - Double(floor) { floor += 1 }
          whole[start + index] = floor
          squared += UInt64(Int64(floor) * Int64(floor))
        }
      }
    }
    return squared
  }
}
