// Bounds of the Skellam probabilities e^−μ I_|k|(μ), for any rational μ and at any precision, from the characteristic function.
//
// X, a difference of two independent Poisson(μ/2), has E[e^{iθX}] = e^{−μ(1 − cos θ)}. The mean of e^{−μ(1 − cos θ_j)} cos(kθ_j) over the N
// angles θ_j = 2πj/N is *exactly* Σ_m P(X = k + mN): the other terms are less than P(|X| ≥ N − k), which Bernstein's inequality bounds by
// 2 exp(−t² / 2(μ + t/3)), t = N − k (the cumulants: cosh s − 1 ≤ s² / 2(1 − s/3), as (2n)! ≥ 2·3^{2n−2}). The angles' weights fall like a
// normal density, so that some fifty of them give a hundred bits, whatever μ. Proof of each error: spec/11-samplers.md [NS-23].
import GMP

/// f(k) = 2^e · e^−μ I_k(μ), e = max(0, ⌊log2(μ) / 2⌋), so that 0.19 < f(0) ≤ 1.
struct SkellamDensity: LatticeDensity {
  private let variance: Rational
  private let scaleBits: Int
  /// For nearly every question: others make their own.
  private let usual: FourierSum

  /// - Parameters:
  ///   - variance: μ > 0, the sum of both Poisson means.
  ///   - reach: the magnitude up to which bounds are asked for often.
  ///   - bits: their precision.
  init(variance: Rational, reach: BigInteger, bits: Int) {
    precondition(variance.signum > 0, "a variance is positive")
    self.variance = variance
    let whole = BigInteger.quotient(variance.numerator, variance.denominator)
    scaleBits = whole.isZero ? 0 : (whole.bitWidth - 1) / 2
    let useful = min(reach, FourierSum.tail(variance: variance, scaleBits: scaleBits, bits: bits))
    usual = FourierSum(variance: variance, scaleBits: scaleBits, reach: useful, bits: bits)
  }

  func bounds(_ magnitude: BigInteger, bits: Int) -> Enclosure {
    if usual.covers(magnitude, bits: bits) { return usual.bounds(magnitude).cut(usual.bits - bits) }
    // Further out than the tail bound reaches, f is below 2^−bits.
    if magnitude >= FourierSum.tail(variance: variance, scaleBits: scaleBits, bits: bits) {
      return Enclosure(lower: BigInteger(0), upper: BigInteger(1))
    }
    return FourierSum(variance: variance, scaleBits: scaleBits, reach: magnitude, bits: bits).bounds(magnitude)
  }
}

extension Enclosure {
  fileprivate func cut(_ bits: Int) -> Enclosure {
    bits == 0 ? self : Enclosure(lower: lower >> bits, upper: (upper >> bits) + BigInteger(1))
  }
}

/// The mean over N angles, for k ≤ reach, with the weights computed beforehand.
struct FourierSum: Sendable {
  let bits: Int
  private let reach: BigInteger
  private let size: BigInteger
  private let scaleBits: Int
  private let fraction: Int
  private let pi: FixedPoint.Pi
  /// 2 e^{−μ(1 − cos θ_j)} for j ≥ 1; once only at θ = π.
  private let weights: [BigInteger]

  init(variance: Rational, scaleBits: Int, reach: BigInteger, bits: Int) {
    self.bits = bits
    self.reach = reach
    self.scaleBits = scaleBits
    fraction = bits + 64
    // A multiple of 8, so that N/2 and N/8 are whole.
    size = (((reach + FourierSum.tail(variance: variance, scaleBits: scaleBits, bits: bits)) >> 3) << 3) + BigInteger(8)
    let growth = variance.numerator.bitWidth - variance.denominator.bitWidth + 1
    let versineFraction = fraction + max(0, growth) + 4
    pi = FixedPoint.Pi(fraction: versineFraction + 64)

    let half = size >> 1
    let eighth = size >> 3
    // e^−y at y ≥ `enough` is below 2^−(bits + scaleBits + 6), and a weight below e^−j bounds the sum of the rest by itself.
    let enough = BigInteger(7 * (bits + scaleBits + 6) / 10 + 1)
    var found: [BigInteger] = []
    var index = BigInteger(0)
    while index < half {
      index = index + BigInteger(1)
      let versine = FixedPoint.versine(index, of: size, pi: pi, fraction: versineFraction)
      let product = BigInteger.quotient(versine * variance.numerator, variance.denominator)
      let gamma = product >> (versineFraction - fraction)
      let weight = FixedPoint.exponential(ofMinus: gamma, fraction: fraction)
      found.append(index == half ? weight : weight << 1)
      let whole = gamma >> fraction
      if whole > enough, whole > index, index <= eighth { break }
    }
    precondition(found.count < 1 << 16, "the error bound allows for 2^16 angles")
    weights = found
  }

  func covers(_ magnitude: BigInteger, bits: Int) -> Bool { magnitude <= reach && bits <= self.bits }

  /// f(k) within three units of 2^−bits.
  func bounds(_ magnitude: BigInteger) -> Enclosure {
    precondition(magnitude <= reach, "the sum was sized for smaller magnitudes")
    let one = BigInteger(1) << fraction
    let complement = size - magnitude
    let place = min(magnitude, complement)
    let versine = FixedPoint.versine(place, of: size, pi: pi, fraction: fraction)
    let cosine = max(-one, one - versine)
    // Clenshaw's recurrence b_j = w_j + 2 cos θ · b_{j+1} − b_{j+2}; the sum is w_0 + cos θ · b_1 − b_2.
    var current = MutableInteger(BigInteger(0))
    var before = MutableInteger(BigInteger(0))
    var next = MutableInteger(BigInteger(0))
    for weight in weights.reversed() {
      next.assign(current)
      next.multiply(by: cosine, shiftedRight: fraction - 1)
      next.subtract(before)
      next.add(weight)
      before.assign(current)
      current.assign(next)
    }
    current.multiply(by: cosine, shiftedRight: fraction)
    current.subtract(before)
    let sum = (current.value() + one) << (scaleBits + bits)
    return Enclosure(around: BigInteger.quotient(sum >> fraction, size), error: BigInteger(3), cutting: 0)
  }

  /// A t with 2^scaleBits · 2 exp(−t² / 2(μ + t/3)) ≤ 2^−(bits + 3): t² ≥ 2L(μ + t/3) for L = ln 2 · (bits + scaleBits + 4).
  static func tail(variance: Rational, scaleBits: Int, bits: Int) -> BigInteger {
    let nats = BigInteger(7 * (bits + scaleBits + 4) / 10 + 1)
    let ceiling = BigInteger.quotient(variance.numerator, variance.denominator) + BigInteger(1)
    return nats + (nats * nats + ((ceiling * nats) << 1)).squareRoot + BigInteger(2)
  }
}
