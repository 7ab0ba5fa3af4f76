// The fast exact sampler: proposals from the envelope table, accepted by the first way that decides (spec/11-samplers.md, "The fast
// sampler"). One random word and one table read make a proposal; about 99 in 100 are accepted by a 16-bit comparison, most others decided
// by two lines, the rest by bounds of the density that tighten until they decide. The result has exactly the density's distribution.
import GMP
import Sodium

/// Draws exact discrete noise, tens of millions of integers a second. Immutable: threads may share one, each with its own source.
public struct NoiseSampler: Sendable {
  public enum Distribution: String, Sendable, CaseIterable {
    /// P(x) ∝ exp(−x² / 2σ²) on the integers (Canonne, Kamath, Steinke 2020, definition 1).
    case discreteGaussian = "discrete_gaussian"
    /// The difference of two independent Poisson(σ²/2) (Agarwal, Kairouz, Liu 2021); its variance is σ² exactly.
    case skellam
  }

  public let distribution: Distribution
  /// The parameter σ², in squared grid units.
  public let variance: Rational
  let table: EnvelopeTable
  let density: any LatticeDensity

  /// Smallest and largest σ², and the bits that its numerator and denominator may have.
  public static let varianceMin = "1/16"
  static let varianceBitsMax: [Distribution: Int] = [.discreteGaussian: 100, .skellam: 80]
  static let fractionBitsMax = 512

  /// Builds the table: some 10 to 100 ms.
  /// - Parameter variance: σ², from 1/16 to 2^100 (discrete Gaussian) or 2^80 (Skellam).
  /// - Throws: `.parameterOutOfRange`.
  public init(_ distribution: Distribution, variance: Rational) throws(AccountingError) {
    let bits = NoiseSampler.varianceBitsMax[distribution]!
    guard variance * Rational(16) >= Rational(1), variance <= Rational(BigInteger.powerOfTwo(UInt(bits))) else {
      throw AccountingError(.parameterOutOfRange, "the variance of \(distribution.rawValue) noise lies in 1/16 ... 2^\(bits)")
    }
    guard variance.numerator.bitWidth <= NoiseSampler.fractionBitsMax, variance.denominator.bitWidth <= NoiseSampler.fractionBitsMax
    else { throw AccountingError(.parameterOutOfRange, "a variance is a fraction of integers of at most 512 bits") }
    let width = EnvelopeTable.widthBits(variance: variance)
    self.distribution = distribution
    self.variance = variance
    switch distribution {
    case .discreteGaussian: density = GaussianDensity(variance: variance)
    case .skellam:
      density = SkellamDensity(
        variance: variance, reach: BigInteger(EnvelopeTable.bins + 1) << width, bits: EnvelopeTable.precision)
    }
    table = EnvelopeTable(density: density, widthBits: width)
  }

  /// The same with another density, for tests of what a wrong one would do.
  init(_ sound: NoiseSampler, density: any LatticeDensity) {
    distribution = sound.distribution
    variance = sound.variance
    self.density = density
    table = EnvelopeTable(density: density, widthBits: sound.table.widthBits)
  }

  /// Fills the buffer with independent samples. They follow from the source's bytes and the buffer's count; pieces that are multiples of
  /// `blockSamples` give the samples that the whole buffer would.
  public func fill(_ samples: UnsafeMutableBufferPointer<Int64>, from source: inout some RandomSource & ~Copyable) {
    fillBlocks(samples, from: &source)
  }

  /// `count` independent samples.
  public func samples(_ count: Int, from source: inout some RandomSource & ~Copyable) -> [Int64] {
    precondition(count >= 0, "a count is not negative")
    return [Int64](unsafeUninitializedCapacity: count) { buffer, filled in
      fill(UnsafeMutableBufferPointer(start: buffer.baseAddress, count: count), from: &source)
      filled = count
    }
  }
}
