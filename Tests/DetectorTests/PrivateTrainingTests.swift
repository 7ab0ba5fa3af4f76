// Training with privacy for single images (spec/13-record-privacy.md): what one image can add to a step, that the noise is there, and that
// nothing else of the images decides anything.

import DPAccountant
import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

/// Squares on grey, or images whose gradients are anything but tame.
private struct OddSource: TrainingSource {
  struct Broken: Error {}
  var imageCount = 6
  var classCount = 2
  /// Cannot be read.
  var broken: Set<Int> = []
  /// Give gradients that are not finite.
  var wild: Set<Int> = []

  func batch(images: [Int], epoch: Int) throws -> TrainingBatch { throw Broken() }

  func example(image: Int, seed: UInt64) throws -> TrainingBatch {
    guard !broken.contains(image) else { throw Broken() }
    let side = 64
    let value: Float = wild.contains(image) ? .infinity : Float(image + 1) / 8
    let pixels = (0..<side * side * 3).map { $0 % (3 * side) < 90 + 6 * image ? value : 0.3 }
    let target = Target(image: 0, classIndex: image % 2, x: 0.3, y: 0.4, w: 0.4, h: 0.3)
    return TrainingBatch(images: ImageBatch(count: 1, height: side, width: side, pixels: pixels), targets: [target])
  }
}

