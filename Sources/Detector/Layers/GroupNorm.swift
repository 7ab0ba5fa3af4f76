// Group norm and SiLU (Wu and He 2018): mean and variance of each image's groups of channels. No image's output depends on another's, so
// per-record gradients are what they claim to be. Sums are in double precision; images are shared between threads, so results do not
// depend on their number.

import CKernels

/// What a group norm computed for one batch: per image and channel.
final class GroupStatistics {
  let mean: Arena
  let inverseDeviation: Arena
  let factor: Arena
  let offset: Arena

  init(_ count: Int) { (mean, inverseDeviation, factor, offset) = (Arena(count), Arena(count), Arena(count), Arena(count)) }

  var capacity: Int { mean.capacity }
}

extension Network {
  /// to = silu(scale · (y - mean) / deviation + shift) (+ shortcut), y being the convolution's kept result.
  func normaliseGroups(_ index: Int, _ plan: Plan, _ to: PixelPointer, _ shortcut: PixelPointer?) {
    let convolution = graph.convolutions[index]
    let outputs = convolution.outputs
    guard let norm = convolution.norm, let groups = norm.groups else { preconditionFailure("no group norm") }
    let statistics = reservedStatistics(index, plan.batch * outputs)
    let kept = activations.base + plan.preNorm[index]
    let tensors = store.convolutions[index]
    let pixels = to.height * to.width
    pool.run(plan.batch) { image in
      let y = kept + image * pixels * outputs
      let at = image * outputs
      let (mean, inverse) = (statistics.mean.base + at, statistics.inverseDeviation.base + at)
      measure(y, pixels, outputs, groups: groups, epsilon: norm.epsilon, mean: mean, inverse: inverse)
      let (factor, offset) = (statistics.factor.base + at, statistics.offset.base + at)
      for channel in 0..<outputs {
        factor[channel] = tensors.scale[channel] * inverse[channel]
        offset[channel] = tensors.shift[channel] - mean[channel] * factor[channel]
      }
      tk_norm_silu(
        y, pixels, outputs, factor, offset, to.image(image), to.ld, shortcut.map { UnsafePointer($0.image(image)) }, shortcut?.ld ?? 0)
    }
  }

  private func reservedStatistics(_ index: Int, _ count: Int) -> GroupStatistics {
    if let known = groupStatistics[index], known.capacity >= count { return known }
    let made = GroupStatistics(count)
    groupStatistics[index] = made
    return made
  }

  /// Mean and 1/√(variance + epsilon) of each channel's group. Two passes: the second is relative to the mean, so a large mean costs no
  /// digits of the variance.
  private func measure(
    _ y: UnsafePointer<Float>, _ pixels: Int, _ outputs: Int, groups: Int, epsilon: Double, mean: UnsafeMutablePointer<Float>,
    inverse: UnsafeMutablePointer<Float>
  ) {
    let width = outputs / groups
    let count = Double(pixels * width)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * outputs) { sums in
      guard let sum = sums.baseAddress else { return }
      let squares = sum + outputs
      mean.update(repeating: 0, count: outputs)
      for pass in 0..<2 {
        sums.initialize(repeating: 0)
        tk_channel_sums(y, pixels, outputs, mean, sum, squares)
        for group in 0..<groups {
          let channels = (group * width)..<((group + 1) * width)
          let shift = channels.reduce(0) { $0 + sum[$1] } / count
          if pass == 0 {
            for channel in channels { mean[channel] = Float(shift) }
          } else {
            let variance = max(channels.reduce(0) { $0 + squares[$1] } / count - shift * shift, 0)
            for channel in channels { inverse[channel] = Float(1 / (variance + epsilon).squareRoot()) }
          }
        }
      }
    }
  }

  /// Fills `normGradient` with the gradient before the norm and adds the norm's own gradients. With x̂ = (y - mean) / deviation over a
  /// group's N values: dy = (γ du - mean(γ du) - x̂ mean(γ du x̂)) / deviation.
  func differentiateGroups(_ index: Int, _ plan: Plan, _ from: PixelPointer) {
    let convolution = graph.convolutions[index]
    let outputs = convolution.outputs
    guard let groups = convolution.norm?.groups, let statistics = groupStatistics[index] else { preconditionFailure("no group norm") }
    let kept = activations.base + plan.preNorm[index]
    let tensors = store.convolutions[index]
    let pixels = from.height * from.width
    // Per image, so that the sum over images has one order.
    var sums = [Double](repeating: 0, count: 2 * plan.batch * outputs)
    sums.withUnsafeMutableBufferPointer { sums in
      nonisolated(unsafe) let all = sums
      pool.run(plan.batch) { image in
        let at = image * outputs
        let y = kept + image * pixels * outputs
        let slope = normGradient.base + image * pixels * outputs
        let mean = statistics.mean.base + at
        let sum = all.baseAddress! + 2 * at
        tk_norm_silu_backward(
          y, from.image(image), from.ld, pixels, outputs, statistics.factor.base + at, statistics.offset.base + at, mean, slope, sum,
          sum + outputs)
        let inverse = statistics.inverseDeviation.base + at
        let coefficients = Coefficients(
          sum: sum, product: sum + outputs, scale: tensors.scale, inverse: inverse, outputs: outputs, width: outputs / groups,
          pixels: pixels)
        tk_norm_backward(slope, y, pixels, outputs, statistics.factor.base + at, coefficients.b, coefficients.c, mean, slope)
      }
    }
    for image in 0..<plan.batch {
      for channel in 0..<outputs {
        let at = 2 * image * outputs + channel
        tensors.shiftGradient[channel] += Float(sums[at])
        tensors.scaleGradient[channel] += Float(sums[at + outputs] * Double(statistics.inverseDeviation.base[image * outputs + channel]))
      }
    }
  }
}

/// The two terms by which a group's values move together.
private struct Coefficients {
  var b: [Float]
  var c: [Float]

  init(
    sum: UnsafePointer<Double>, product: UnsafePointer<Double>, scale: UnsafePointer<Float>, inverse: UnsafePointer<Float>, outputs: Int,
    width: Int, pixels: Int
  ) {
    b = Array(repeating: 0, count: outputs)
    c = b
    let count = Double(pixels * width)
    for first in stride(from: 0, to: outputs, by: width) {
      let channels = first..<(first + width)
      let deviation = Double(inverse[first])
      let mean = channels.reduce(0) { $0 + Double(scale[$1]) * sum[$1] } / count
      let slope = channels.reduce(0) { $0 + Double(scale[$1]) * product[$1] } / count
      for channel in channels {
        b[channel] = Float(-deviation * deviation * deviation * slope)
        c[channel] = Float(-deviation * mean)
      }
    }
  }
}
