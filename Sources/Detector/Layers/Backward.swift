// The backward pass, in reverse order of the operations. A normalised convolution takes two sweeps: the gradient through
// SiLU with the two sums that the norm's backward needs; then, per block, the norm's backward, the weight gradient, and
// the input's gradient. Images are split between threads; each thread sums weight gradients of its own.

import CKernels

extension Network {
  func runBackward(_ images: ImageBatch, _ maps: [FeatureMap]) {
    guard let plan else { preconditionFailure("backward without a plan") }
    pool.run(privateGradients.count) { privateGradients[$0].clear() }
    images.pixels.withUnsafeBufferPointer { pixels in
      guard let source = pixels.baseAddress else { return }
      for (step, operation) in graph.operations.enumerated().reversed() {
        clearGradients(plan.clears[step], plan)
        switch operation {
        case .convolution(let index, let input, let output, _):
          let given = graph.outputs.firstIndex { $0.slice == output }
          if graph.convolutions[index].isNormalised {
            if let given { _ = gradientBuffer(output, plan).update(fromContentsOf: maps[given].values) }
            if graph.convolutions[index].isGrouped {
              differentiateGroups(index, plan, gradientPointer(output, plan))
            } else {
              differentiateNorm(index, plan, output)
            }
            differentiate(index, step, plan, source, input, output, normGradient.base)
          } else if let given {
            maps[given].values.withUnsafeBufferPointer { values in
              guard let gradient = values.baseAddress else { return }
              let outputs = graph.convolutions[index].outputs
              tk_bias_gradient(gradient, plan.pixels(output.plane), outputs, store.convolutions[index].shiftGradient)
              // Read only: without a norm the gradient is used as it is.
              differentiate(index, step, plan, source, input, output, UnsafeMutablePointer(mutating: gradient))
            }
          }
        case .pool(let input, let output):
          differentiatePool(step, plan, input, output)
        case .upsample(let input, let output):
          let from = gradientPointer(output, plan)
          let to = gradientPointer(input, plan)
          pool.run(plan.batch) { image in
            if !plan.accumulates[step] { tk_clear(to.image(image), to.height * to.width, input.channels, to.ld) }
            tk_upsample_backward(
              from.image(image), from.ld, to.height, to.width, input.channels, to.image(image), to.ld)
          }
        case .mean(let input, let output):
          let from = gradientPointer(output, plan)
          let to = gradientPointer(input, plan)
          pool.run(plan.batch) { image in
            CellMean.backward(from, to, image: image, channels: input.channels, accumulates: plan.accumulates[step])
          }
        case .copy(let input, let output):
          let from = gradientPointer(output, plan)
          let to = gradientPointer(input, plan)
          pool.run(plan.batch) { image in
            let pixels = to.height * to.width
            if !plan.accumulates[step] { tk_clear(to.image(image), pixels, input.channels, to.ld) }
            tk_add_rows(from.image(image), from.ld, pixels, input.channels, to.image(image), to.ld)
          }
        }
      }
    }
    mergePrivateGradients()
  }

  private func clearGradients(_ slices: [Slice], _ plan: Plan) {
    for slice in slices {
      let columns = graph.planes[slice.plane].channels
      tk_clear(gradients.base + plan.gradients[slice.plane] + slice.offset, plan.pixels(slice.plane), slice.channels, columns)
    }
  }

  /// Pixels of a slice's gradient.
  private func gradientPointer(_ slice: Slice, _ plan: Plan) -> PixelPointer {
    let home = plan.home(slice)
    return PixelPointer(
      base: gradients.base + plan.gradients[home.plane] + home.offset, ld: graph.planes[home.plane].channels,
      height: plan.rows(home.plane), width: plan.columns(home.plane))
  }

