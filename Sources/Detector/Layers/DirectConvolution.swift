// Convolutions without patches. A block's input is copied once, with its border of zeros, so that what an output pixel
// reads is one run of consecutive floats per kernel row; the products read those runs in place. The input's gradient is a
// convolution of the outputs' gradient: with stride s, input pixels of one remainder by s see the same kernel places.
// The kernels are in CKernels; ConvolutionEngine runs them or, where they do not suit, patches and OpenBLAS.

import CKernels

/// Which direct kernels run. Where there are none, all convolutions take OpenBLAS.
enum DirectPath: Int32, CaseIterable, Sendable {
  // In rising order of speed.
  case avx2 = 1
  case avx512 = 2

  var isAvailable: Bool { tk_direct_path_available(rawValue) != 0 }
  static let best = allCases.last { $0.isAvailable }
}

extension Convolution {
  /// True if the direct kernels can run it: they work on 16 outputs and on runs of at least 16 floats.
  var suitsDirect: Bool {
    outputs.isMultiple(of: 16) && kernel * inputs >= 16 && kernel >= stride && (kernel > 1 || (stride == 1 && padding == 0))
  }

  /// True if they can also run its input's gradient.
  var suitsDirectInputGradient: Bool { suitsDirect && inputs.isMultiple(of: 16) }

  /// Kernel places that an input row (or column) with remainder `remainder` by the stride takes part in, by falling place, that is by
  /// rising output row.
  func places(remainder: Int) -> [Int] {
    Array(Swift.stride(from: (remainder + padding) % stride, to: kernel, by: stride).reversed())
  }

  /// The first output row (or column) that reads input row `i`; negative where it lies in the border.
  func firstReader(_ i: Int) -> Int {
    // Rounded up; made positive first, because division rounds towards zero.
    (i + padding - (kernel - 1) + stride * kernel + stride - 1) / stride - kernel
  }
}

/// The direct kernels on blocks of one convolution. `weights` are the convolution's packed weights.
struct DirectConvolution {
  let path: DirectPath
  let job: ConvolutionEngine.Job
  let weights: PackedWeights.Pointers

  private var convolution: Convolution { job.convolution }

  /// What a block of output lines reads, with its border.
  private func inputFrame(_ lines: Range<Int>) -> tk_frame {
    let c = convolution
    return tk_frame(
      height: job.input.height, width: job.input.width, channels: c.inputs, ld: job.input.ld,
      top: lines.lowerBound * c.stride - c.padding, rows: (lines.count - 1) * c.stride + c.kernel, left: c.padding,
      columns: max((job.outputWidth - 1) * c.stride + c.kernel, c.padding + job.input.width))
  }

  /// result[pixel][output] of a block, dense.
  func forward(images: Range<Int>, lines: Range<Int>, scratch: DirectScratch, result: UnsafeMutablePointer<Float>) {
    let c = convolution
    let pixels = images.count * lines.count * job.outputWidth
    scratch.reserve(pixels: pixels)
    let (sources, targets) = (scratch.sources, scratch.targets)
    for pixel in 0..<pixels { targets[pixel] = result + pixel * c.outputs }
    var runs = tk_runs(count: 1, length: c.inputs, pitch: 0)
    if c.kernel == 1 {
      let from = job.input.line(images.lowerBound, lines.lowerBound)
      for pixel in 0..<pixels { sources[pixel] = UnsafePointer(from + pixel * job.input.ld) }
    } else {
      let frame = inputFrame(lines)
      let from = scratch.pad(frame, job.input, images: images)
      runs = tk_runs(count: c.kernel, length: c.kernel * c.inputs, pitch: frame.columns * c.inputs)
      var pixel = 0
      for image in 0..<images.count {
        for line in 0..<lines.count {
          let start = from + (image * frame.rows + line * c.stride) * runs.pitch
          for x in 0..<job.outputWidth { sources[pixel + x] = start + x * c.stride * c.inputs }
          pixel += job.outputWidth
        }
      }
    }
    tk_gather(path.rawValue, sources, targets, pixels, &runs, weights.rows, c.outputs, 0)
  }

  /// weightGradient += the block's part; `gradient` is the block's outputs', dense. Both sides are copied into panels of 16 channels
  /// first: pixels a power of two apart would share a few lines of the first cache.
  func addWeightGradient(
    images: Range<Int>, lines: Range<Int>, scratch: DirectScratch, gradient: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>
  ) {
    let c = convolution
    let count = images.count * lines.count
    let pixels = count * job.outputWidth
    var dense = tk_frame(
      height: 1, width: pixels, channels: c.outputs, ld: c.outputs, top: 0, rows: 1, left: 0, columns: pixels)
    let outputs = scratch.panels(pixels * c.outputs)
    tk_panels(&dense, gradient, outputs, pixels * 16)

    var frame = inputFrame(lines)
    let inPanels = c.inputs.isMultiple(of: 16)
    let step = inPanels ? 16 : c.inputs
    let panel = frame.rows * frame.columns * 16
    let size = frame.rows * frame.columns * c.inputs
    let input = scratch.padded(images.count * size)
    for (number, image) in images.enumerated() {
      let (from, to) = (job.input.image(image), input + number * size)
      if inPanels { tk_panels(&frame, from, to, panel) } else { tk_pad(&frame, from, to) }
    }

    scratch.reserve(pixels: count)
    for image in 0..<images.count {
      for line in 0..<lines.count {
        let number = image * lines.count + line
        scratch.sources[number] = UnsafePointer(outputs + number * job.outputWidth * 16)
        scratch.others[number] = UnsafePointer(input + image * size + line * c.stride * frame.columns * step)
      }
    }
    let columns = inPanels ? panelColumns(frame, panel) : runColumns(frame)
    var block = tk_lines(
      gradient: scratch.sources, input: scratch.others, count: count, width: job.outputWidth, gradient_panel: pixels * 16,
      input_step: c.stride * step)
    tk_outer(path.rawValue, &block, columns, columns.count, c.outputs, weightGradient, c.patch)
  }