@Suite struct PrivateTrainingTests {
  private static let spec: ModelSpec = {
    var spec = ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2)
    spec.norm = .group
    return spec
  }()

  private func options(_ privacy: RecordPrivacy, epochs: Int = 1) -> TrainingOptions {
    var options = TrainingOptions()
    options.imageSize = 64
    options.batchSize = 4
    options.epochs = epochs
    options.isAugmented = false
    options.norm = .group
    options.threads = 1
    options.privacy = privacy
    options.hyper.warmupEpochs = 0
    return options
  }

  private func network() -> Network { Network(spec: Self.spec, seed: 5, threads: 1) }

  private func privacy(clip: Double = 1, multiplier: Double = 0.01, rate: Double = 1, lot: Int = 4) -> RecordPrivacy {
    RecordPrivacy(clip: clip, noiseMultiplier: multiplier, samplingRate: rate, lotSize: lot)
  }

  /// A network's gradient, set to `value` of each position, and the sum over it.
  private func sum(_ network: Network, _ privacy: RecordPrivacy) throws -> GradientSum {
    try GradientSum(privacy, network: network, parameters: network.parameters)
  }

  private func gradient(_ network: Network, _ value: (Int) -> Float) {
    var position = 0
    for parameter in network.parameters {
      for index in parameter.gradient.indices {
        parameter.gradient[index] = value(position)
        position += 1
      }
    }
  }

  private func values(_ network: Network) -> [Float] { network.parameters.flatMap { Array($0.gradient) } }

  /// Gradients that floating point measures badly: huge, tiny, one large among small ones, all equal.
  static let shapes: [(name: String, value: @Sendable (Int) -> Float)] = [
    ("equal", { _ in 0.7 }), ("huge", { _ in 1e18 }), ("tiny", { $0 % 3 == 0 ? 1e-30 : -2e-30 }),
    ("one", { $0 == 17 ? -5e7 : 1e-3 }), ("ramp", { Float($0 % 1001) - 500 }), ("within", { _ in 1e-7 }),
    ("beyond the norm's range", { $0 < 2 ? 3e38 : 0 }), ("below the norm's range", { $0 < 2 ? 1e-44 : 0 }),
  ]

  @Test("[RP-03] one image's whole numbers have a norm of at most the grid's", arguments: shapes.indices)
  func sensitivity(index: Int) throws {
    let network = network()
    let privacy = privacy(clip: 0.5, multiplier: 0.01)
    let sum = try sum(network, privacy)
    gradient(network, Self.shapes[index].value)
    sum.add(clip: 0.5)
    let total = sum.wholeNumbers.reduce(0) { $0 + $1 * $1 }
    #expect(total <= RecordMechanism.resolution * RecordMechanism.resolution, "\(Self.shapes[index].name)")
    // What is beyond the clip fills it, less what truncation takes; what is within it keeps its length.
    let norm = values(network).reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    if norm > 0.5, norm < 1e19, Self.shapes[index].name != "one" {
      #expect(Double(total).squareRoot() > 0.99 * Double(RecordMechanism.resolution), "\(Self.shapes[index].name)")
    }
  }

  @Test("[RP-04] a gradient that is not finite is the zero vector", arguments: [Float.nan, .infinity, -.infinity])
  func notFinite(value: Float) throws {
    let network = network()
    let sum = try sum(network, privacy())
    gradient(network) { $0 == 99 ? value : 1 }
    sum.add(clip: 1)
    #expect(sum.wholeNumbers.allSatisfy { $0 == 0 })
  }

  @Test(
    "[RP-06] [RP-07] what is released is the sum with noise of the stated size, over the lot, and another each time", arguments: [1, 3])
  func release(threads: Int) throws {
    let network = Network(spec: Self.spec, seed: 5, threads: threads)
    let privacy = privacy(clip: 2, multiplier: 1.5, lot: 8)
    let sum = try sum(network, privacy)
    func released() -> [Double] {
      gradient(network) { _ in 0.25 }
      sum.add(clip: 2)
      sum.add(clip: 2)
      #expect(sum.release(clip: 2, lotSize: 8) == 2)
      #expect(sum.wholeNumbers.allSatisfy { $0 == 0 })
      return values(network).map(Double.init)
    }
    let (first, second) = (released(), released())
    #expect(first != second)
    let count = Double(first.count)
    // Two gradients of norm 2, the clip, all values equal; noise of 1.5 times the clip, over 8.
    let (mean, deviation) = (2 * 2 / count.squareRoot() / 8, 1.5 * 2 / 8)
    for found in [first, second] {
      let average = found.reduce(0, +) / count
      let spread = (found.reduce(0) { $0 + ($1 - average) * ($1 - average) } / count).squareRoot()
      #expect(abs(average - mean) < 5 * deviation / count.squareRoot())
      #expect(abs(spread / deviation - 1) < 5 / (2 * count).squareRoot())
    }
    // Noise of one step says nothing of the next, nor one value's of another's.
    let product = zip(first, second).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) } / count / (deviation * deviation)
    #expect(abs(product) < 5 / count.squareRoot())
    let neighbours = zip(first, first.dropFirst()).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) } / count / (deviation * deviation)
    #expect(abs(neighbours) < 5 / count.squareRoot())
  }

  @Test("[RP-05] the clip follows its quantile", arguments: [0.25, 0.5, 0.8]) func clipFollows(quantile: Double) throws {
    let network = network()
    var privacy = privacy(clip: 50, multiplier: 0.1, lot: 20)
    privacy.clipQuantile = quantile
    let sum = try sum(network, privacy)
    var clip = privacy.clip
    // Norms 0.1 to 2, twenty of them: one is between two of them at every quantile.
    let scale = Double(network.parameterCount).squareRoot()
    for _ in 0..<150 {
      for image in 1...20 {
        gradient(network) { _ in Float(Double(image) / 10 / scale) }
        sum.add(clip: clip)
      }
      clip = sum.release(clip: clip, lotSize: 20)
    }
    #expect(abs(clip / (2 * quantile) - 1) < 0.25)
  }

  @Test("[RP-02] what mixes images is refused") func whatMixesImages() throws {
    func refused(_ edit: (inout TrainingOptions) -> Void) {
      var options = options(privacy())
      edit(&options)
      #expect(throws: TrainingError.self) { try options.validate() }
    }
    #expect(throws: Never.self) { try options(privacy()).validate() }
    refused { $0.norm = .batch }
    refused { $0.isAugmented = true }
    refused { ($0.isAugmented, $0.hyper.mosaic, $0.hyper.mixup) = (true, 0, 0.1) }
    refused { $0.isImageWeighted = true }
    refused { $0.isRectangular = true }
    refused { $0.isMultiScale = true }
    refused { $0.privacy?.clip = 0 }
    refused { $0.privacy?.lotSize = 0 }
    var settings = TrainingSettings(data: "data.yaml")
    settings.options = options(privacy())
    #expect(throws: TrainingError.self) { try settings.validate() }
    settings.fitsAnchors = false
    #expect(throws: Never.self) { try settings.validate() }
    for (multiplier, rate) in [(0.0, 0.1), (2000, 0.1), (1, 0), (1, 2)] {
      #expect(throws: TrainingError.self) { try sum(network(), privacy(multiplier: multiplier, rate: rate)) }
    }
  }

  /// With next to no noise and every image in every step, a run is full-batch descent with clipped gradients: the same weights come out of
  /// the plain computation.
  @Test("[RP-01] [RP-03] [RP-07] next to no noise gives clipped gradient descent") func againstTheReference() throws {
    let source = OddSource()
    let privacy = privacy(clip: 0.7, multiplier: 0.01, lot: 1_000_000)
    var options = options(privacy, epochs: 2)
    options.hyper.learningRate = 0.5
    options.hyper.finalRateFraction = 1
    let run = try TrainingRun(network: network(), source: source, options: options, keepsAverage: false)
    try run.train(epochs: 2) { _ in }

    let reference = network()
    let loss = DetectionLoss(classes: 2, anchors: reference.anchors, hyper: options.hyper, imageSize: 64)
    let optimizer = Optimizer(network: reference, weightDecay: options.hyper.weightDecay)
    optimizer.gradientNormMax = .infinity
    for epoch in 0..<2 {
      var total = [Double](repeating: 0, count: reference.parameterCount)
      for image in 0..<source.imageCount {
        let example = try source.example(image: image, seed: 0)
        reference.zeroGradients()
        reference.backward(loss.evaluate(maps: reference.forward(example.images, training: true), targets: example.targets).gradients)
        let found = values(reference).map(Double.init)
        let factor = min(1, 0.7 / found.reduce(0) { $0 + $1 * $1 }.squareRoot())
        for index in total.indices { total[index] += found[index] * factor }
      }
      gradient(reference) { Float(total[$0] / 1_000_000) }
      optimizer.step(.init(biasRate: 0.5, rate: 0.5, momentum: options.hyper.momentum))
      _ = epoch
    }
    for (mine, theirs) in zip(run.network.parameters, reference.parameters) {
      let difference = zip(mine.values(), theirs.values()).reduce(0) { max($0, abs($1.0 - $1.1)) }
      // Noise of a hundredth of the clip over the lot, and truncation.
      #expect(difference < 5e-7, "\(mine.name)")
    }
  }

  @Test("[RP-04] images that cannot be read, or explode, change nothing else", arguments: [Set([0, 3]), Set(0..<6)])
  func faultyImages(faulty: Set<Int>) throws {
    for source in [OddSource(broken: faulty), OddSource(wild: faulty)] {
      let run = try TrainingRun(network: network(), source: source, options: options(privacy()), keepsAverage: false)
      var reports: [EpochReport] = []
      try run.train(epochs: 1) { reports.append($0) }
      #expect(reports.count == 1 && reports[0].images == 6 - faulty.count)
      for parameter in run.network.parameters { #expect(parameter.values().allSatisfy { $0.isFinite }) }
    }
  }

  @Test("[RP-01] a run without images takes its steps, and no two runs draw the same") func noImages() throws {
    func weights(_ count: Int) throws -> [UInt8] {
      let run = try TrainingRun(
        network: network(), source: OddSource(imageCount: count), options: options(privacy(multiplier: 1, rate: 0.25)), keepsAverage: false)
      var batches = 0
      try run.train(epochs: 1, onBatch: { batches = $0.done }, onEpoch: { _ in })
      #expect(run.batchesPerEpoch == 4 && batches == 4)
      return run.network.safetensors().serialise()
    }
    #expect(try weights(0) != weights(0))
    #expect(try weights(6) != weights(6))
  }

  @Test("the audit's canaries are told apart where there is little noise, and not where there is much")
  func canaries() throws {
    func correct(_ multiplier: Double) throws -> Double {
      let network = network()
      let sum = try sum(network, privacy(multiplier: multiplier, rate: 0.5))
      let canaries = GradientCanaries(count: 400, dimension: network.parameterCount)
      sum.canaries = canaries
      for _ in 0..<8 { _ = sum.release(clip: 1, lotSize: 4) }
      return Double(canaries.canaries.count { ($0.score > 0) == $0.isIn }) / 400
    }
    #expect(try correct(0.05) > 0.98)
    #expect(try abs(correct(500) - 0.5) < 0.15)
  }

  @Test("an audit of noise that is smaller than what is accounted contradicts the account, of honest noise it does not")
  func auditOfOurselves() throws {
    func lowerBound(_ multiplier: Double) throws -> Double {
      let network = network()
      let sum = try sum(network, privacy(multiplier: multiplier, rate: 1))
      let canaries = GradientCanaries(count: 1000, dimension: network.parameterCount)
      sum.canaries = canaries
      for _ in 0..<4 { _ = sum.release(clip: 1, lotSize: 4) }
      return try OneRunAudit(canaries: canaries.canaries.map { ($0.score, $0.isIn) }, delta: 1e-5, confidence: 0.99).lowerBound
    }
    let claim = try RecordMechanism(samplingRate: 1, noiseMultiplier: 8, dimension: 1).epsilon(steps: 4, delta: 1e-5)
    #expect(claim < 2.5)
    #expect(try lowerBound(8) <= claim)
    // A tenth of the noise that is accounted.
    #expect(try lowerBound(0.8) > claim)
  }

  // MARK: files

  @Test("[RP-04] a data set with faulty labels, or none, is trained on") func faultyLabels() throws {
    try withTemporaryFolder { folder in
      let data = try TinyDataset(folder: "\(folder)/data", training: 6, validation: 3)
      try "nonsense".write(toFile: data.labels("train", 2), atomically: true, encoding: .utf8)
      try Data([1, 2, 3]).write(to: URL(fileURLWithPath: data.image("train", 4)))
      #expect(throws: DataError.self) { try Dataset(yaml: data.yaml, split: .train) }
      #expect(try Dataset(yaml: data.yaml, split: .train, leavesOutFaulty: true).count == 5)
      let source = try DatasetTrainingSource(data: data.yaml, options: options(privacy()))
      #expect(source.imageCount == 5)
      let run = try TrainingRun(network: network(), source: source, options: options(privacy()), keepsAverage: false)
      var images = 0
      try run.train(epochs: 1) { images = $0.images }
      #expect(images == 4)
      for index in 0..<6 { try FileManager.default.removeItem(atPath: data.image("train", index)) }
      #expect(try DatasetTrainingSource(data: data.yaml, options: options(privacy())).imageCount == 0)
    }
  }

  @Test("[RP-02] an image's changes follow from the operating system's seed alone") func examples() throws {
    try withTemporaryFolder { folder in
      let data = try TinyDataset(folder: "\(folder)/data", training: 3, validation: 1)
      var options = options(privacy())
      options.isAugmented = true
      (options.hyper.mosaic, options.hyper.mixup) = (0, 0)
      func pixels(seed: UInt64, image: Int, _ number: UInt64) throws -> [Float] {
        options.seed = seed
        return try DatasetTrainingSource(data: data.yaml, options: options).example(image: image, seed: number).images.pixels
      }
      #expect(try pixels(seed: 1, image: 1, 5) == pixels(seed: 2, image: 1, 5))
      #expect(try pixels(seed: 1, image: 1, 5) != pixels(seed: 1, image: 1, 6))
      // The same picture under another number has the same changes.
      try FileManager.default.removeItem(atPath: data.image("train", 2))
      try FileManager.default.copyItem(atPath: data.image("train", 1), toPath: data.image("train", 2))
      #expect(try pixels(seed: 1, image: 1, 5) == pixels(seed: 1, image: 2, 5))
    }
  }

  @Test("[RP-08] a round tells how many steps it noised, and keeps its clip") func aRound() throws {
    try withTemporaryFolder { folder in
      let site = try TrainingRoundTests.Site(
        folder,
        more: """
          , "norm": "frozen", "privacy": {"unit": "record", "form": "local", "clip": 1.5, "clip_quantile": 0.5, "noise_multiplier": 1,
          "sampling_rate": 0.3, "lot_size": 2}
          """)
      let report = try site.run()
      #expect(report.noisedSteps == 4)
      let state = try SafetensorsFile.read(path: "\(site.data.folder)/momenta")
      let clip = try #require(state.metadata["clip"].flatMap(Double.init))
      #expect(clip > 0 && clip != 1.5)
      let given = try SafetensorsFile.read(path: "\(site.job)/weights.safetensors")
      let result = try SafetensorsFile.read(path: "\(site.job)/result.safetensors")
      let (before, after) = try (WeightsLayout(given).flatten(given), WeightsLayout(given).flatten(result))
      #expect(before.parameters != after.parameters && before.statistics == after.statistics)
    }
  }

  @Test func jobsAreReadStrictly() throws {
    for more in [
      ", \"norm\": \"frozen\", \"privacy\": {}",
      ", \"privacy\": {\"unit\": \"record\", \"form\": \"local\", \"clip\": 1, \"noise_multiplier\": 1, \"sampling_rate\": 0.3}",
      ", \"norm\": \"frozen\", \"privacy\": {\"unit\": \"site\", \"form\": \"local\", \"clip\": 1, \"noise_multiplier\": 1, \"sampling_rate\": 0.3}",
      ", \"norm\": \"frozen\", \"privacy\": {\"unit\": \"record\", \"form\": \"local\", \"clip\": 1, \"noise_multiplier\": 0, \"sampling_rate\": 0.3}",
      ", \"norm\": \"frozen\", \"privacy\": {\"unit\": \"record\", \"form\": \"local\", \"clip\": 1, \"noise_multiplier\": 1, \"sampling_rate\": 0.3, \"seed\": 1}",
    ] {
      try withTemporaryFolder { folder in
        let site = try TrainingRoundTests.Site(folder, more: more)
        let error = #expect(throws: TrainingError.self) { try site.run() }
        #expect(error?.code == .badJob && !site.hasResult)
      }
    }
  }
}
