// Validation: batches of similar shapes, boxes brought back to the images' own pixels, and refusals.

import Testing

@testable import Detector

@Suite struct TrainingValidationTests {
  @Test func batchesAreAsSmallAsTheirShapesAllow() {
    // Landscape 160x120, square, portrait 120x160: sorted from flat to tall.
    let plan = ValidationPlan(sizes: [(160, 160), (160, 120), (120, 160), (160, 120)], imageSize: 160, batchSize: 2)
    #expect(plan.batches.map(\.images) == [[1, 3], [0, 2]])
    // 120 / 32 = 3.75, half a stride of margin: 5 strides; 160 / 32 = 5 becomes 6.
    #expect(plan.batches.map(\.height) == [160, 192])
    #expect(plan.batches.map(\.width) == [192, 192])
  }

  @Test func everyImageIsInOneBatch() {
    let sizes = (1...37).map { (width: 40 + $0 * 7 % 90, height: 40 + $0 * 13 % 90) }
    let plan = ValidationPlan(sizes: sizes, imageSize: 96, batchSize: 8)
    #expect(plan.batches.flatMap(\.images).sorted() == Array(0..<37))
    #expect(plan.batches.allSatisfy { $0.width.isMultiple(of: 32) && $0.height.isMultiple(of: 32) && $0.width >= 32 })
  }

  /// One image of 100 x 50 pixels in an input twice as large, shifted.
  private struct OneImage: ValidationSource {
    var imageCount = 1
    var classCount = 2
    func size(of image: Int) -> (width: Int, height: Int) { (100, 50) }
    func labels(of image: Int) -> [Target] { [Target(image: 0, classIndex: 1, x: 0.5, y: 0.5, w: 0.2, h: 0.4)] }
    func letterboxed(_ image: Int, width: Int, height: Int) -> LetterboxedImage {
      LetterboxedImage(
        pixels: [Float](repeating: 0.5, count: width * height * 3), scale: SIMD2(1.28, 1.28), padding: SIMD2(16, 16))
    }
  }

  @Test func untrainedWeightsScoreNearZeroAndStayAsTheyAre() throws {
    let network = Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2), seed: 3, threads: 1)
    let before = network.safetensors().serialise()
    let outcome = try Validation(source: OneImage(), imageSize: 128, batchSize: 4).run(network)
    #expect(outcome.images == 1)
    #expect(outcome.scores.classes.map(\.classIndex) == [1])
    #expect(outcome.scores.map50 < 0.5)
    #expect(outcome.boxLoss > 0 && outcome.objectnessLoss > 0)
    #expect(network.safetensors().serialise() == before)
  }

  @Test func emptyOrForeignDataIsRefused() throws {
    var empty = OneImage()
    empty.imageCount = 0
    #expect(throws: TrainingError.self) { try Validation(source: empty, imageSize: 128, batchSize: 4) }
    var foreign = OneImage()
    foreign.classCount = 5
    let network = Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2), seed: 3, threads: 1)
    #expect(throws: TrainingError.self) { try Validation(source: foreign, imageSize: 128, batchSize: 4).run(network) }
  }

  @Test(arguments: [(0, 4), (100, 4), (8192, 4), (128, 0), (128, 100_000)]) func impossibleSizesAreRefused(size: Int, batch: Int) {
    #expect(throws: TrainingError.self) { try Validation(source: OneImage(), imageSize: size, batchSize: batch) }
  }
}
