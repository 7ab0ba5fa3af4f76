// The forward pass. A normalised convolution in training takes two sweeps, because batch statistics need all images:
// patches, product and channel sums per block; then norm, SiLU and shortcut in one. Evaluation does both per block.

import CKernels

extension Network {
  func runForward(_ images: ImageBatch, training: Bool) -> [FeatureMap] {
    guard let plan else { preconditionFailure("forward without a plan") }
    images.pixels.withUnsafeBufferPointer { pixels in
      guard let source = pixels.baseAddress else { return }
      if !training || norm == .frozen { useRunningStatistics() }
      packed?.pack(store.convolutions.map { UnsafePointer($0.weight) }, forBackward: training, on: pool)
      for (step, operation) in graph.operations.enumerated() {
        switch operation {
        case .convolution(let index, let input, let output, let residual):
          convolve(index, plan, source, input: input, output: output, residual: residual)
        case .pool(let input, let output):
          let from = pointer(input, plan, source)
          let to = pointer(output, plan, source)
          let places = training ? self.places(step, plan) : nil
          pool.run(plan.batch) { image in
            tk_max_pool(
              from.image(image), from.ld, from.height, from.width, input.channels, to.image(image), to.ld,
              places.map { $0 + image * from.height * from.width * input.channels })
          }
        case .upsample(let input, let output):
          let from = pointer(input, plan, source)
          let to = pointer(output, plan, source)
          pool.run(plan.batch) { image in
            tk_upsample(from.image(image), from.ld, from.height, from.width, input.channels, to.image(image), to.ld)
          }
        case .mean(let input, let output):
          let from = pointer(input, plan, source)
          let to = pointer(output, plan, source)
          pool.run(plan.batch) { image in CellMean.forward(from, to, image: image, channels: input.channels) }
        case .copy(let input, let output):
          let from = pointer(input, plan, source)
          let to = pointer(output, plan, source)
          pool.run(plan.batch) { image in
            tk_copy(from.image(image), from.ld, from.height * from.width, input.channels, to.image(image), to.ld)
          }
        }
      }
    }
    return graph.outputs.map { output in
      let (plane, channels) = (output.slice.plane, output.slice.channels)
      let values = UnsafeBufferPointer(start: activations.base + plan.planes[plane], count: plan.pixels(plane) * channels)
      return FeatureMap(
        batch: plan.batch, height: plan.rows(plane), width: plan.columns(plane), anchors: output.anchors,
        outputs: channels / output.anchors, values: Array(values))
    }
  }

  /// Pixels of an activation slice; `source` is the image batch.
  func pointer(_ slice: Slice, _ plan: Plan, _ source: UnsafePointer<Float>) -> PixelPointer {
    let base =
      slice.plane == 0
      ? UnsafeMutablePointer(mutating: source) : activations.base + plan.planes[slice.plane] + slice.offset
    return PixelPointer(
      base: base, ld: graph.planes[slice.plane].channels, height: plan.rows(slice.plane), width: plan.columns(slice.plane))
  }

  /// The Int32 buffer of a pooling's places (same size as Float, same arena).
  func places(_ step: Int, _ plan: Plan) -> UnsafeMutablePointer<Int32> {
    UnsafeMutableRawPointer(activations.base + plan.places[step]).assumingMemoryBound(to: Int32.self)
  }

  /// The job of a convolution, for the engine.
  func job(_ index: Int, _ plan: Plan, _ input: PixelPointer, output: Slice) -> ConvolutionEngine.Job {
    ConvolutionEngine.Job(
      convolution: graph.convolutions[index], weight: UnsafePointer(store.convolutions[index].weight), packed: packed?[index],
      input: input, outputHeight: plan.rows(output.plane), outputWidth: plan.columns(output.plane), batch: plan.batch)
  }

