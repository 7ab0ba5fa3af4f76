// Which images come in which batch. Everything follows from the seed and the epoch, so loaders on any thread agree.

/// The batches of each epoch: a permutation fixed by the seed, one order for all epochs, or draws by weight.
struct BatchPlan: Sendable {
  let images: Int
  let batchSize: Int
  let seed: UInt64
  /// Every epoch's order; nil: shuffled.
  var fixedOrder: [Int]?
  /// Chances of the images where an epoch draws them with repetition; nil: each comes once.
  var weights: [Double]?

  init(images: Int, batchSize: Int, seed: UInt64, fixedOrder: [Int]? = nil, weights: [Double]? = nil) {
    precondition(images > 0 && batchSize > 0 && fixedOrder?.count ?? images == images && weights?.count ?? images == images)
    (self.images, self.batchSize, self.seed) = (images, batchSize, seed)
    (self.fixedOrder, self.weights) = (fixedOrder, weights)
  }

  /// Image numbers of an epoch.
  func order(epoch: Int) -> [Int] {
    if let weights { return Self.drawn(weights, seed: seed, epoch: epoch) }
    if let fixedOrder { return fixedOrder }
    var generator = SampleRandom(seed: seed, stream: 0x6F72_6465_72, UInt64(epoch))
    return Array(0..<images).shuffled(using: &generator)
  }

  /// Image numbers of a batch.
  func images(epoch: Int, batch: Int) -> [Int] { part(order(epoch: epoch), batch: batch) }

  /// A batch of an epoch's order.
  func part(_ order: [Int], batch: Int) -> [Int] {
    let start = batch * batchSize
    return Array(order[start..<min(start + batchSize, images)])
  }

  /// As many draws as there are images, each by its weight; uniform where no weight is positive.
  private static func drawn(_ weights: [Double], seed: UInt64, epoch: Int) -> [Int] {
    var sums: [Double] = []
    sums.reserveCapacity(weights.count)
    var total = 0.0
    for weight in weights {
      total += max(weight, 0)
      sums.append(total)
    }
    var random = SampleRandom(seed: seed, stream: 0x7765_6967_6874, UInt64(epoch))
    return weights.indices.map { _ in
      guard total > 0 else { return random.integer(below: weights.count) }
      let point = random.uniform(0, total)
      // First position whose sum exceeds the point: an image without weight is never it.
      var (low, high) = (0, sums.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if sums[middle] > point { high = middle } else { low = middle + 1 }
      }
      return low
    }
  }
}

/// How much an epoch prefers each image (YOLOv5's image weights): objects of rare classes, and of classes that are still found badly.
enum ImageWeights {
  /// - Parameters:
  ///   - classes: of each image's objects.
  ///   - scores: mean average precision by class, 0 to 1.
  static func of(_ classes: [[Int]], scores: [Double]) -> [Double] {
    var counts = [Double](repeating: 0, count: scores.count)
    for image in classes { for index in image { counts[index] += 1 } }
    let chances = zip(counts, scores).map { (1 - $1) * (1 - $1) / max($0, 1) }
    return classes.map { $0.reduce(0) { $0 + chances[$1] } }
  }
}
