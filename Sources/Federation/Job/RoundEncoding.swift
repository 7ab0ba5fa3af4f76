// How the updates of one round are encoded, as a function of the job: server and sites compute it from the same plan, so the server can
// choose nothing but the cohort and, after the census, the public sample count that makes a weight of 1.
import Safetensors
import SecAgg
import Sodium

/// What a round sums.
public enum RoundKind: UInt8, Sendable {
  /// Round 0: sample counts only.
  case census = 0
  /// Weighted updates, with sample counts and metrics beside them.
  case training = 1

  public init(round: UInt32) { self = round == 0 ? .census : .training }
  public var name: String { self == .census ? "census" : "training" }
}

extension JobPlan {
  /// Losses above this are clamped in the sum.
  static let lossMax = 100.0
  /// What a sample count is multiplied with to make a weight of 1: sites up to four times the mean are weighted in full.
  static let referenceFactor: UInt64 = 4

  /// Names of the metrics that sites add to the sum of a training round; none where every number that leaves is noised.
  public var metricNames: [String] {
    privacy != nil ? [] : ["box_loss", "obj_loss", "cls_loss"] + (validatesLocally ? ["map50", "map"] : [])
  }

  /// Second moments lose their variance in coarse rounding, and they are few: they get the widest ring.
  static let statisticsBits = 32

  /// What the integers of this plan mean, of which sections and mechanism are still to be filled in.
  /// - Throws: SA-17, SA-18 where so many sites leave no room for the noise.
  public func mechanism(kind: RoundKind, of plan: RoundPlan, samplesReference: UInt64) throws(Refusal) -> Mechanism {
    let noise =
      privacy?.noise == .skellam
      ? NoisedEncoding.Noise.removableSkellam(survivorsMin: plan.inputsMin, known: plan.noiseKnown) : .discreteGaussian
    return try mechanism(
      kind: kind, sites: plan.sites.count, samplesReference: samplesReference, shares: plan.noiseShares, noise: noise)
  }

  /// What a round's integers mean.
  /// - Parameters:
  ///   - sites: n.
  ///   - samplesReference: samples that make a weight of 1; not used in a census, nor with noise.
  ///   - shares: noise shares that are assured in the sum (`RoundPlan.noiseShares`); not used without noise.
  ///   - noise: which noise the sites share; not used without.
  /// - Throws: SA-17, SA-18 where so many sites leave no room for the noise.
  public func mechanism(
    kind: RoundKind, sites: Int, samplesReference: UInt64, shares: Int, noise: NoisedEncoding.Noise = .discreteGaussian
  ) throws(Refusal) -> Mechanism {
    guard let privacy, noisesSums else { return .plain(encoding(kind: kind, sites: sites, samplesReference: samplesReference)) }
    return .noised(
      try NoisedEncoding.planned(
        sites: sites, dimension: parameterCount, bits: quantisation.bits, clip: privacy.clip, noiseMultiplier: privacy.noiseMultiplier,
        assured: shares, noise: noise, records: privacy.records.map { ($0.samplingRate, $0.lotSize) }))
  }

  /// The layout of a round's vector.
  public func sections(kind: RoundKind, mechanism: Mechanism) -> [VectorSection] {
    switch mechanism {
    case .plain(let encoding): sections(kind: kind, encoding: encoding)
    case .noised(let encoding): encoding.sections
    }
  }

  /// The encoding of a round without noise.
  /// - Parameters:
  ///   - sites: n, whom the wrap bound is for.
  ///   - samplesReference: samples that make a weight of 1; not used in a census.
  public func encoding(kind: RoundKind, sites: Int, samplesReference: UInt64) -> EncodingParameters {
    guard kind == .training else {
      return EncodingParameters(
        sites: sites, parameterRange: quantisation.parameterRange, statisticsRange: quantisation.statisticsRange,
        parameterBits: quantisation.bits, statisticsBits: Self.statisticsBits, samplesReference: 0, scalars: [.samples])
    }
    guard privacy == nil else {
      // Sites weigh the same, and every number beside the weights would need its share of epsilon.
      return EncodingParameters(
        sites: sites, parameterRange: quantisation.parameterRange, statisticsRange: quantisation.statisticsRange,
        parameterBits: quantisation.bits, statisticsBits: Self.statisticsBits, samplesReference: 0, scalars: [])
    }
    let metrics = metricNames.map { ScalarSpec(name: $0, range: $0.hasPrefix("map") ? 1 : Self.lossMax, isCount: false) }
    return EncodingParameters(
      sites: sites, parameterRange: quantisation.parameterRange, statisticsRange: quantisation.statisticsRange,
      parameterBits: quantisation.bits, statisticsBits: Self.statisticsBits, samplesReference: samplesReference,
      scalars: [.weight, .samples] + metrics)
  }

  /// Bytes of a packed update in any training round: noise pads it to whole blocks, by how much depends on the plan.
  public var updateBytesMin: Int {
    guard !noisesSums else {
      return VectorSection(name: EncodingParameters.SectionName.parameters, count: parameterCount, bits: quantisation.bits).packedBytes
    }
    let encoding = encoding(kind: .training, sites: RoundPlan.cohortMin, samplesReference: 1)
    return sections(kind: .training, encoding: encoding).reduce(0) { $0 + $1.packedBytes }
  }

  /// The layout of such a round's vector.
  public func sections(kind: RoundKind, encoding: EncodingParameters) -> [VectorSection] {
    encoding.sections(
      parameters: kind == .training ? parameterCount : 0, statistics: kind == .training && privacy == nil ? statisticCount : 0)
  }

  /// The public weight constant that follows from the census: four times the mean sample count, at least 1.
  public static func samplesReference(total: UInt64, sites: Int) -> UInt64 {
    precondition(sites > 0, "a census has survivors")
    let (product, overflow) = total.multipliedReportingOverflow(by: referenceFactor)
    return overflow ? .max : max(1, (product + UInt64(sites) - 1) / UInt64(sites))
  }

  /// The digest of a weights file, which plans name.
  public static func weightsDigest(_ file: [UInt8]) -> [UInt8] { BLAKE2b.hash(file, size: 32) }

  /// The digest of the flat vector's names and shapes.
  public static func layoutDigest(_ layout: WeightsLayout) -> [UInt8] {
    var into = CanonicalWriter(label: "secagg/v1/layout")
    into.count(layout.slots.count)
    for slot in layout.slots {
      into.string(slot.name)
      into.string(slot.section.rawValue)
      into.count(slot.shape.count)
      for size in slot.shape { into.count(size) }
    }
    return BLAKE2b.hash(into.bytes, size: 32)
  }
}

/// The words with which a server ends a job; a site tells success from failure by them.
public enum JobEnding {
  public static let finished = "the job is done"
  public static let failedPrefix = "the job failed: "
}