  /// A whole plane's gradient: an output with a norm gets what the caller gives.
  private func gradientBuffer(_ slice: Slice, _ plan: Plan) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(
      start: gradientPointer(slice, plan).base, count: plan.pixels(slice.plane) * graph.planes[slice.plane].channels)
  }

  private func differentiatePool(_ step: Int, _ plan: Plan, _ input: Slice, _ output: Slice) {
    let from = gradientPointer(output, plan)
    let to = gradientPointer(input, plan)
    let places = self.places(step, plan)
    let pixels = to.height * to.width
    pool.run(plan.batch) { image in
      if !plan.accumulates[step] { tk_clear(to.image(image), pixels, input.channels, to.ld) }
      tk_max_pool_backward(
        from.image(image), from.ld, places + image * pixels * input.channels, pixels, input.channels, to.image(image), to.ld)
    }
  }

  /// Fills `normGradient` with the gradient after the norm, adds the norm's own gradients, and sets the coefficients with
  /// which `differentiate` continues through the norm (Ioffe and Szegedy 2015, section 3):
  /// dy = factor (du - mean(du) - x̂ mean(du x̂)), x̂ = (y - mean) · inverseDeviation. Frozen statistics do not depend on the
  /// batch: dy = factor du.
  private func differentiateNorm(_ index: Int, _ plan: Plan, _ output: Slice) {
    let tensors = store.convolutions[index]
    let outputs = output.channels
    let from = gradientPointer(output, plan)
    let kept = activations.base + plan.preNorm[index]
    let total = plan.pixels(output.plane)
    for buffer in sums { buffer.update(repeating: 0) }
    pool.run(pool.threads) { thread in
      let pixels = share(thread, of: pool.threads, total)
      let sum = sums[thread].baseAddress
      tk_norm_silu_backward(
        kept + pixels.lowerBound * outputs, from.base + pixels.lowerBound * from.ld, from.ld, pixels.count, outputs,
        tensors.factor, tensors.offset, tensors.mean, normGradient.base + pixels.lowerBound * outputs, sum,
        sum.map { $0 + outputs })
    }
    for channel in 0..<outputs {
      var sum = 0.0
      var product = 0.0
      for buffer in sums {
        sum += buffer[channel]
        product += buffer[outputs + channel]
      }
      let inverse = Double(tensors.inverseDeviation[channel])
      let factor = Double(tensors.factor[channel])
      tensors.shiftGradient[channel] += Float(sum)
      tensors.scaleGradient[channel] += Float(product * inverse)
      tensors.a[channel] = Float(factor)
      tensors.b[channel] = norm == .batch ? Float(-factor * inverse * inverse * product / Double(total)) : 0
      tensors.c[channel] = norm == .batch ? Float(-factor * sum / Double(total)) : 0
    }
  }

  /// Weight and input gradients of one convolution; `gradient` is dense, [pixel][output]. With a norm it is the gradient
  /// behind it and is replaced block by block by the gradient before it.
  private func differentiate(
    _ index: Int, _ step: Int, _ plan: Plan, _ source: UnsafePointer<Float>, _ input: Slice, _ output: Slice,
    _ gradient: UnsafeMutablePointer<Float>
  ) {
    let convolution = graph.convolutions[index]
    let tensors = store.convolutions[index]
    let outputs = convolution.outputs
    let kept = activations.base + plan.preNorm[index]
    // The image needs no gradient.
    let target = input.plane == 0 ? nil : gradientPointer(input, plan)
    engine.backward(
      job(index, plan, pointer(input, plan, source), output: output), gradient: gradient,
      weightGradient: { thread in
        thread == 0 ? tensors.weightGradient : privateGradients[thread - 1].base + tensors.weightOffset
      }, target: target, accumulates: plan.accumulates[step],
      prepare: { first, pixels, block in
        guard convolution.isNormalised, !convolution.isGrouped else { return }
        tk_norm_backward(
          block, kept + first * outputs, pixels, outputs, tensors.a, tensors.b, tensors.c, tensors.mean, block)
      })
  }

  private func mergePrivateGradients() {
    guard !privateGradients.isEmpty else { return }
    let parts = pool.threads
    pool.run(parts) { part in
      let range = share(part, of: parts, store.count)
      for arena in privateGradients {
        tk_add(store.gradients.base + range.lowerBound, arena.base + range.lowerBound, range.count)
      }
    }
  }
}
