// Each kind of layer on its own. The readable loops below are the reference; the fast convolution must agree with them
// over odd shapes, and every backward kernel must agree with finite differences of its forward kernel.

import CKernels
import Foundation
import TestSupport
import Testing

@testable import Detector

/// A convolution as its definition says, in double: x [h][w][ci], weight [co][ky][kx][ci], result [oh][ow][co].
private func plainConvolution(_ x: [Float], _ weight: [Float], _ c: Convolution, height: Int, width: Int) -> [Double] {
  let outHeight = (height + 2 * c.padding - c.kernel) / c.stride + 1
  let outWidth = (width + 2 * c.padding - c.kernel) / c.stride + 1
  var result = [Double](repeating: 0, count: outHeight * outWidth * c.outputs)
  for oy in 0..<outHeight {
    for ox in 0..<outWidth {
      for o in 0..<c.outputs {
        var sum = 0.0
        for ky in 0..<c.kernel {
          for kx in 0..<c.kernel {
            let (y, x0) = (oy * c.stride + ky - c.padding, ox * c.stride + kx - c.padding)
            guard (0..<height).contains(y), (0..<width).contains(x0) else { continue }
            for i in 0..<c.inputs {
              sum += Double(x[(y * width + x0) * c.inputs + i]) * Double(weight[((o * c.kernel + ky) * c.kernel + kx) * c.inputs + i])
            }
          }
        }
        result[(oy * outWidth + ox) * c.outputs + o] = sum
      }
    }
  }
  return result
}

@Suite struct GradientTests {
  struct Shape: CustomTestStringConvertible {
    let kernel: Int, stride: Int, padding: Int, inputs: Int, outputs: Int, height: Int, width: Int
    var testDescription: String { "\(kernel)x\(kernel)/\(stride) \(inputs)->\(outputs) \(height)x\(width)" }
    var convolution: Convolution {
      Convolution(
        name: "test", inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: padding, norm: nil)
    }
  }

  static let shapes = [
    Shape(kernel: 6, stride: 2, padding: 2, inputs: 3, outputs: 8, height: 12, width: 18),
    Shape(kernel: 6, stride: 2, padding: 2, inputs: 3, outputs: 16, height: 4, width: 6),
    Shape(kernel: 3, stride: 1, padding: 1, inputs: 8, outputs: 8, height: 1, width: 1),
    Shape(kernel: 3, stride: 1, padding: 1, inputs: 8, outputs: 24, height: 5, width: 7),
    Shape(kernel: 3, stride: 1, padding: 1, inputs: 16, outputs: 16, height: 13, width: 9),
    Shape(kernel: 3, stride: 1, padding: 1, inputs: 40, outputs: 32, height: 6, width: 11),
    Shape(kernel: 3, stride: 2, padding: 1, inputs: 8, outputs: 16, height: 2, width: 2),
    Shape(kernel: 3, stride: 2, padding: 1, inputs: 24, outputs: 48, height: 10, width: 6),
    Shape(kernel: 1, stride: 1, padding: 0, inputs: 8, outputs: 24, height: 3, width: 5),
    Shape(kernel: 1, stride: 1, padding: 0, inputs: 48, outputs: 21, height: 7, width: 2),
    // For the direct kernels: runs that are no multiple of 16, several blocks, lines that wait for the next block, borders wider than
    // the image, every remainder by the stride.
    Shape(kernel: 6, stride: 2, padding: 2, inputs: 3, outputs: 32, height: 44, width: 50),
    Shape(kernel: 3, stride: 1, padding: 1, inputs: 16, outputs: 16, height: 1, width: 1),
    Shape(kernel: 3, stride: 1, padding: 1, inputs: 32, outputs: 48, height: 29, width: 31),
    Shape(kernel: 3, stride: 2, padding: 1, inputs: 16, outputs: 32, height: 46, width: 38),
    Shape(kernel: 3, stride: 2, padding: 1, inputs: 16, outputs: 16, height: 7, width: 9),
    Shape(kernel: 5, stride: 1, padding: 2, inputs: 16, outputs: 16, height: 3, width: 20),
    Shape(kernel: 4, stride: 3, padding: 1, inputs: 16, outputs: 16, height: 16, width: 13),
    Shape(kernel: 1, stride: 1, padding: 0, inputs: 48, outputs: 80, height: 19, width: 17),
    Shape(kernel: 1, stride: 1, padding: 0, inputs: 20, outputs: 16, height: 9, width: 9),
  ]

  /// Patches and OpenBLAS, and every direct path that this machine has.
  static let paths: [DirectPath?] = [nil] + DirectPath.allCases.filter(\.isAvailable)

