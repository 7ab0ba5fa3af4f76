// How fast one training step is: forward, a given gradient at the maps, backward, optimiser step, on random images. The
// yardstick that does the same is tools/bench/training/pytorch_step.py; compare the two side by side on one machine only.

import COpenBLAS

/// Times training steps of yolov5n with three classes.
public enum TrainingBenchmark {
  /// Times are per step of one batch.
  public struct Result: Sendable, Codable {
    public let model: String
    public let size: Int
    public let batch: Int
    public let threads: Int
    public let bestSeconds: Double
    public let medianSeconds: Double
    /// Parts of the fastest step.
    public let forwardSeconds: Double
    public let backwardSeconds: Double
    public let optimizerSeconds: Double
    public let imagesPerSecondBest: Double
    public let imagesPerSecondMedian: Double
    /// The direct convolution kernels, if the processor has any; the rest is OpenBLAS.
    public let directKernels: String?
    /// The core type whose kernels OpenBLAS chose.
    public let blasCore: String
  }

  /// - Parameters:
  ///   - size: height and width in pixels, a positive multiple of 32.
  ///   - steps: timed steps, after two that are not.
  public static func run(size: Int, batch: Int, threads: Int, steps: Int = 7) -> Result {
    precondition(size > 0 && size.isMultiple(of: ImageBatch.sizeMultiple) && batch > 0 && threads > 0 && steps > 0)
    let network = Network(spec: .yolov5n(classes: 3), seed: 1, threads: threads)
    let optimizer = Optimizer(network: network)
    var generator = WeightGenerator(seed: 2)
    let pixels = (0..<(batch * size * size * 3)).map { _ in generator.uniform() }
    let images = ImageBatch(count: batch, height: size, width: size, pixels: pixels)
    let gradients = network.forward(images, training: true).map { map in
      var gradient = map
      gradient.values = map.values.map { _ in (generator.uniform() - 0.5) * 3e-3 }
      return gradient
    }
    let clock = ContinuousClock()
    var timed: [(forward: Double, backward: Double, optimizer: Double)] = []
    for step in 0..<(steps + 2) {
      let start = clock.now
      network.zeroGradients()
      _ = network.forward(images, training: true)
      let forwarded = clock.now
      network.backward(gradients)
      let backwarded = clock.now
      optimizer.step(.init(biasRate: 1e-3, rate: 1e-3, momentum: 0.937))
      let end = clock.now
      if step < 2 { continue }
      timed.append((seconds(forwarded - start), seconds(backwarded - forwarded), seconds(end - backwarded)))
    }
    timed.sort { $0.forward + $0.backward + $0.optimizer < $1.forward + $1.backward + $1.optimizer }
    let best = timed[0]
    let middle = timed[timed.count / 2]
    let bestTotal = best.forward + best.backward + best.optimizer
    let medianTotal = middle.forward + middle.backward + middle.optimizer
    return Result(
      model: "yolov5n", size: size, batch: batch, threads: threads, bestSeconds: bestTotal, medianSeconds: medianTotal,
      forwardSeconds: best.forward, backwardSeconds: best.backward, optimizerSeconds: best.optimizer,
      imagesPerSecondBest: Double(batch) / bestTotal, imagesPerSecondMedian: Double(batch) / medianTotal,
      directKernels: DirectPath.best.map { "\($0)" }, blasCore: String(cString: openblas_get_corename()))
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}
