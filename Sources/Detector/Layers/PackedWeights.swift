// The weights as the direct kernels read them: one transposed copy for the outputs, one per remainder by the stride for the
// input's gradient.

import CKernels

/// All weights in the order that the direct kernels read, renewed by `pack` when the weights have changed.
final class PackedWeights {
  /// One convolution's.
  struct Pointers {
    /// For the outputs: [output / 16][patch][output % 16].
    let rows: UnsafePointer<Float>
    /// For the input's gradient: per remainder by the stride (row by row) [input / 16][places][output][input % 16].
    let columns: UnsafePointer<Float>
  }

  private let convolutions: [Convolution]
  private let offsets: [Int?]
  private let rows: Arena
  private let columns: Arena

  init(_ convolutions: [Convolution]) {
    self.convolutions = convolutions
    var size = 0
    offsets = convolutions.map { convolution in
      guard convolution.suitsDirect else { return nil }
      defer { size += convolution.outputs * convolution.patch }
      return size
    }
    rows = Arena(size)
    columns = Arena(size)
  }

  /// Nil for a convolution that the kernels do not suit.
  subscript(index: Int) -> Pointers? {
    offsets[index].map { Pointers(rows: UnsafePointer(rows.base + $0), columns: UnsafePointer(columns.base + $0)) }
  }

  /// - Parameter weights: by convolution, [output][ky][kx][input].
  func pack(_ weights: [UnsafePointer<Float>], forBackward: Bool, on pool: WorkerPool) {
    pool.run(convolutions.count) { index in
      guard let offset = offsets[index] else { return }
      let convolution = convolutions[index]
      tk_pack_rows(weights[index], convolution.outputs, convolution.patch, rows.base + offset)
      guard forBackward, convolution.suitsDirectInputGradient else { return }
      var to = columns.base + offset
      for y in 0..<convolution.stride {
        for x in 0..<convolution.stride {
          let taps = convolution.places(remainder: y).flatMap { ky in
            convolution.places(remainder: x).map { ky * convolution.kernel + $0 }
          }
          tk_pack_columns(
            weights[index], convolution.outputs, convolution.patch, convolution.inputs, taps, taps.count, to)
          to += taps.count * convolution.inputs * convolution.outputs
        }
      }
    }
  }
}
