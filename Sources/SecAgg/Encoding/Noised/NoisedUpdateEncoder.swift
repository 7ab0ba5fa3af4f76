// A site's update as noised integers (spec/12-noised-rounds.md, "Encoding"): clip, rotate, clamp, round within the norm's bound, add the
// site's share of the noise. What is sampled is what `NoisedEncoding.event` accounts for: both come from the same constants.
import DPAccountant
import GMP
import Masking
import Sodium

public struct NoisedUpdateEncoder: Sendable {
  public let parameters: NoisedEncoding
  private let sampler: NoiseSampler

  /// Builds the sampler's table, some ten milliseconds.
  /// - Throws: the refusal of constants that are out of range.
  public init(_ parameters: NoisedEncoding) throws(Refusal) {
    try parameters.validate()
    self.parameters = parameters
    do {
      switch parameters.noise {
      case .discreteGaussian: sampler = try NoiseSampler(.discreteGaussian, variance: parameters.exactVariance())
      // Component 0; the others expand from seeds that the session deals.
      case .removableSkellam(_, let known):
        sampler = try NoiseSampler(.skellam, variance: parameters.exactVariance(dividedBy: parameters.sites - known))
      }
    } catch {
      throw Refusal(.badMechanism, "noise that cannot be drawn")
    }
  }

  /// - Parameters:
  ///   - local, global: `dimension` coordinates each.
  ///   - context: ctx of the attempt.
  ///   - source: randomness of the operating system's generator; it draws the rounding and the noise.
  /// - Throws: `.notFinite`, `.wrongLength`, `.cannotRound`.
  public func encode(
    local: [Float], global: [Float], context: [UInt8], from source: inout some RandomSource & ~Copyable
  ) throws(EncodingError) -> EncodedUpdate {
    guard local.count == parameters.dimension, global.count == parameters.dimension else {
      throw EncodingError(.wrongLength, "the update has another length than the plan")
    }
    var values = try clipped(local, global)
    parameters.rotation(context: context).rotate(&values)
    let bound = Double(parameters.coordinateBound)
    var saturated = 0
    for index in values.indices where abs(values[index]) > bound {
      values[index] = values[index] > 0 ? bound : -bound
      saturated += 1
    }
    var rounding = BoundedRounding(normSquaredMax: parameters.normSquaredMax)
    guard let whole = rounding.round(values, from: &source) else {
      throw EncodingError(.cannotRound, "no rounding of the update keeps the plan's norm; its bound is too low for its dimension")
    }
    return EncodedUpdate(sections: [noised(whole, from: &source)], saturated: saturated)
  }

  /// A site's sum over sampled records, each rotated by ctx, rounded and within the norm before they were added up.
  /// - Parameter sum: `paddedDimension` whole numbers. Clamping them brings neighbours no further apart.
  /// - Throws: `.wrongLength`.
  public func encode(
    sum: [Int64], from source: inout some RandomSource & ~Copyable
  ) throws(EncodingError) -> EncodedUpdate {
    guard parameters.samplingRate != nil, sum.count == parameters.paddedDimension else {
      throw EncodingError(.wrongLength, "the sum over records has another length than the plan")
    }
    let bound = Int64(parameters.coordinateBound)
    let whole = sum.map { Int32(min(max($0, -bound), bound)) }
    return EncodedUpdate(sections: [noised(whole, from: &source)], saturated: sum.count { $0.magnitude > bound.magnitude })
  }

  /// The padded difference in grid steps, with a norm of S at most (but for what doubles round).
  private func clipped(_ local: [Float], _ global: [Float]) throws(EncodingError) -> [Double] {
    var values = [Double](repeating: 0, count: parameters.paddedDimension)
    var squared = 0.0
    for index in local.indices {
      let change = Double(local[index]) - Double(global[index])
      guard change.isFinite else { throw EncodingError(.notFinite, "coordinate \(index) is not a finite number") }
      values[index] = change
      squared += change * change
    }
    let factor = Double(parameters.resolution) / max(parameters.clip, squared.squareRoot())
    for index in local.indices { values[index] *= factor }
    return values
  }

  private func noised(_ whole: [Int32], from source: inout some RandomSource & ~Copyable) -> [UInt32] {
    let ring = Ring(bits: parameters.bits)
    var words = [UInt32](repeating: 0, count: whole.count)
    // A block at a time: the noise of one coordinate is as secret as the coordinate.
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: NoiseSampler.blockSamples) { noise in
      defer { SodiumLibrary.wipe(UnsafeMutableRawBufferPointer(noise)) }
      for start in stride(from: 0, to: whole.count, by: NoiseSampler.blockSamples) {
        let count = min(NoiseSampler.blockSamples, whole.count - start)
        sampler.fill(UnsafeMutableBufferPointer(rebasing: noise[..<count]), from: &source)
        for index in 0..<count { words[start + index] = ring.element(Int64(whole[start + index]) &+ noise[index]) }
      }
    }
    return words
  }
}
