// `secagg bench AREA`: how fast the hot paths are on this machine.

import ArgumentParser
import CommandLineKit
import Detector

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure how fast this machine is.",
    subcommands: [BenchTraining.self, BenchAggregation.self, BenchNoise.self, BenchPrivacy.self])
}

struct BenchTraining: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "training", abstract: "Time training steps of yolov5n on random images.")

  @Option(
    name: [.customLong("img"), .customLong("imgsz"), .customLong("img-size")],
    help: "Side of the input in pixels, a multiple of 32.")
  var imageSize = 320
  @Option(help: "Images in a batch.") var batchSize = 16
  @Option(help: "Threads.") var threads = 1
  @Option(help: "Timed steps.") var steps = 7
  @Flag(help: "Print the result as JSON on standard output.") var json = false

  func validate() throws {
    guard imageSize.isMultiple(of: 32), TrainingOptions.imageSizeRange.contains(imageSize) else {
      throw ValidationError("--img must be a multiple of 32 from 32 to 4096")
    }
    guard TrainingOptions.batchSizeRange.contains(batchSize), TrainingOptions.threadsRange.contains(threads),
      (1...1000).contains(steps)
    else { throw ValidationError("--batch-size, --threads or --steps is out of range") }
  }

  func run() throws {
    let result = TrainingBenchmark.run(size: imageSize, batch: batchSize, threads: threads, steps: steps)
    if json { return try JSONOutput.object(result) }
    let best = Text.fixed(result.imagesPerSecondBest, 1)
    let median = Text.fixed(result.imagesPerSecondMedian, 1)
    let kernels = (result.directKernels.map { "direct (\($0)), else " } ?? "") + "OpenBLAS (\(result.blasCore))"
    Output.line("\(result.model) \(imageSize) px, batch \(batchSize), \(threads) threads, kernels: \(kernels)")
    Output.line("best \(best) images/s, median \(median) images/s")
  }
}
