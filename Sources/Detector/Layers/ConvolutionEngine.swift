// Convolution, forward and both backwards, on the pool's threads: by the direct kernels where they suit, else by patches and
// matrix products. The network drives it with closures that run per block while the block is in cache (statistics, norm,
// activation), which saves whole sweeps over memory. GradientTests holds both ways to a readable definition.

import CKernels

/// Where a slice's pixels are: pointer to its first channel, and floats from one pixel to the next.
struct PixelPointer {
  let base: UnsafeMutablePointer<Float>
  let ld: Int
  let height: Int
  let width: Int

  func image(_ index: Int) -> UnsafeMutablePointer<Float> { base + index * height * width * ld }
  func line(_ image: Int, _ line: Int) -> UnsafeMutablePointer<Float> { base + (image * height + line) * width * ld }
}

/// Runs convolutions; owns the threads' buffers.
final class ConvolutionEngine {
  let pool: WorkerPool
  /// Nil: patches and OpenBLAS for everything.
  let path: DirectPath?
  private let patches: [Arena]
  private let scratch: [DirectScratch]

  init(pool: WorkerPool, path: DirectPath? = .best) {
    self.pool = pool
    self.path = path
    patches = (0..<pool.threads).map { _ in Arena() }
    scratch = (0..<pool.threads).map { _ in DirectScratch() }
  }

  /// One convolution on one batch.
  struct Job {
    let convolution: Convolution
    let weight: UnsafePointer<Float>
    /// The same for the direct kernels; nil if they do not suit.
    let packed: PackedWeights.Pointers?
    let input: PixelPointer
    let outputHeight: Int
    let outputWidth: Int
    let batch: Int

    var pixels: Int { batch * outputHeight * outputWidth }

    func geometry(ld: Int) -> tk_geometry {
      tk_geometry(
        height: input.height, width: input.width, channels: convolution.inputs, ld: ld, kernel: convolution.kernel,
        stride: convolution.stride, padding: convolution.padding, out_width: outputWidth)
    }
  }

  /// Makes room for a convolution's patches; call before running it, from one thread.
  func reserve(_ convolution: Convolution, outputHeight: Int, outputWidth: Int) {
    guard convolution.kernel > 1, path == nil || !convolution.suitsDirectInputGradient else { return }
    let pixels = blocking(convolution, outputHeight: outputHeight, outputWidth: outputWidth).pixels
    for arena in patches { arena.reserve(pixels * convolution.patch) }
  }

  func blocking(_ convolution: Convolution, outputHeight: Int, outputWidth: Int) -> Blocking {
    Blocking(
      convolution, outputHeight: outputHeight, outputWidth: outputWidth, isDirect: path != nil && convolution.suitsDirect)
  }

  private func direct(_ job: Job) -> DirectConvolution? {
    guard let path, let weights = job.packed else { return nil }
    return DirectConvolution(path: path, job: job, weights: weights)
  }

  /// Computes all outputs, block by block. `place` says where a block's result [pixel][output] goes, given the thread and
  /// the number of its first pixel; `finish` gets the result while it is in cache.
  func forward(
    _ job: Job, place: (_ thread: Int, _ first: Int) -> UnsafeMutablePointer<Float>,
    finish: (_ thread: Int, _ first: Int, _ pixels: Int, _ result: UnsafeMutablePointer<Float>) -> Void
  ) {
    let convolution = job.convolution
    let blocking = blocking(convolution, outputHeight: job.outputHeight, outputWidth: job.outputWidth)
    let direct = direct(job)
    let threads = pool.threads
    // Few images (inference): the threads share the lines of each image instead.
    let byImage = job.batch >= threads
    pool.run(threads) { thread in
      let images = byImage ? share(thread, of: threads, job.batch) : 0..<job.batch
      let lines = byImage ? 0..<job.outputHeight : share(thread, of: threads, job.outputHeight)
      blocking.forEach(images: images, lines: lines) { images, lines in
        let pixels = images.count * lines.count * job.outputWidth
        let first = (images.lowerBound * job.outputHeight + lines.lowerBound) * job.outputWidth
        let result = place(thread, first)
        if let direct {
          direct.forward(images: images, lines: lines, scratch: scratch[thread], result: result)
        } else {
          let (matrix, stride) = blockPatches(job, images: images, lines: lines, thread: thread)
          MatrixProduct.forward(
            pixels: pixels, outputs: convolution.outputs, patch: convolution.patch, patches: matrix, stride: stride,
            weight: job.weight, result: result)
        }
        finish(thread, first, pixels, result)
      }
    }
  }

