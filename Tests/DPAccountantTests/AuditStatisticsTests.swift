// Audits of programs whose ε is known, with fixed seeds. A sound audit errs in at most 1 − confidence of the repetitions; a test fails
// where it erred in 5 standard deviations more, which a sound one does for one seed in ten thousand.
import Foundation
import TestSupport
import Testing

@testable import DPAccountant

@Suite struct AuditStatisticsTests {
  private static let canaries = 2000
  private static let repetitions = 400

  /// Each membership, told truly with probability 1/(1 + e^−ε): ε-differentially private, and all that the theorem allows.
  private static func randomisedResponse(_ epsilon: Double, _ generator: inout SeededGenerator, places: Bool) -> [ScoredCanary] {
    (0..<canaries).map { _ in
      let isIn = Bool.random(using: &generator)
      let isTrue = Double.random(in: 0..<1, using: &generator) < 1 / (1 + exp(-epsilon))
      let told = isIn == isTrue ? 1.0 : -1.0
      // A score that says how sure it is, at random: it ranks the canaries and knows nothing.
      return (places ? told * Double.random(in: 0.1...1, using: &generator) : told, isIn)
    }
  }

  private static func isWithin(_ failures: Int, _ share: Double) -> Bool {
    let n = Double(repetitions)
    return Double(failures) <= n * share + 5 * (n * share * (1 - share)).squareRoot()
  }

  @Test("[AU-01] randomised response is audited below its epsilon, and not far below", arguments: [0.5, 1, 2, 4], [0.95, 0.8])
  func randomisedResponse(_ epsilon: Double, _ confidence: Double) throws {
    var generator = SeededGenerator(seed: UInt64(epsilon * 100 + confidence * 10))
    var bounds: [Double] = []
    for repetition in 0..<Self.repetitions {
      let canaries = Self.randomisedResponse(epsilon, &generator, places: repetition % 2 == 0)
      bounds.append(try OneRunAudit(canaries: canaries, delta: 1e-9, confidence: confidence, guessCounts: [Self.canaries]).lowerBound)
    }
    let failures = bounds.count { $0 > epsilon }
    #expect(Self.isWithin(failures, 1 - confidence), "\(failures) of \(Self.repetitions)")
    let median = bounds.sorted()[Self.repetitions / 2]
    #expect(median > 0.6 * epsilon && median < epsilon, "\(median)")
  }

  /// The best of several counts, each with 95 % of its own, would err too often; with the correction it does not.
  @Test("[AU-03] the best of several guess counts stays within the stated confidence") func bestOfSeveral() throws {
    var generator = SeededGenerator(seed: 77)
    let counts = [2000, 1400, 1000, 700, 500, 350, 250, 175, 125, 90, 65, 45, 32, 24]
    var (corrected, naive, bounds) = (0, 0, [Double]())
    for _ in 0..<Self.repetitions {
      let canaries = Self.randomisedResponse(1, &generator, places: true)
      let audit = try OneRunAudit(canaries: canaries, delta: 0, guessCounts: counts)
      let alone = try counts.map { try OneRunAudit(canaries: canaries, delta: 0, guessCounts: [$0]).lowerBound }
      corrected += audit.lowerBound > 1 ? 1 : 0
      naive += alone.contains { $0 > 1 } ? 1 : 0
      bounds.append(audit.lowerBound)
    }
    #expect(Self.isWithin(corrected, 0.05), "\(corrected) of \(Self.repetitions)")
    #expect(!Self.isWithin(naive, 0.05), "\(naive) of \(Self.repetitions): the correction would not be needed")
    #expect(bounds.sorted()[Self.repetitions / 2] > 0.6)
  }

  /// A program that tells nothing at all. Numbers that were given after the memberships make ties tell them.
  @Test("[AU-01] memberships that are not drawn after the numbering refute the innocent") func numbersThatTell() throws {
    let sorted = (0..<Self.canaries).map { (score: 0.0, isIn: $0 < Self.canaries / 2) }
    #expect(try OneRunAudit(canaries: sorted, delta: 0).lowerBound > 5)
    var generator = SeededGenerator(seed: 3)
    var failures = 0
    for _ in 0..<Self.repetitions {
      let drawn = (0..<Self.canaries).map { _ in (score: 0.0, isIn: Bool.random(using: &generator)) }
      failures += try OneRunAudit(canaries: drawn, delta: 0).lowerBound > 0 ? 1 : 0
    }
    #expect(Self.isWithin(failures, 0.05), "\(failures) of \(Self.repetitions)")
  }
}
