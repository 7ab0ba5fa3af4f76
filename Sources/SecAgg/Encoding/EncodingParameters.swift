// How floats become ring elements and back: the public constants of a plan (spec/04-quantisation-and-wrap-bound.md). They are
// the plan's `mechanism` bytes, hence part of ctx. Invariant: n(B + 1) < 2^(b − 1), so that no honest sum wraps.

/// One number a site that travels in the `scalars` section.
public struct ScalarSpec: Hashable, Sendable {
  /// As for sections.
  public let name: String
  /// Real: the clamp, |value| ≤ range. Count: the largest count, a whole number up to 2^40.
  public let range: Double
  /// Counts are summed exactly and unweighted; reals are multiplied by the site's weight w.
  public let isCount: Bool

  public init(name: String, range: Double, isCount: Bool) {
    self.name = name
    self.range = range
    self.isCount = isCount
  }

  /// Real; the encoder fills it with w itself.
  public static let weight = ScalarSpec(name: "weight", range: 1, isCount: false)
  /// Count; the encoder fills it with the site's sample count.
  public static let samples = ScalarSpec(name: "samples", range: 4_294_967_296, isCount: true)
}

public struct EncodingParameters: Hashable, Sendable {
  /// n: the cohort for which the wrap bound holds.
  public var sites: Int
  /// A parameter's weighted change is clamped to ± this.
  public var parameterRange: Double
  /// A running statistic's weighted change is clamped to ± this times max(1, |global value|).
  public var statisticsRange: Double
  public var parameterBits: Int
  public var statisticsBits: Int
  /// Samples that make a weight of 1; 0 where updates carry no weight (a census).
  public var samplesReference: UInt64
  public var scalars: [ScalarSpec]

  public static let scalarBits = 32
  public static let scalarsMax = 256
  public static let countMax = 1_099_511_627_776.0
  /// A range below this could push w/range out of what a Double holds; NaN fails the comparison with it too.
  public static let rangeMin = 0x1p-40
  static let limbBits = 16

  public init(
    sites: Int, parameterRange: Double = 1, statisticsRange: Double = 4, parameterBits: Int = 20, statisticsBits: Int = 20,
    samplesReference: UInt64, scalars: [ScalarSpec]
  ) {
    self.sites = sites
    self.parameterRange = parameterRange
    self.statisticsRange = statisticsRange
    self.parameterBits = parameterBits
    self.statisticsBits = statisticsBits
    self.samplesReference = samplesReference
    self.scalars = scalars
  }

  public enum SectionName {
    public static let parameters = "parameters"
    public static let statistics = "statistics"
    public static let scalars = "scalars"
  }

  /// The plan's layout for so many coordinates; empty sections are left out.
  public func sections(parameters: Int, statistics: Int) -> [VectorSection] {
    [
      VectorSection(name: SectionName.parameters, count: parameters, bits: parameterBits),
      VectorSection(name: SectionName.statistics, count: statistics, bits: statisticsBits),
      VectorSection(name: SectionName.scalars, count: scalarWords, bits: EncodingParameters.scalarBits),
    ].filter { $0.count > 0 }
  }

  /// B, the largest magnitude of one site's coordinate: ⌊(2^(b − 1) − 1)/n⌋ − 1.
  public static func bound(bits: Int, sites: Int) -> Int64 { ((Int64(1) << Int64(bits - 1)) - 1) / Int64(max(sites, 1)) - 1 }

  /// Words of the `scalars` section.
  public var scalarWords: Int { scalars.reduce(0) { $0 + words(of: $1) } }

  /// A count whose sum does not fit one word takes two: the low 16 bits, and the rest.
  func words(of scalar: ScalarSpec) -> Int { scalar.isCount && !fitsWord(scalar.range) ? 2 : 1 }

  /// Whether n values up to `range` stay below 2^31.
  private func fitsWord(_ range: Double) -> Bool { range * Double(sites) < 2_147_483_648 }
}

extension EncodingParameters {
  /// - Throws: SA-18 where a constant is out of range, SA-17 where a sum could wrap.
  public func validate() throws(Refusal) {
    guard (1...RoundPlan.cohortMax).contains(sites) else { throw Refusal(.badMechanism, "an encoding for \(sites) sites") }
    for range in [parameterRange, statisticsRange] + scalars.map(\.range) {
      guard range >= EncodingParameters.rangeMin, range <= EncodingParameters.countMax else {
        throw Refusal(.badMechanism, "a range must be between 2^-40 and 2^40")
      }
    }
    guard scalars.count <= EncodingParameters.scalarsMax, Set(scalars.map(\.name)).count == scalars.count else {
      throw Refusal(.badMechanism, "too many scalars, or two of one name")
    }
    for scalar in scalars {
      guard VectorSection.isName(scalar.name) else { throw Refusal(.badMechanism, "a scalar's name is 1 to 64 of a-z, 0-9, '-', '_'") }
      guard !scalar.isCount || scalar.range == scalar.range.rounded() else {
        throw Refusal(.badMechanism, "the largest count of \(scalar.name) is not a whole number")
      }
    }
    try validateBounds()
  }

  private func validateBounds() throws(Refusal) {
    for bits in [parameterBits, statisticsBits] {
      guard VectorSection.bitsRange.contains(bits) else { throw Refusal(.badMechanism, "coordinates of \(bits) bits") }
      guard EncodingParameters.bound(bits: bits, sites: sites) >= 1 else {
        throw Refusal(.wrapBound, "\(bits) bits leave no room for the sum of \(sites) sites")
      }
    }
    for scalar in scalars where scalar.isCount {
      let high = words(of: scalar) == 2 ? (scalar.range / 65_536).rounded(.up) : scalar.range
      guard fitsWord(high) else { throw Refusal(.wrapBound, "the sum of \(scalar.name) over \(sites) sites could wrap") }
    }
  }

  /// Whether a plan's layout and cohort are those that the bound was computed for.
  /// - Throws: SA-16, SA-17, SA-18.
  public func validate(sections: [VectorSection], sites planned: Int) throws(Refusal) {
    try validate()
    guard sites == planned else {
      throw Refusal(.wrapBound, "the encoding is bounded for \(sites) sites, the plan invites \(planned)")
    }
    func count(_ name: String) -> Int { sections.first { $0.name == name }?.count ?? 0 }
    let expected = self.sections(parameters: count(SectionName.parameters), statistics: count(SectionName.statistics))
    guard sections == expected else { throw Refusal(.badLayout, "the sections are not those of the encoding") }
  }
}
