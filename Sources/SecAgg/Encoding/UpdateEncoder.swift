// A site's update as ring elements (spec/04-quantisation-and-wrap-bound.md, "Encoding"): weighted difference, clamp, scale,
// unbiased stochastic rounding. Scalar IEEE double in a fixed order; |q| ≤ B by construction.
import Masking

/// What a site hands to `SiteSession.provide`.
public struct EncodedUpdate: Sendable {
  /// One array a section of the plan.
  public let sections: [[UInt32]]
  /// How many coordinates and scalars were clamped. Stays at the site.
  public let saturated: Int
}

public struct UpdateEncoder: Sendable {
  public let parameters: EncodingParameters

  /// - Throws: the refusal of parameters that are out of range.
  public init(_ parameters: EncodingParameters) throws(Refusal) {
    try parameters.validate()
    self.parameters = parameters
  }

  /// w = min(1, samples / samplesReference); 1 where there is no reference.
  public func weight(samples: UInt64) -> Double {
    guard parameters.samplesReference > 0 else { return 1 }
    return min(1, Double(samples) / Double(parameters.samplesReference))
  }

  /// - Parameters:
  ///   - local, global: `parameters` then `statistics` of the flat vector; equal lengths, which are the plan's.
  ///   - samples: the site's sample count; leaves the site only inside w and the exact count, both masked.
  ///   - metrics: every scalar of the plan but `weight` and `samples`; reals are weighted here.
  ///   - random: 64 uniform bits a call, one call a coordinate.
  /// - Throws: `.notFinite`, `.wrongLength`, `.wrongScalars`, `.countOutOfRange`.
  public func encode(
    local: FlatUpdate, global: FlatUpdate, samples: UInt64, metrics: [String: Double],
    using random: inout some RandomNumberGenerator
  ) throws(EncodingError) -> EncodedUpdate {
    guard local.parameters.count == global.parameters.count, local.statistics.count == global.statistics.count else {
      throw EncodingError(.wrongLength, "local and global weights have different lengths")
    }
    let weight = weight(samples: samples)
    var rounding = StochasticRounding()
    var sections: [[UInt32]] = []
    if !local.parameters.isEmpty {
      let grid = RoundingGrid(bits: parameters.parameterBits, sites: parameters.sites)
      sections.append(
        try rounding.quantise(
          local.parameters, global.parameters, factor: weight / parameters.parameterRange, relative: false, grid, &random))
    }
    if !local.statistics.isEmpty {
      let grid = RoundingGrid(bits: parameters.statisticsBits, sites: parameters.sites)
      sections.append(
        try rounding.quantise(
          local.statistics, global.statistics, factor: weight / parameters.statisticsRange, relative: true, grid, &random))
    }
    if !parameters.scalars.isEmpty {
      sections.append(try scalarWords(weight: weight, samples: samples, metrics: metrics, &rounding, &random))
    }
    return EncodedUpdate(sections: sections, saturated: rounding.saturated)
  }

  private func scalarWords(
    weight: Double, samples: UInt64, metrics: [String: Double], _ rounding: inout StochasticRounding,
    _ random: inout some RandomNumberGenerator
  ) throws(EncodingError) -> [UInt32] {
    var values = metrics
    for own in [ScalarSpec.weight.name, ScalarSpec.samples.name] where values[own] != nil {
      throw EncodingError(.wrongScalars, "\(own) is filled in by the encoder")
    }
    values[ScalarSpec.weight.name] = 1
    values[ScalarSpec.samples.name] = Double(samples)
    let named = Set(parameters.scalars.map(\.name))
    for name in metrics.keys.sorted() where !named.contains(name) {
      throw EncodingError(.wrongScalars, "the plan has no scalar \(name)")
    }
    let grid = RoundingGrid(bits: EncodingParameters.scalarBits, sites: parameters.sites)
    var words: [UInt32] = []
    for scalar in parameters.scalars {
      guard let value = values[scalar.name] else { throw EncodingError(.wrongScalars, "the scalar \(scalar.name) is missing") }
      guard value.isFinite else { throw EncodingError(.notFinite, "the scalar \(scalar.name) is not a finite number") }
      if scalar.isCount {
        words += try countWords(value, scalar)
      } else {
        words.append(rounding.quantise(weight * value / scalar.range, grid, &random))
      }
    }
    return words
  }

  private func countWords(_ value: Double, _ scalar: ScalarSpec) throws(EncodingError) -> [UInt32] {
    // Up to 2^40 a double holds every whole number.
    guard value >= 0, value <= scalar.range, let count = UInt64(exactly: value) else {
      throw EncodingError(.countOutOfRange, "\(scalar.name) must be a whole number from 0 to \(scalar.range)")
    }
    guard parameters.words(of: scalar) == 2 else { return [UInt32(truncatingIfNeeded: count)] }
    return [UInt32(count & 0xffff), UInt32(truncatingIfNeeded: count >> UInt64(EncodingParameters.limbBits))]
  }
}

/// The flat vector that both sides agree on, in its two parts.
public struct FlatUpdate: Sendable {
  public var parameters: [Float]
  public var statistics: [Float]

  public init(parameters: [Float], statistics: [Float]) {
    self.parameters = parameters
    self.statistics = statistics
  }
}
