// What each site adds so that the sum over the survivors holds enough noise, whoever colludes (spec/11-samplers.md, "Noise in shares").
// Exact fractions: the noise that is drawn and the noise that is accounted for are this one value.
import GMP

/// Equal shares of one noise, one from each site.
public struct DistributedNoise: Sendable, Equatable {
  /// Whom the claim holds against.
  public enum Adversary: String, Sendable, CaseIterable {
    /// The server and the colluding sites.
    case server
    /// Any other site as well: an honest one knows its own noise.
    case otherSites
  }

  public static let sitesMax = 1 << 20

  /// σ², in squared grid units: what the adversary does not know of the noise in a sum over the fewest survivors.
  public let assuredVariance: Rational
  /// m_min: a sum over fewer survivors is not released.
  public let survivorsMin: Int
  /// c: survivors whose noise the adversary knows.
  public let known: Int

  /// - Parameters:
  ///   - assuredVariance: σ² > 0.
  ///   - survivorsMin: m_min, of which more than c.
  ///   - colluders: n_C, the sites that may collude.
  /// - Throws: `.parameterOutOfRange`.
  public init(
    assuredVariance: Rational, survivorsMin: Int, colluders: Int, against adversary: Adversary
  ) throws(AccountingError) {
    let known = adversary == .server ? colluders : max(colluders, 1)
    guard assuredVariance.signum > 0 else { throw AccountingError(.parameterOutOfRange, "a variance is positive") }
    guard colluders >= 0, survivorsMin <= DistributedNoise.sitesMax, survivorsMin > known else {
      throw AccountingError(.parameterOutOfRange, "noise in shares needs more survivors than sites whose share is known")
    }
    self.assuredVariance = assuredVariance
    self.survivorsMin = survivorsMin
    self.known = known
  }

  /// σ² / (m_min − c): what each site adds.
  public var localVariance: Rational { assuredVariance.divided(by: survivorsMin - known) }

  /// (h − c) σ_local²: what the adversary does not know of a sum over h survivors; at least σ².
  /// - Throws: `.parameterOutOfRange` for fewer than m_min: such a round is not released.
  public func unknownVariance(survivors: Int) throws(AccountingError) -> Rational {
    try check(survivors)
    return localVariance * Rational(survivors - known)
  }

  /// h σ_local²: all the noise in a sum over h survivors.
  /// - Throws: as above.
  public func totalVariance(survivors: Int) throws(AccountingError) -> Rational {
    try check(survivors)
    return localVariance * Rational(survivors)
  }

  private func check(_ survivors: Int) throws(AccountingError) {
    guard (survivorsMin...DistributedNoise.sitesMax).contains(survivors) else {
      throw AccountingError(.parameterOutOfRange, "a sum over \(survivors) survivors is not released, \(survivorsMin) are needed")
    }
  }
}

extension Rational {
  /// For divisors that were checked.
  func divided(by divisor: Int) -> Rational {
    precondition(divisor > 0, "a divisor is positive")
    guard let quotient = try? divided(by: Rational(divisor)) else { preconditionFailure("the divisor is not zero") }
    return quotient
  }
}
