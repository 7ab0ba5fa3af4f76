// What stands under the network: the choice of OpenBLAS kernels, the memory planner, and the worker pool.

import Synchronization
import TestSupport
import Testing

@testable import Detector

@Suite struct NetworkSetupTests {
  @Test(
    arguments: [
      (nil, "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH", "Cooperlake", true),
      (nil, "OpenBLAS 0.3.29  USE64BITINT", "COOPERLAKE", true),
      (nil, "OpenBLAS 0.3.30 DYNAMIC_ARCH", "Cooperlake", false),
      (nil, "OpenBLAS 0.4.0.dev DYNAMIC_ARCH", "Cooperlake", false),
      (nil, "OpenBLAS 0.3.21 DYNAMIC_ARCH", "Zen", false),
      (nil, "OpenBLAS 0.3.21 DYNAMIC_ARCH", "SkylakeX", false),
      ("Haswell", "OpenBLAS 0.3.21 DYNAMIC_ARCH", "Cooperlake", false),
      ("", "OpenBLAS 0.3.21 DYNAMIC_ARCH", "Cooperlake", false),
      (nil, "OpenBLAS", "Cooperlake", false), (nil, "", "Cooperlake", false), (nil, "Other 0.3.1 x", "Cooperlake", false),
    ] as [(String?, String, String, Bool)])
  func kernelsAreReplacedOnlyWhereNeeded(coreType: String?, configuration: String, chosen: String, expected: Bool) {
    #expect(BLASSetup.needsOtherKernels(coreType: coreType, configuration: configuration, chosen: chosen) == expected)
  }

  @Test func productsOfThisMachineAreRight() { #expect(BLASSetup.productsAreRight()) }

  @Test func blocksThatLiveTogetherDoNotOverlap() {
    var generator = TestSupport.SeededGenerator(seed: 21)
    for _ in 0..<50 {
      var allocator = LifetimeAllocator()
      var blocks: [(range: Range<Int>, life: ClosedRange<Int>)] = []
      for _ in 0..<30 {
        let count = Int.random(in: 0...200, using: &generator)
        let start = Int.random(in: 0...20, using: &generator)
        let life = start...(start + Int.random(in: 0...6, using: &generator))
        let offset = allocator.place(count, life: life)
        #expect(offset.isMultiple(of: 16) && offset + count <= allocator.total)
        for other in blocks where other.life.overlaps(life) && count > 0 && !other.range.isEmpty {
          #expect(!other.range.overlaps(offset..<(offset + count)))
        }
        blocks.append((offset..<(offset + count), life))
      }
      #expect(allocator.total < blocks.reduce(0) { $0 + $1.range.count + 16 }, "memory is shared")
    }
  }

  @Test(arguments: [1, 2, 5])
  func everyShardRunsOnce(threads: Int) {
    let pool = WorkerPool(threads: threads)
    for shards in [0, 1, 2, 7, 1000] {
      let counts = (0..<shards).map { _ in Counter() }
      pool.run(shards) { counts[$0].value.wrappingAdd(1, ordering: .relaxed) }
      #expect(counts.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
    }
  }

  @Test func poolsSurviveManyShortRuns() {
    let pool = WorkerPool(threads: 3)
    let total = Counter()
    for _ in 0..<5000 { pool.run(3) { total.value.wrappingAdd($0, ordering: .relaxed) } }
    #expect(total.value.load(ordering: .relaxed) == 5000 * 3)
  }

  private final class Counter: Sendable { let value = Atomic<Int>(0) }

  @Test(arguments: [(1, 1), (3, 2), (7, 3), (2, 5), (0, 4)])
  func sharesCoverEverything(count: Int, parts: Int) {
    let ranges = (0..<parts).map { share($0, of: parts, count) }
    #expect(ranges.flatMap { Array($0) } == Array(0..<count))
  }
}
