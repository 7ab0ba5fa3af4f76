// `secagg bench noise`: how fast exact noise is drawn, by one thread, with the randomness that production draws from.

import ArgumentParser
import CommandLineKit
import DPAccountant
import Foundation
import GMP
import Sodium

struct BenchNoise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "noise", abstract: "Time the exact samplers of discrete Gaussian and Skellam noise.")

  @Option(help: "Samples of each item.") var count = 1 << 24
  @Option(help: "Timed repetitions of each item; best and median are printed.") var runs = 5
  @Flag(help: "Print one JSON object an item on standard output.") var json = false

  func validate() throws {
    guard (1...1 << 30).contains(count), (1...100).contains(runs) else {
      throw ValidationError("--count is 1 to 2^30, --runs 1 to 100")
    }
  }

  struct Item: Encodable {
    let distribution: String
    let variance: String
    /// Building the table.
    let tableSeconds: Double
    let best: Double
    let median: Double

    enum CodingKeys: String, CodingKey {
      case distribution, variance
      case tableSeconds = "table_seconds"
      case best = "samples_per_second_best"
      case median = "samples_per_second_median"
    }
  }

  private static let variances = ["1/4", "16", "1000000", "1000000000000", "1152921504606846976"]

  func run() throws {
    for distribution in NoiseSampler.Distribution.allCases {
      for variance in BenchNoise.variances {
        let item = try measure(distribution, variance)
        if json {
          try JSONOutput.line(item)
        } else {
          let speed = "\(Text.fixed(item.best / 1e6, 1)) (median \(Text.fixed(item.median / 1e6, 1))) million samples/s"
          Output.line("\(item.distribution) \(item.variance): \(speed), table \(Text.fixed(item.tableSeconds * 1000, 1)) ms")
        }
      }
    }
  }

  private func measure(_ distribution: NoiseSampler.Distribution, _ variance: String) throws -> Item {
    let clock = ContinuousClock()
    let parameter = try Rational(decimal: variance)
    let start = clock.now
    let sampler = try NoiseSampler(distribution, variance: parameter)
    let table = start.duration(to: clock.now)
    var source = RandomStream()
    // A buffer that stays in the second-level cache.
    var buffer = [Int64](repeating: 0, count: min(count, 1 << 15))
    let speeds = buffer.withUnsafeMutableBufferPointer { buffer in
      (0..<runs).map { _ in
        let start = clock.now
        for done in stride(from: 0, to: count, by: buffer.count) {
          sampler.fill(UnsafeMutableBufferPointer(rebasing: buffer[..<min(buffer.count, count - done)]), from: &source)
        }
        return Double(count) / (start.duration(to: clock.now) / .seconds(1))
      }
    }.sorted()
    return Item(
      distribution: distribution.rawValue, variance: variance, tableSeconds: table / .seconds(1), best: speeds[runs - 1],
      median: speeds[runs / 2])
  }
}