  /// Adds the weight gradient, and writes (or adds, if `accumulates`) the input's gradient to `target` unless nil.
  /// - Parameters:
  ///   - gradient: of the outputs, dense [pixel][output]; `prepare` may rewrite a block in place before it is used.
  ///   - weightGradient: where each thread sums its part.
  func backward(
    _ job: Job, gradient: UnsafeMutablePointer<Float>, weightGradient: (_ thread: Int) -> UnsafeMutablePointer<Float>,
    target: PixelPointer?, accumulates: Bool,
    prepare: (_ first: Int, _ pixels: Int, _ block: UnsafeMutablePointer<Float>) -> Void
  ) {
    let convolution = job.convolution
    let blocking = blocking(convolution, outputHeight: job.outputHeight, outputWidth: job.outputWidth)
    let direct = target == nil || convolution.suitsDirectInputGradient ? direct(job) : nil
    // Lines of one image overlap in the input's gradient, so a thread takes whole images.
    let threads = min(pool.threads, job.batch)
    pool.run(threads) { thread in
      let images = share(thread, of: threads, job.batch)
      let weights = weightGradient(thread)
      if let target, direct == nil, convolution.kernel > 1, !accumulates {
        tk_clear(
          target.image(images.lowerBound), images.count * target.height * target.width, convolution.inputs, target.ld)
      }
      var done = 0
      blocking.forEach(images: images, lines: 0..<job.outputHeight) { images, lines in
        let pixels = images.count * lines.count * job.outputWidth
        let first = (images.lowerBound * job.outputHeight + lines.lowerBound) * job.outputWidth
        let block = gradient + first * convolution.outputs
        prepare(first, pixels, block)
        if let direct {
          direct.addWeightGradient(
            images: images, lines: lines, scratch: scratch[thread], gradient: block, weightGradient: weights)
          guard let target else { return }
          // The input's gradient gathers, so it follows behind: by whole lines whose readers are all prepared.
          if lines.lowerBound == 0 { done = 0 }
          let complete = direct.completeLines(lines.upperBound)
          direct.inputGradient(
            images: images, lines: done..<max(done, complete), scratch: scratch[thread], gradient: gradient, target: target,
            accumulates: accumulates)
          done = max(done, complete)
          return
        }
        let (matrix, stride) = blockPatches(job, images: images, lines: lines, thread: thread)
        MatrixProduct.weightGradient(
          pixels: pixels, outputs: convolution.outputs, patch: convolution.patch, gradient: block, patches: matrix,
          stride: stride, weightGradient: weights)
        guard let target else { return }
        inputGradient(job, block, target, accumulates: accumulates, images: images, lines: lines, thread: thread)
      }
    }
  }

  /// The block's input as a matrix: the input itself for 1 x 1, else patches copied into the thread's buffer.
  @inline(__always)
  private func blockPatches(
    _ job: Job, images: Range<Int>, lines: Range<Int>, thread: Int
  ) -> (matrix: UnsafePointer<Float>, stride: Int) {
    let input = job.input
    if job.convolution.kernel == 1 { return (UnsafePointer(input.line(images.lowerBound, lines.lowerBound)), input.ld) }
    let buffer = patches[thread].base
    let size = lines.count * job.outputWidth * job.convolution.patch
    var geometry = job.geometry(ld: input.ld)
    for (number, image) in images.enumerated() {
      tk_patches(&geometry, input.image(image), lines.lowerBound, lines.upperBound, buffer + number * size)
    }
    return (UnsafePointer(buffer), job.convolution.patch)
  }

  private func inputGradient(
    _ job: Job, _ block: UnsafePointer<Float>, _ target: PixelPointer, accumulates: Bool, images: Range<Int>,
    lines: Range<Int>, thread: Int
  ) {
    let convolution = job.convolution
    let pixels = images.count * lines.count * job.outputWidth
    guard convolution.kernel > 1 else {
      MatrixProduct.patchGradient(
        pixels: pixels, outputs: convolution.outputs, patch: convolution.patch, gradient: block, weight: job.weight,
        accumulates: accumulates, patches: target.line(images.lowerBound, lines.lowerBound), stride: target.ld)
      return
    }
    let buffer = patches[thread].base
    MatrixProduct.patchGradient(
      pixels: pixels, outputs: convolution.outputs, patch: convolution.patch, gradient: block, weight: job.weight,
      accumulates: false, patches: buffer, stride: convolution.patch)
    var geometry = job.geometry(ld: target.ld)
    let size = lines.count * job.outputWidth * convolution.patch
    for (number, image) in images.enumerated() {
      tk_patches_add(&geometry, buffer + number * size, lines.lowerBound, lines.upperBound, target.image(image))
    }
  }
}