  @Test(arguments: shapes, paths)
  func fastConvolutionMatchesTheDefinition(shape: Shape, path: DirectPath?) {
    var generator = TestSupport.SeededGenerator(seed: 11)
    let c = shape.convolution
    let images = 3
    let x = randomFloats(images * shape.height * shape.width * c.inputs, &generator)
    let weight = randomFloats(c.outputs * c.patch, &generator)
    for threads in [1, 2] {
      let single = SingleConvolution(c, images: images, height: shape.height, width: shape.width, threads: threads, path: path)
      let fast = single.forward(x, weight)
      var worst = 0.0
      let size = shape.height * shape.width * c.inputs
      for image in 0..<images {
        let plain = plainConvolution(
          Array(x[(image * size)..<((image + 1) * size)]), weight, c, height: shape.height, width: shape.width)
        for (index, value) in plain.enumerated() { worst = max(worst, abs(value - Double(fast[image * plain.count + index]))) }
      }
      #expect(worst < 1e-4, "\(threads) threads: largest difference \(worst)")
    }
  }

  /// The convolution is linear in input and weights, so <dy, conv(x, w)> has exact derivatives: compare the gradients with
  /// the plain loops applied to unit vectors, i.e. <dw, w'> = <dy, conv(x, w')> and <dx, x'> = <dy, conv(x', w)>.
  @Test(arguments: shapes, paths)
  func convolutionGradientsMatchTheDefinition(shape: Shape, path: DirectPath?) {
    var generator = TestSupport.SeededGenerator(seed: 12)
    let c = shape.convolution
    let images = 3
    let size = shape.height * shape.width * c.inputs
    let x = randomFloats(images * size, &generator)
    let weight = randomFloats(c.outputs * c.patch, &generator)
    func product(_ dy: [Float], _ x: [Float], _ weight: [Float]) -> Double {
      (0..<images).reduce(0) { total, image in
        let plain = plainConvolution(
          Array(x[(image * size)..<((image + 1) * size)]), weight, c, height: shape.height, width: shape.width)
        return total + plain.enumerated().reduce(0) { $0 + $1.element * Double(dy[image * plain.count + $1.offset]) }
      }
    }
    for threads in [1, 2] {
      let single = SingleConvolution(c, images: images, height: shape.height, width: shape.width, threads: threads, path: path)
      let dy = randomFloats(single.outputCount, &generator)
      let (dx, dw) = single.backward(x, weight, dy)
      for _ in 0..<4 {
        let otherX = randomFloats(x.count, &generator)
        let otherWeight = randomFloats(weight.count, &generator)
        let byInput = zip(dx, otherX).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let byWeight = zip(dw, otherWeight).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let scale = Double(dy.count).squareRoot() * Double(c.patch).squareRoot()
        #expect(abs(byInput - product(dy, otherX, weight)) < 1e-5 * scale, "input, \(threads) threads")
        #expect(abs(byWeight - product(dy, x, otherWeight)) < 1e-5 * scale, "weight, \(threads) threads")
      }
    }
  }

