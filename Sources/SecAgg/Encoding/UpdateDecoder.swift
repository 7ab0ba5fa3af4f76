// The sum as a mean update (spec/04-quantisation-and-wrap-bound.md, "Decoding"). Scalar IEEE double, no fused operations, fixed
// order: every party that decodes the same sum gets the same bits.
import Masking

/// What a sum says, over all survivors together.
public struct MeanUpdate: Sendable {
  /// Σ w·delta / Σ w a coordinate; empty in a census.
  public var parameters: [Double]
  public let statistics: [Double]
  /// Σ w; nil where the plan has no `weight`.
  public let weight: Double?
  /// Exact sums of the counts.
  public let counts: [String: UInt64]
  /// Σ w·value / Σ w of every other real scalar.
  public let means: [String: Double]
}

public struct UpdateDecoder: Sendable {
  public let parameters: EncodingParameters

  /// - Throws: the refusal of parameters that are out of range.
  public init(_ parameters: EncodingParameters) throws(Refusal) {
    try parameters.validate()
    self.parameters = parameters
  }

  /// - Parameters:
  ///   - sections: the sum, one array a section, as `layout` says.
  ///   - survivors: |U3|.
  ///   - globalStatistics: the statistics that the round started from.
  /// - Throws: `.wrongLength`, `.sumOutOfRange`, `.noWeight`.
  public func decode(
    sum sections: [[UInt32]], layout: [VectorSection], survivors: Int, globalStatistics: [Float]
  ) throws(EncodingError) -> MeanUpdate {
    guard (1...parameters.sites).contains(survivors), sections.count == layout.count,
      zip(sections, layout).allSatisfy({ $0.count == $1.count })
    else { throw EncodingError(.wrongLength, "the sum does not have the plan's layout") }
    func words(_ name: String) -> [UInt32] { layout.firstIndex { $0.name == name }.map { sections[$0] } ?? [] }

    let scalars = try readScalars(words(EncodingParameters.SectionName.scalars), survivors)
    let weight = scalars.reals[ScalarSpec.weight.name]
    let parameterWords = words(EncodingParameters.SectionName.parameters)
    let statisticsWords = words(EncodingParameters.SectionName.statistics)
    guard statisticsWords.count == globalStatistics.count || statisticsWords.isEmpty else {
      throw EncodingError(.wrongLength, "the global statistics do not have the plan's length")
    }
    if let weight, weight <= 0 { throw EncodingError(.noWeight, "the survivors' weights sum to \(weight)") }
    let divisor = weight ?? Double(survivors)
    return MeanUpdate(
      parameters: try means(
        parameterWords, bits: parameters.parameterBits, range: parameters.parameterRange, relativeTo: nil, divisor, survivors),
      statistics: try means(
        statisticsWords, bits: parameters.statisticsBits, range: parameters.statisticsRange, relativeTo: globalStatistics,
        divisor, survivors),
      weight: weight, counts: scalars.counts,
      means: scalars.reals.filter { $0.key != ScalarSpec.weight.name }.mapValues { $0 / divisor })
  }

  private func means(
    _ words: [UInt32], bits: Int, range: Double, relativeTo base: [Float]?, _ divisor: Double, _ survivors: Int
  ) throws(EncodingError) -> [Double] {
    let ring = Ring(bits: bits)
    let bound = EncodingParameters.bound(bits: bits, sites: parameters.sites)
    let limit = bound * Int64(survivors)
    let step = range / Double(bound)
    var result = [Double](repeating: 0, count: words.count)
    for index in words.indices {
      let sum = ring.signed(words[index])
      guard abs(sum) <= limit else { throw EncodingError(.sumOutOfRange, "coordinate \(index) of a sum is beyond its bound") }
      let mean = Double(sum) * step / divisor
      result[index] = base.map { mean * max(1, abs(Double($0[index]))) } ?? mean
    }
    return result
  }

  private func readScalars(
    _ words: [UInt32], _ survivors: Int
  ) throws(EncodingError) -> (reals: [String: Double], counts: [String: UInt64]) {
    guard words.count == parameters.scalarWords else { throw EncodingError(.wrongLength, "the scalars of a sum do not fit the plan") }
    let ring = Ring(bits: EncodingParameters.scalarBits)
    let bound = EncodingParameters.bound(bits: EncodingParameters.scalarBits, sites: parameters.sites)
    var reals: [String: Double] = [:]
    var counts: [String: UInt64] = [:]
    var position = 0
    for scalar in parameters.scalars {
      if scalar.isCount {
        var total = UInt64(words[position])
        if parameters.words(of: scalar) == 2 {
          total += UInt64(words[position + 1]) << UInt64(EncodingParameters.limbBits)
        }
        guard Double(total) <= scalar.range * Double(survivors) else {
          throw EncodingError(.sumOutOfRange, "the sum of \(scalar.name) is beyond its bound")
        }
        counts[scalar.name] = total
      } else {
        let sum = ring.signed(words[position])
        guard abs(sum) <= bound * Int64(survivors) else {
          throw EncodingError(.sumOutOfRange, "the sum of \(scalar.name) is beyond its bound")
        }
        reals[scalar.name] = Double(sum) * (scalar.range / Double(bound))
      }
      position += parameters.words(of: scalar)
    }
    return (reals, counts)
  }
}