  private func convolve(
    _ index: Int, _ plan: Plan, _ source: UnsafePointer<Float>, input: Slice, output: Slice, residual: Slice?
  ) {
    let convolution = graph.convolutions[index]
    let tensors = store.convolutions[index]
    let from = pointer(input, plan, source)
    let to = pointer(output, plan, source)
    let shortcut = residual.map { pointer($0, plan, source) }
    let keepsResult = convolution.isNormalised && (plan.isTraining || convolution.isGrouped)
    let measures = keepsResult && norm == .batch && !convolution.isGrouped
    let outputs = convolution.outputs
    let kept = activations.base + plan.preNorm[index]
    if keepsResult { for buffer in sums { buffer.update(repeating: 0) } }
    engine.forward(job(index, plan, from, output: output)) { thread, first in
      keepsResult ? kept + first * outputs : convolution.isNormalised ? results[thread].base : to.base + first * to.ld
    } finish: { thread, first, pixels, result in
      if !convolution.isNormalised {
        tk_add_bias(result, pixels, outputs, tensors.shift)
      } else if measures {
        let sum = sums[thread].baseAddress
        tk_channel_sums(result, pixels, outputs, tensors.runningMean, sum, sum.map { $0 + outputs })
      } else if !keepsResult {
        tk_norm_silu(
          result, pixels, outputs, tensors.factor, tensors.offset, to.base + first * to.ld, to.ld,
          shortcut.map { UnsafePointer($0.base + first * $0.ld) }, shortcut?.ld ?? 0)
      }
    }
    guard keepsResult else { return }
    guard !convolution.isGrouped else { return normaliseGroups(index, plan, to, shortcut) }
    if measures, let norm = convolution.norm { finishStatistics(index, norm, pixels: plan.pixels(output.plane)) }
    pool.run(pool.threads) { thread in
      let pixels = share(thread, of: pool.threads, plan.pixels(output.plane))
      tk_norm_silu(
        kept + pixels.lowerBound * outputs, pixels.count, outputs, tensors.factor, tensors.offset,
        to.base + pixels.lowerBound * to.ld, to.ld, shortcut.map { UnsafePointer($0.base + pixels.lowerBound * $0.ld) },
        shortcut?.ld ?? 0)
    }
  }

  /// Mean and variance from the threads' sums, which are relative to the running mean so that a large mean costs no
  /// digits of the variance. The running variance gets the unbiased estimate.
  private func finishStatistics(_ index: Int, _ norm: NormConstants, pixels: Int) {
    let outputs = graph.convolutions[index].outputs
    let tensors = store.convolutions[index]
    let count = Double(pixels)
    batchCounters[index] &+= 1
    for channel in 0..<outputs {
      var sum = 0.0
      var squares = 0.0
      for buffer in sums {
        sum += buffer[channel]
        squares += buffer[outputs + channel]
      }
      let pivot = Double(tensors.runningMean[channel])
      let shifted = sum / count
      let variance = max(squares / count - shifted * shifted, 0)
      let mean = pivot + shifted
      let inverse = 1 / (variance + norm.epsilon).squareRoot()
      let factor = Double(tensors.scale[channel]) * inverse
      tensors.mean[channel] = Float(mean)
      tensors.inverseDeviation[channel] = Float(inverse)
      tensors.factor[channel] = Float(factor)
      tensors.offset[channel] = Float(Double(tensors.shift[channel]) - mean * factor)
      let unbiased = Float(variance * count / max(count - 1, 1))
      tensors.runningMean[channel] += norm.momentum * (Float(mean) - tensors.runningMean[channel])
      tensors.runningVariance[channel] += norm.momentum * (unbiased - tensors.runningVariance[channel])
    }
  }

  /// Normalisation with the running statistics: in evaluation, and in training where they are frozen.
  private func useRunningStatistics() {
    for (convolution, tensors) in zip(graph.convolutions, store.convolutions) {
      guard let norm = convolution.norm, !convolution.isGrouped else { continue }
      for channel in 0..<convolution.outputs {
        let inverse = 1 / (Double(tensors.runningVariance[channel]) + norm.epsilon).squareRoot()
        let factor = Double(tensors.scale[channel]) * inverse
        tensors.mean[channel] = tensors.runningMean[channel]
        tensors.inverseDeviation[channel] = Float(inverse)
        tensors.factor[channel] = Float(factor)
        tensors.offset[channel] = Float(Double(tensors.shift[channel]) - Double(tensors.runningMean[channel]) * factor)
      }
    }
  }
}