  /// Each kernel place of each panel of the input.
  private func panelColumns(_ frame: tk_frame, _ panel: Int) -> [tk_column] {
    let c = convolution
    var columns: [tk_column] = []
    columns.reserveCapacity(c.patch / 16)
    for channel in stride(from: 0, to: c.inputs, by: 16) {
      for ky in 0..<c.kernel {
        for kx in 0..<c.kernel {
          columns.append(
            tk_column(
              offset: channel / 16 * panel + (ky * frame.columns + kx) * 16, place: (ky * c.kernel + kx) * c.inputs + channel,
              skipped: 0))
        }
      }
    }
    return columns
  }

  /// The runs of the input's pixels in columns; the last of a run ends with it.
  private func runColumns(_ frame: tk_frame) -> [tk_column] {
    let c = convolution
    let length = c.kernel * c.inputs
    return (0..<c.kernel).flatMap { ky in
      stride(from: 0, to: length, by: 16).map { first in
        let start = min(first, length - 16)
        return tk_column(offset: ky * frame.columns * c.inputs + start, place: ky * length + start, skipped: first - start)
      }
    }
  }

  /// Input lines whose gradient is complete once all output lines below `end` have theirs.
  func completeLines(_ end: Int) -> Int {
    end == job.outputHeight ? job.input.height : max(0, min(end * convolution.stride - convolution.padding, job.input.height))
  }

  /// The input's gradient on some of its lines, from `gradient`, the whole batch's of the outputs.
  func inputGradient(
    images: Range<Int>, lines: Range<Int>, scratch: DirectScratch, gradient: UnsafeMutablePointer<Float>, target: PixelPointer,
    accumulates: Bool
  ) {
    guard !lines.isEmpty else { return }
    let c = convolution
    scratch.reserve(pixels: images.count * lines.count * target.width)
    let (sources, targets) = (scratch.sources, scratch.targets)
    let outputs = PixelPointer(base: gradient, ld: c.outputs, height: job.outputHeight, width: job.outputWidth)
    if c.kernel == 1 {
      let pixels = images.count * lines.count * target.width
      let from = outputs.line(images.lowerBound, lines.lowerBound)
      let to = target.line(images.lowerBound, lines.lowerBound)
      for pixel in 0..<pixels {
        sources[pixel] = UnsafePointer(from + pixel * c.outputs)
        targets[pixel] = to + pixel * target.ld
      }
      var runs = tk_runs(count: 1, length: c.outputs, pitch: 0)
      tk_gather(path.rawValue, sources, targets, pixels, &runs, weights.columns, c.inputs, accumulates ? 1 : 0)
      return
    }
    let top = c.firstReader(lines.lowerBound)
    let left = -c.firstReader(0)
    let frame = tk_frame(
      height: job.outputHeight, width: job.outputWidth, channels: c.outputs, ld: c.outputs, top: top,
      rows: (lines.upperBound - 1 + c.padding) / c.stride - top + 1, left: left,
      columns: left + max((target.width - 1 + c.padding) / c.stride + 1, job.outputWidth))
    let from = scratch.pad(frame, outputs, images: images)
    let pitch = frame.columns * c.outputs
    var packed = weights.columns
    for y in 0..<c.stride {
      for x in 0..<c.stride {
        let (ky, kx) = (c.places(remainder: y), c.places(remainder: x))
        var runs = tk_runs(count: ky.count, length: kx.count * c.outputs, pitch: pitch)
        var pixels = 0
        for image in 0..<images.count {
          var line = lines.lowerBound + (y - lines.lowerBound % c.stride + c.stride) % c.stride
          while line < lines.upperBound {
            let start = from + (image * frame.rows + (line + c.padding - ky[0]) / c.stride - top) * pitch
            let to = target.line(images.lowerBound + image, line)
            var column = x
            while column < target.width {
              sources[pixels] = start + ((column + c.padding - kx[0]) / c.stride + left) * c.outputs
              targets[pixels] = to + column * target.ld
              pixels += 1
              column += c.stride
            }
            line += c.stride
          }
        }
        tk_gather(path.rawValue, sources, targets, pixels, &runs, packed, c.inputs, accumulates ? 1 : 0)
        packed += ky.count * kx.count * c.inputs * c.outputs
      }
    }
  }
}
