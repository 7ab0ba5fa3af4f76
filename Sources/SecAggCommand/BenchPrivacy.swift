// `secagg bench privacy`: how long the accountants take, each question asked of a fresh account on one thread.

import ArgumentParser
import CommandLineKit
import DPAccountant
import Foundation

struct BenchPrivacy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "privacy", abstract: "Time the accountants of differential privacy.",
    discussion: "`make bench-privacy` sets the figures beside those of dp-accounting and OpenDP, measured in the same run.")

  @Option(help: "Timed repetitions of each item; best and median are printed.") var runs = 5
  @Flag(help: "Print one JSON object an item on standard output.") var json = false

  func validate() throws {
    guard (1...100).contains(runs) else { throw ValidationError("--runs is 1 to 100") }
  }

  struct Item: Encodable {
    let item: String
    /// The ε or the noise multiplier that was found.
    let result: Double
    /// Of one question.
    let best: Double
    let median: Double
    let runs: Int

    enum CodingKeys: String, CodingKey {
      case item, result, runs
      case best = "seconds_best"
      case median = "seconds"
    }
  }

  /// 10,000 steps at a rate of 0.01, as in tools/bench/privacy/dp_accounting_side.py.
  private static func steps(_ noiseMultiplier: Double) -> NoiseEvent {
    .repeated(.poissonSampled(samplingRate: 0.01, .gaussian(noiseMultiplier: noiseMultiplier)), count: 10_000)
  }

  func run() throws {
    try show("epsilon", repetitions: 1_000) {
      var accountant = try RenyiAccountant()
      try accountant.compose(BenchPrivacy.steps(1.1))
      return try accountant.epsilon(delta: 1e-5).epsilon
    }
    try show("calibration", repetitions: 50) {
      try Calibration.noiseMultiplier(epsilon: 2, delta: 1e-5, BenchPrivacy.steps)
    }
    for (item, noise, delta) in [("pld", 1.1, 1e-5), ("pld small delta", 1, 1e-8)] {
      try show(item, repetitions: 1) {
        var accountant = try PLDAccountant(lossInterval: 1e-4)
        try accountant.compose(BenchPrivacy.steps(noise))
        return try accountant.epsilon(delta: delta).epsilon
      }
    }
  }

  private func show(_ name: String, repetitions: Int, _ question: () throws -> Double) throws {
    let clock = ContinuousClock()
    var result = try question()
    var seconds: [Double] = []
    for _ in 0..<runs {
      let start = clock.now
      for _ in 0..<repetitions { result = try question() }
      seconds.append(start.duration(to: clock.now) / .seconds(1) / Double(repetitions))
    }
    seconds.sort()
    let item = Item(item: name, result: result, best: seconds[0], median: seconds[runs / 2], runs: runs)
    if json { return try JSONOutput.line(item) }
    Output.line("\(name): \(Text.fixed(item.median * 1e3, 3)) ms (best \(Text.fixed(item.best * 1e3, 3)) ms), result \(item.result)")
  }
}
