// One learnable tensor. Value and gradient live in the network's arena; the convolution kernels keep weights as
// [output][ky][kx][input], the files as [output][input][ky][kx], so reading and writing in file order goes through here.

/// Which of the optimiser's three groups a parameter belongs to (YOLOv5: biases include the norms').
public enum ParameterGroup: Int, Sendable, CaseIterable {
  /// Biases of convolutions and norms: no weight decay, own warm-up of the learning rate.
  case bias
  /// Convolution weights: the only group with weight decay.
  case weight
  /// Scales of the batch norms: no weight decay.
  case norm
}

/// A learnable tensor of a `Network`. Its buffers live as long as the network; use them only while it exists.
public struct Parameter {
  /// YOLOv5's name, e.g. `model.0.conv.weight`.
  public let name: String
  /// Shape as in the file: [output, input, ky, kx] or [channels].
  public let shape: [Int]
  public let group: ParameterGroup
  /// Values in the kernels' order, see `fileOrder`.
  public let value: UnsafeMutableBufferPointer<Float>
  /// Gradient, same order as `value`.
  public let gradient: UnsafeMutableBufferPointer<Float>

  public var count: Int { value.count }

  /// The values row-major in `shape`.
  public func values() -> [Float] { inFileOrder(value) }

  /// The gradient row-major in `shape`.
  public func gradients() -> [Float] { inFileOrder(gradient) }

  /// Replaces the values; `values` is row-major in `shape`.
  public func assign(_ values: [Float]) { fromFileOrder(values, to: value) }

  /// Reads any buffer laid out like `value` (a momentum, an average) in file order.
  func inFileOrder(_ buffer: UnsafeMutableBufferPointer<Float>) -> [Float] {
    var result = [Float](repeating: 0, count: buffer.count)
    forEachPair { kernel, file in result[file] = buffer[kernel] }
    return result
  }

  func fromFileOrder(_ values: [Float], to buffer: UnsafeMutableBufferPointer<Float>) {
    precondition(values.count == buffer.count, "\(name) has \(buffer.count) values, not \(values.count)")
    forEachPair { kernel, file in buffer[kernel] = values[file] }
  }

  /// Visits every element with its index in the kernels' order and in file order.
  private func forEachPair(_ body: (_ kernel: Int, _ file: Int) -> Void) {
    guard shape.count == 4, shape[2] * shape[3] > 1 else {
      for index in 0..<count { body(index, index) }
      return
    }
    let inputs = shape[1]
    let taps = shape[2] * shape[3]
    for output in 0..<shape[0] {
      let base = output * inputs * taps
      for tap in 0..<taps {
        for input in 0..<inputs { body(base + tap * inputs + input, base + input * taps + tap) }
      }
    }
  }
}
