// Anchors that fit the labels (YOLOv5's auto-anchor): where too few boxes have an anchor of about their shape, k-means over widths and
// heights and then mutation by chance look for better ones. Everything random follows from the seed.

/// How well anchors fit boxes.
public struct AnchorFit: Equatable, Sendable {
  /// Share of the boxes that at least one anchor matches: what the network can find at best.
  public var recall: Double
  /// Anchors that match a box, on average.
  public var anchorsPerBox: Double

  /// - Parameters:
  ///   - boxes: widths and heights, in the unit of the anchors, positive.
  ///   - ratioMax: a box and an anchor match where neither side differs by this factor or more.
  public init(boxes: [SIMD2<Float>], anchors: [SIMD2<Float>], ratioMax: Double) {
    precondition(ratioMax > 1)
    let threshold = Float(1 / ratioMax)
    var (found, matches) = (0, 0)
    for box in boxes {
      let count = anchors.count { Self.agreement(box, $0) > threshold }
      found += count > 0 ? 1 : 0
      matches += count
    }
    recall = Double(found) / Double(max(boxes.count, 1))
    anchorsPerBox = Double(matches) / Double(max(boxes.count, 1))
  }

  /// The smaller of the two sides' ratios, each taken as at most 1.
  static func agreement(_ box: SIMD2<Float>, _ anchor: SIMD2<Float>) -> Float {
    let (wide, high) = (box.x / anchor.x, box.y / anchor.y)
    return min(min(wide, 1 / wide), min(high, 1 / high))
  }
}

/// Checks a network's anchors against labels, and fits new ones.
public struct AutoAnchor: Sendable {
  /// What came of a check.
  public struct Outcome: Equatable, Sendable {
    public var before: AnchorFit
    /// Of the anchors that were found; nil where none were looked for.
    public var after: AnchorFit?
    /// In pixels by level, where they are better; nil keeps the old ones.
    public var anchors: [[SIMD2<Float>]]?
    public var boxes: Int
  }

  /// Above this recall anchors are good enough.
  public static let recallEnough = 0.98
  private static let generations = 1000
  private static let smallestSide: Float = 2

  public let boxes: [SIMD2<Float>]
  private let checked: [SIMD2<Float>]
  private let ratioMax: Double
  private let seed: UInt64

  /// - Parameter sizes: native width and height by image.
  public init(dataset: Dataset, sizes: [(width: Int, height: Int)], imageSize: Int, ratioMax: Double, seed: UInt64) {
    precondition(sizes.count == dataset.count)
    var random = SampleRandom(seed: seed, stream: 0x616E_6368, 0)
    var (boxes, checked): ([SIMD2<Float>], [SIMD2<Float>]) = ([], [])
    for (labels, size) in zip(dataset.labels, sizes) {
      let scale = Float(imageSize) / Float(max(size.width, size.height))
      let side = SIMD2(Float(size.width), Float(size.height)) * scale
      // Training scales images at random; a little of that makes the check less sharp.
      let change = Float(random.uniform(0.9, 1.1))
      for label in labels {
        boxes.append(SIMD2(label.w, label.h) * side)
        checked.append(SIMD2(label.w, label.h) * side * change)
      }
    }
    self.init(boxes: boxes, checked: checked, ratioMax: ratioMax, seed: seed)
  }

  /// - Parameters:
  ///   - boxes: widths and heights in pixels of the network's input.
  ///   - checked: the same for the check of old and new anchors.
  init(boxes: [SIMD2<Float>], checked: [SIMD2<Float>], ratioMax: Double, seed: UInt64) {
    (self.boxes, self.checked, self.ratioMax, self.seed) = (boxes, checked, ratioMax, seed)
  }

  /// Checks `anchors` (pixels by level, as many a level).
  /// - Parameter isForced: fit new ones even if these are good enough.
  public func run(_ anchors: [[SIMD2<Float>]], isForced: Bool = false) -> Outcome {
    let old = anchors.flatMap { $0 }
    let before = AnchorFit(boxes: checked, anchors: old, ratioMax: ratioMax)
    var outcome = Outcome(before: before, boxes: boxes.count)
    guard isForced || before.recall <= Self.recallEnough, let found = fitted(count: old.count) else { return outcome }
    let after = AnchorFit(boxes: checked, anchors: found, ratioMax: ratioMax)
    outcome.after = after
    if after.recall > before.recall || (isForced && after.recall == before.recall) {
      var rest = found[...]
      outcome.anchors = anchors.map { level in
        defer { rest = rest.dropFirst(level.count) }
        return Array(rest.prefix(level.count))
      }
    }
    return outcome
  }

  /// `count` anchors, small to large; nil where there are fewer boxes than anchors.
  func fitted(count: Int) -> [SIMD2<Float>]? {
    let large = boxes.filter { $0.x >= Self.smallestSide || $0.y >= Self.smallestSide }
    guard count > 0, Set(large).count >= count else { return nil }
    var random = SampleRandom(seed: seed, stream: 0x616E_6368, 1)
    let start = BoxClusters(large, count: count, &random).centres
    return evolved(start, large, &random).sorted { $0.x * $0.y < $1.x * $1.y }
  }

  /// Mutates by factors around 1 and keeps what is fitter.
  private func evolved(_ start: [SIMD2<Float>], _ boxes: [SIMD2<Float>], _ random: inout SampleRandom) -> [SIMD2<Float>] {
    var best = start
    var bestFitness = fitness(best, boxes)
    for _ in 0..<Self.generations {
      var factors: [Float]
      repeat {
        // Each number changes with probability .9, by a normal number of a deviation that is drawn for all of them.
        let spread = random.uniform(0, 1) * 0.1
        factors = []
        for _ in 0..<(best.count * 2) {
          let isChanged = random.uniform(0, 1) < 0.9
          factors.append(isChanged ? Float(min(max(random.normal() * spread + 1, 0.3), 3)) : 1)
        }
      } while factors.allSatisfy { $0 == 1 }
      let mutated = best.indices.map { index in
        let anchor = best[index] * SIMD2(factors[2 * index], factors[2 * index + 1])
        return SIMD2(max(anchor.x, Self.smallestSide), max(anchor.y, Self.smallestSide))
      }
      let fitness = fitness(mutated, boxes)
      if fitness > bestFitness { (best, bestFitness) = (mutated, fitness) }
    }
    return best
  }

  /// Mean agreement of each box with its best anchor, boxes without a match counting 0.
  func fitness(_ anchors: [SIMD2<Float>], _ boxes: [SIMD2<Float>]) -> Double {
    let threshold = Float(1 / ratioMax)
    let inverses = anchors.map { SIMD2<Float>(1, 1) / $0 }
    var sum = 0.0
    boxes.withUnsafeBufferPointer { boxes in
      anchors.withUnsafeBufferPointer { anchors in
        inverses.withUnsafeBufferPointer { inverses in
          for box in boxes {
            let inverse = SIMD2<Float>(1, 1) / box
            var best: Float = 0
            for index in anchors.indices {
              let ratios = pointwiseMin(box * inverses[index], anchors[index] * inverse)
              best = max(best, min(ratios.x, ratios.y))
            }
            if best > threshold { sum += Double(best) }
          }
        }
      }
    }
    return sum / Double(max(boxes.count, 1))
  }
}
