// One step whose noise the sites share (spec/13, "The form distributed"): the sum of its clipped gradients, and no step of an optimiser.
// Invariant: which images take part, how they are changed and how gradients are rounded come from the operating system's generator.

import DPAccountant
import Safetensors

extension TrainingRun {
  /// The sum over a fresh sample of the images, in the order of the flat vector and padded to whole blocks.
  /// - Parameters:
  ///   - layout: of the weights that the network holds.
  ///   - onImages: called with how many images of the step are done, after each piece of it.
  /// - Throws: `TrainingError` where the run asks for no shared gradients, or for others than the layout has.
  func sumOfGradients(layout: WeightsLayout, onImages: (EpochReport) throws -> Void) throws -> [Int64] {
    guard let shared = options.sharedGradients else {
      throw TrainingError(
        .badJob, "the job asks for no sum of gradients", hint: "give it kind gradient_sum and privacy of form distributed")
    }
    let sum = try SharedGradientSum(shared, network: network, parameters: optimizer.moving, layout: layout)
    let pieces = drawn(steps: 1, rate: shared.samplingRate)
    let loader = Prefetcher(count: pieces.count, workers: options.workers) { [source] index in
      pieces[index].images.map { image in try? source.example(image: image.number, seed: image.seed) }
    }
    defer { loader.stop() }
    let settings = schedule.settings(iteration: 0, epoch: 0)
    var sums = EpochSums()
    while let examples = try loader.next() {
      for example in examples { learn(example, &sums, settings) { sum.add() } }
    }
    network.zeroGradients()
    try onImages(sums.report(epoch: 0))
    return sum.sums
  }
}
