// The sum of a step's clipped gradients in whole numbers (spec/13, "Clipping" and "Noise"). Invariant: whatever floating-point rounding
// did before, the vector of whole numbers that one image adds has a norm of at most `RecordMechanism.resolution`, checked in whole numbers.

import CKernels
import DPAccountant
import Sodium

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Belongs to one network and one thread.
final class GradientSum {
  let mechanism: RecordMechanism
  private let network: Network
  private let parameters: [Parameter]
  private let sampler: NoiseSampler
  /// All parameters behind each other.
  private let sums: UnsafeMutableBufferPointer<Int64>
  private let places: [Range<Int>]
  /// Sum behind the clip's quantile.
  private var count: Int64 = 0
  /// Records of an audit that are summed besides; nil in every other run.
  var canaries: GradientCanaries?
  /// How fast the clip follows (Andrew et al. 2021: 0.2).
  private static let clipRate = 0.2

  /// - Throws: `TrainingError` for noise that cannot be drawn.
  init(_ privacy: RecordPrivacy, network: Network, parameters: [Parameter]) throws(TrainingError) {
    do {
      mechanism = try RecordMechanism(
        samplingRate: privacy.samplingRate, noiseMultiplier: privacy.noiseMultiplier, clipQuantile: privacy.clipQuantile,
        dimension: parameters.reduce(0) { $0 + $1.count })
      sampler = try mechanism.sampler()
    } catch {
      throw TrainingError(.badJob, "privacy by record: \(error.reason)", hint: "choose another value")
    }
    (self.network, self.parameters) = (network, parameters)
    var end = 0
    places = parameters.map { parameter in
      defer { end += parameter.count }
      return end..<end + parameter.count
    }
    sums = .allocate(capacity: mechanism.dimension)
    sums.initialize(repeating: 0)
  }

  deinit {
    // What a step that was given up had summed is nobody's business.
    sums.update(repeating: 0)
    sums.deallocate()
  }

  /// Adds the network's present gradient, which is one image's, clipped to norm `clip`. A gradient that is not finite counts as zero.
  func add(clip: Double) {
    let norm = squaredNorm().squareRoot()
    count += norm <= clip ? mechanism.countSteps.within : mechanism.countSteps.beyond
    guard norm.isFinite, norm > 0 else { return }
    var factor = Double(RecordMechanism.resolution) / max(norm, clip)
    // The norm above was rounded, and so is every product: what counts is the square of the whole numbers.
    while true {
      guard factor.isFinite, Float(factor) > 0 else { return }
      if squareOfWholeNumbers(Float(factor)) <= RecordMechanism.resolution * RecordMechanism.resolution { break }
      factor *= 1 - 0x1p-12
    }
    let scale = Float(factor)
    forEachParameter { _, sum, gradient in
      for position in gradient.indices { sum[position] += Int64(Int32(gradient[position] * scale)) }
    }
  }

  /// Takes the noised sum, divided by `lotSize`, as the network's gradient, and begins anew.
  /// - Parameter clip: what the gradients were clipped to.
  /// - Returns: the clip of the next step.
  func release(clip: Double, lotSize: Int) -> Double {
    for place in canaries?.drawn(rate: mechanism.samplingRate) ?? [] {
      sums[place] += RecordMechanism.resolution
      count += mechanism.countSteps.within
    }
    let unit = clip / (Double(RecordMechanism.resolution) * Double(lotSize))
    forEachParameter { _, sum, gradient in
      // A stream of its own for each tensor and step, from the operating system's generator.
      var random = RandomStream()
      let noise = sampler.samples(sum.count, from: &random)
      for position in gradient.indices {
        sum[position] += noise[position]
        gradient[position] = Float(Double(sum[position]) * unit)
      }
    }
    canaries?.observe(mechanism) { sums[$0] }
    sums.update(repeating: 0)
    guard mechanism.clipQuantile != nil else { return clip }
    var random = RandomStream()
    let within = Double(count + sampler.samples(1, from: &random)[0]) / Double(mechanism.countSteps.within - mechanism.countSteps.beyond)
    count = 0
    let range = RecordPrivacy.clipRange
    return min(max(clip * exp(-Self.clipRate * within / Double(lotSize)), range.lowerBound), range.upperBound)
  }

  /// The sum as it is, without noise; for tests.
  var wholeNumbers: [Int64] { Array(sums) }

  private func squaredNorm() -> Double {
    parameters.reduce(0) { $0 + tk_squared_norm($1.gradient.baseAddress, $1.count) }
  }

  /// Square of the norm of the whole numbers that `scale` gives; the largest number where it does not fit.
  private func squareOfWholeNumbers(_ scale: Float) -> Int64 {
    let limit = Float(RecordMechanism.resolution)
    var parts = [Int64](repeating: 0, count: parameters.count)
    parts.withUnsafeMutableBufferPointer { parts in
      forEachParameter { index, _, gradient in parts[index] = Self.square(gradient, scale) }
    }
    return parts.reduce(0) { total, part in
      let (sum, overflow) = total.addingReportingOverflow(part)
      return overflow ? .max : sum
    }
  }

  private static func square(_ gradient: UnsafeMutableBufferPointer<Float>, _ scale: Float) -> Int64 {
    let limit = 2 * Float(RecordMechanism.resolution)
    var total: Int64 = 0
    for value in gradient {
      let scaled = value * scale
      // Also where a rounded norm was far too small: nothing is converted that does not fit.
      guard abs(scaled) <= limit else { return .max }
      let whole = Int64(Int32(scaled))
      let (sum, overflow) = total.addingReportingOverflow(whole * whole)
      guard !overflow else { return .max }
      total = sum
    }
    return total
  }

  /// Calls `body` with each parameter's number, sums and gradient, on all threads.
  private func forEachParameter(
    _ body: (Int, UnsafeMutableBufferPointer<Int64>, UnsafeMutableBufferPointer<Float>) -> Void
  ) {
    network.pool.run(parameters.count) { [sums, places, parameters] index in
      body(index, UnsafeMutableBufferPointer(rebasing: sums[places[index]]), parameters[index].gradient)
    }
  }
}
