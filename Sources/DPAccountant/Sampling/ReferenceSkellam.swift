// Skellam noise as what it is, the difference of two Poisson variables, each by rejection with exact fractions: ratios of Poisson
// probabilities are rational, so that no exponential is needed. What the fast sampler is held to (spec/11-samplers.md [NS-05]).
import GMP
import Sodium

/// X − Y for independent X, Y ~ Poisson(σ²/2).
public struct ReferenceSkellam: Sendable {
  public let variance: Rational
  private let poisson: ReferencePoisson

  /// Above this a sample would multiply more than some ten thousand integers.
  public static let varianceMax = 1 << 22

  /// - Parameter variance: σ², 0 < σ² ≤ `varianceMax`, in squared grid units.
  /// - Throws: `.parameterOutOfRange`.
  public init(variance: Rational) throws(AccountingError) {
    guard variance.signum > 0, variance <= Rational(ReferenceSkellam.varianceMax) else {
      throw AccountingError(.parameterOutOfRange, "the reference sampler takes Skellam variances in 0 < variance <= 2^22")
    }
    self.variance = variance
    poisson = ReferencePoisson(numerator: variance.numerator, denominator: variance.denominator << 1)
  }

  public func sample(from source: inout some RandomSource & ~Copyable) -> BigInteger {
    let first = poisson.sample(from: &source)
    return first - poisson.sample(from: &source)
  }
}

/// Poisson(λ) for a rational λ.
///
/// With m = ⌊λ⌋, h = ⌈√(m + 1)⌉ and s = 2h: a block n ≥ 0 with probability 2^−(n+1), a place uniform below s, a side. The candidate lies
/// d = ns + place from m and is kept with probability 2^n P(m ± d) / P(m), which is at most 1. Upward, the factors λ/(m + i) are at most
/// 1 / (1 + h/(m + 1)) for h < i ≤ 2h, and (1 + x)^h ≥ 1 + hx makes the product of these h at most 1/2. Downward, the factors (m − i)/λ
/// are at most 1 − h/(m + 1) ≤ 1 / (1 + h/(m + 1)) for h ≤ i < 2h. The factors go on falling, so each further block halves again.
/// A candidate comes with probability 2^−(n+1) / 2s (m itself on the upper side only), and 2^n leaves P(m ± d) / (4s P(m)) of it.
struct ReferencePoisson: Sendable {
  private let numerator: BigInteger
  private let denominator: BigInteger
  private let mode: BigInteger
  private let blockSize: BigInteger

  /// λ = numerator/denominator > 0.
  init(numerator: BigInteger, denominator: BigInteger) {
    self.numerator = numerator
    self.denominator = denominator
    mode = BigInteger.quotient(numerator, denominator)
    // ⌈√(m + 1)⌉ = ⌊√m⌋ + 1.
    blockSize = (mode.squareRoot + BigInteger(1)) << 1
  }

  func sample(from source: inout some RandomSource & ~Copyable) -> BigInteger {
    while true {
      var block = 0
      while ReferenceDraws.coin(from: &source) { block += 1 }
      let distance = blockSize * BigInteger(block) + ReferenceDraws.uniform(below: blockSize, from: &source)
      let isBelow = ReferenceDraws.coin(from: &source)
      if isBelow && (distance.isZero || distance > mode) { continue }
      let (top, bottom) = isBelow ? ratioBelow(distance) : ratioAbove(distance)
      guard ReferenceDraws.bernoulli(top << block, bottom, from: &source) else { continue }
      return isBelow ? mode - distance : mode + distance
    }
  }

  /// P(m + d) / P(m) = Π_{i=1}^{d} λ / (m + i), not in lowest terms.
  private func ratioAbove(_ distance: BigInteger) -> (BigInteger, BigInteger) {
    var top = MutableInteger(BigInteger(1))
    var bottom = MutableInteger(BigInteger(1))
    var factor = MutableInteger(denominator * mode)
    for _ in 0..<count(distance) {
      factor.add(denominator)
      top.multiply(by: numerator)
      bottom.multiply(by: factor)
    }
    return (top.value(), bottom.value())
  }

  /// P(m − d) / P(m) = Π_{i=0}^{d−1} (m − i) / λ.
  private func ratioBelow(_ distance: BigInteger) -> (BigInteger, BigInteger) {
    var top = MutableInteger(BigInteger(1))
    var bottom = MutableInteger(BigInteger(1))
    var factor = MutableInteger(denominator * mode)
    for _ in 0..<count(distance) {
      top.multiply(by: factor)
      bottom.multiply(by: numerator)
      factor.subtract(denominator)
    }
    return (top.value(), bottom.value())
  }

  private func count(_ distance: BigInteger) -> Int {
    guard let count = distance.int else { preconditionFailure("a distance of 2^63 blocks") }
    return count
  }
}
