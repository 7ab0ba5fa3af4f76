// Shares of noise: every cohort up to eight sites, every number of colluders and dropouts, in exact fractions; and noise that is removed
// again, bit for bit.
import GMP
import Sodium
import Testing

@testable import DPAccountant

@Suite struct DistributedNoiseTests {
  private func seed(_ site: Int, _ component: Int) -> SecretBytes {
    SecretBytes(copying: [UInt8(site), UInt8(component)] + [UInt8](repeating: 7, count: 30))
  }

  /// [NS-30]
  @Test func survivorsHoldAtLeastTheAssuredVariance() throws {
    let variance = try Rational(decimal: "12345/67")
    for fewest in 1...8 {
      for colluders in 0..<fewest {
        for adversary in DistributedNoise.Adversary.allCases where max(colluders, adversary == .otherSites ? 1 : 0) < fewest {
          let noise = try DistributedNoise(
            assuredVariance: variance, survivorsMin: fewest, colluders: colluders, against: adversary)
          #expect(noise.known == (adversary == .server ? colluders : max(1, colluders)))
          #expect(try noise.unknownVariance(survivors: fewest) == variance)
          for survivors in fewest...9 {
            #expect(try noise.unknownVariance(survivors: survivors) >= variance)
            let rest = noise.localVariance * Rational(noise.known)
            #expect(try noise.totalVariance(survivors: survivors) == noise.unknownVariance(survivors: survivors) + rest)
          }
          #expect(throws: AccountingError.self) { _ = try noise.unknownVariance(survivors: fewest - 1) }
        }
      }
    }
  }

  /// [NS-30]
  @Test func sharesThatProtectNobodyAreRefused() {
    for (fewest, colluders, adversary) in [(3, 3, .server), (1, 0, .otherSites), (2, -1, .server), (0, 0, .server)]
      as [(Int, Int, DistributedNoise.Adversary)]
    {
      #expect(throws: AccountingError.self) {
        _ = try DistributedNoise(assuredVariance: Rational(4), survivorsMin: fewest, colluders: colluders, against: adversary)
      }
    }
    #expect(throws: AccountingError.self) {
      _ = try DistributedNoise(assuredVariance: Rational(0), survivorsMin: 5, colluders: 1, against: .server)
    }
  }

  /// [NS-31]
  @Test func whatIsLeftAfterAnyDropoutIsTheAssuredVarianceAndTheKnownSites() throws {
    let variance = Rational(1000)
    for (sites, fewest, known) in [(5, 3, 1), (6, 3, 2), (4, 4, 0), (7, 2, 1)] {
      let noise = try RemovableNoise(assuredVariance: variance, sites: sites, survivorsMin: fewest, known: known)
      #expect(noise.componentCount == sites - fewest + 1)
      for survivors in fewest...sites {
        let removed = try noise.removedComponents(survivors: survivors)
        let kept = (0..<removed.lowerBound).reduce(Rational(0)) { $0 + noise.variance(ofComponent: $1) }
        #expect(kept * Rational(survivors - known) == variance)
        #expect(try kept * Rational(survivors) == noise.remainingVariance(survivors: survivors))
      }
      for survivors in [fewest - 1, sites + 1] {
        #expect(throws: AccountingError.self) { _ = try noise.removedComponents(survivors: survivors) }
      }
    }
  }

  /// [NS-31] [NS-32]
  @Test func removalLeavesTheBitsOfTheKeptComponents() throws {
    let noise = try RemovableNoise(assuredVariance: Rational(1000), sites: 5, survivorsMin: 3, known: 1)
    let count = 2 * RemovableNoise.chunkCoordinates + 1000
    var sum = [Int64](repeating: 0, count: count)
    var kept = sum
    // Site 4 drops out: four survivors, one dropout, component 2 goes.
    #expect(try noise.removedComponents(survivors: 4) == 2..<3)
    for site in 0..<4 {
      for component in 0..<3 {
        try sum.withUnsafeMutableBufferPointer {
          try noise.apply(.add, component: component, seed: seed(site, component), to: $0)
        }
        guard component < 2 else { continue }
        try kept.withUnsafeMutableBufferPointer {
          try noise.apply(.add, component: component, seed: seed(site, component), to: $0)
        }
      }
    }
    #expect(sum != kept)
    for site in 0..<4 {
      // In pieces, the last one first: each chunk has a stream of its own.
      for start in [2, 0, 1].map({ $0 * RemovableNoise.chunkCoordinates }) {
        try sum.withUnsafeMutableBufferPointer { buffer in
          let piece = buffer[start..<min(start + RemovableNoise.chunkCoordinates, count)]
          try noise.apply(
            .remove, component: 2, seed: seed(site, 2), startingAt: start, to: UnsafeMutableBufferPointer(rebasing: piece))
        }
      }
    }
    #expect(sum == kept)
    // 4 · 1000/3 in each coordinate: five standard deviations of the mean square of 132,072 of them.
    let mean = kept.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(count)
    #expect(abs(mean / (4000.0 / 3) - 1) < 5 * (2 / Double(count)).squareRoot())
  }

  /// [NS-32]
  @Test func aSeedOfAnotherLengthIsRefused() throws {
    let noise = try RemovableNoise(assuredVariance: Rational(9), sites: 2, survivorsMin: 2, known: 0)
    var sum: [Int64] = [0]
    #expect(throws: SodiumError.self) {
      try sum.withUnsafeMutableBufferPointer { try noise.apply(.add, component: 0, seed: SecretBytes(count: 31), to: $0) }
    }
    #expect(throws: AccountingError.self) {
      _ = try RemovableNoise(assuredVariance: Rational(9), sites: 1000, survivorsMin: 900, known: 0)
    }
  }
}