  @Test(arguments: [8, 16, 24, 40])
  func normAndActivationMatchDoubles(channels: Int) {
    var generator = TestSupport.SeededGenerator(seed: 13)
    let rows = 201
    let y = randomFloats(rows * channels, &generator).map { $0 * 3 }
    let dz = randomFloats(rows * channels, &generator)
    let gamma = randomFloats(channels, &generator).map { $0 + 2 }
    let beta = randomFloats(channels, &generator)
    // z of the whole norm as a function of y, gamma and beta, in double.
    func objective(_ y: [Double], _ gamma: [Double], _ beta: [Double]) -> Double {
      var total = 0.0
      for channel in 0..<channels {
        let column = (0..<rows).map { y[$0 * channels + channel] }
        let mean = column.reduce(0, +) / Double(rows)
        let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows)
        for row in 0..<rows {
          let u = gamma[channel] * (column[row] - mean) / (variance + NormConstants.standard.epsilon).squareRoot() + beta[channel]
          total += u / (1 + exp(-u)) * Double(dz[row * channels + channel])
        }
      }
      return total
    }
    let fast = normBackward(y, dz, gamma, beta, rows: rows, channels: channels)
    let (dy, dg, db) = (y.map(Double.init), gamma.map(Double.init), beta.map(Double.init))
    let h = 1e-5
    func slope(_ change: (Double) -> Double) -> Double { (change(h) - change(-h)) / (2 * h) }
    for index in stride(from: 0, to: y.count, by: 97) {
      let expected = slope { step in
        var moved = dy
        moved[index] += step
        return objective(moved, dg, db)
      }
      #expect(abs(expected - Double(fast.dy[index])) < 2e-5, "y[\(index)]")
    }
    for channel in 0..<channels {
      let byGamma = slope { step in
        var moved = dg
        moved[channel] += step
        return objective(dy, moved, db)
      }
      let byBeta = slope { step in
        var moved = db
        moved[channel] += step
        return objective(dy, dg, moved)
      }
      #expect(abs(byGamma - fast.gamma[channel]) < 1e-4 * max(1, abs(byGamma)))
      #expect(abs(byBeta - fast.beta[channel]) < 1e-4 * max(1, abs(byBeta)))
    }
  }

  @Test func activationIsAccurateOverTheWholeRange() {
    let values = stride(from: Float(-120), through: 120, by: 0.01).map { $0 }
    let rows = values.count / 8
    let y = Array(values[..<(rows * 8)])
    var z = [Float](repeating: 0, count: y.count)
    let one = [Float](repeating: 1, count: 8)
    let zero = [Float](repeating: 0, count: 8)
    tk_norm_silu(y, rows, 8, one, zero, &z, 8, nil, 0)
    for (value, result) in zip(y, z) {
      let exact = Double(value) / (1 + exp(-Double(value)))
      #expect(abs(Double(result) - exact) <= 4e-7 * max(abs(exact), 1e-30) + 1e-30 || value < -80, "silu(\(value)) = \(result)")
    }
    #expect(z.allSatisfy { $0.isFinite })
  }

  @Test(arguments: [(1, 1), (2, 3), (5, 4), (7, 9)])
  func poolingMatchesTheDefinition(size: (Int, Int)) {
    let (height, width) = size
    let channels = 8
    var generator = TestSupport.SeededGenerator(seed: 14)
    // Few distinct values, so that ties occur: the first in scan order gets the gradient.
    let x = (0..<(height * width * channels)).map { _ in Float(Int.random(in: 0...3, using: &generator)) }
    let dz = randomFloats(x.count, &generator)
    var z = x
    var places = [Int32](repeating: -1, count: x.count)
    tk_max_pool(x, channels, height, width, channels, &z, channels, &places)
    var dx = [Float](repeating: 0, count: x.count)
    tk_max_pool_backward(dz, channels, places, height * width, channels, &dx, channels)
    var expected = [Float](repeating: 0, count: x.count)
    for y in 0..<height {
      for column in 0..<width {
        for channel in 0..<channels {
          var best = (-Float.infinity, 0)
          for iy in max(0, y - 2)...min(height - 1, y + 2) {
            for ix in max(0, column - 2)...min(width - 1, column + 2) {
              let index = (iy * width + ix) * channels + channel
              if x[index] > best.0 { best = (x[index], index) }
            }
          }
          let here = (y * width + column) * channels + channel
          #expect(z[here] == best.0)
          expected[best.1] += dz[here]
        }
      }
    }
    #expect(largestDifference(dx, expected) < 1e-5)
  }

  @Test func doublingAndItsTransposeAgree() {
    var generator = TestSupport.SeededGenerator(seed: 15)
    let (height, width, channels) = (3, 2, 8)
    let x = randomFloats(height * width * channels, &generator)
    let dz = randomFloats(x.count * 4, &generator)
    var z = [Float](repeating: 0, count: x.count * 4)
    tk_upsample(x, channels, height, width, channels, &z, channels)
    for y in 0..<(2 * height) {
      for column in 0..<(2 * width) {
        for channel in 0..<channels {
          #expect(z[(y * 2 * width + column) * channels + channel] == x[(y / 2 * width + column / 2) * channels + channel])
        }
      }
    }
    var dx = [Float](repeating: 0, count: x.count)
    tk_upsample_backward(dz, channels, height, width, channels, &dx, channels)
    let forward = zip(z, dz).reduce(0.0) { $0 + Double($1.0 * $1.1) }
    let backward = zip(x, dx).reduce(0.0) { $0 + Double($1.0 * $1.1) }
    #expect(abs(forward - backward) < 1e-4)
  }

  private func normBackward(
    _ y: [Float], _ dz: [Float], _ gamma: [Float], _ beta: [Float], rows: Int, channels: Int
  ) -> (dy: [Float], gamma: [Double], beta: [Double]) {
    let zero = [Float](repeating: 0, count: channels)
    var sum = [Double](repeating: 0, count: channels)
    var squares = sum
    tk_channel_sums(y, rows, channels, zero, &sum, &squares)
    let count = Double(rows)
    let mean = sum.map { $0 / count }
    let inverse = zip(squares, mean).map { 1 / ($0 / count - $1 * $1 + NormConstants.standard.epsilon).squareRoot() }
    let factor = zip(gamma, inverse).map { Double($0) * $1 }
    let offset = (0..<channels).map { Float(Double(beta[$0]) - mean[$0] * factor[$0]) }
    var du = y
    var first = [Double](repeating: 0, count: channels)
    var second = first
    tk_norm_silu_backward(
      y, dz, channels, rows, channels, factor.map { Float($0) }, offset, mean.map { Float($0) }, &du, &first, &second)
    let b = (0..<channels).map { Float(-factor[$0] * inverse[$0] * inverse[$0] * second[$0] / count) }
    let c = (0..<channels).map { Float(-factor[$0] * first[$0] / count) }
    var dy = du
    tk_norm_backward(du, y, rows, channels, factor.map { Float($0) }, b, c, mean.map { Float($0) }, &dy)
    return (dy, zip(second, inverse).map { $0 * $1 }, first)
  }
}
