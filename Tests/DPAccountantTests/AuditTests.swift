// Guesses from scores, several guess counts, what is refused, what a report has: spec/14-auditing.md.
import Foundation
import TestSupport
import Testing

@testable import DPAccountant

@Suite struct AuditTests {
  @Test("[AU-02] the highest scores are in, the lowest out, of equal ones the lower number is higher") func guesses() throws {
    let scores = [0.5, -1, 2, 0.5, .infinity, 0.5, -.infinity, 0]
    let all = try MembershipGuesses(scores: scores, guesses: 8)
    #expect(all.guessedIn == [4, 2, 0, 3] && all.guessedOut == [6, 1, 7, 5])
    let odd = try MembershipGuesses(scores: scores, guesses: 5)
    #expect(odd.guessedIn == [4, 2, 0] && odd.guessedOut == [6, 1])
    let none = try MembershipGuesses(scores: scores, guesses: 0)
    #expect(none.guessedIn.isEmpty && none.guessedOut.isEmpty && none.canaries == 8)
    let tied = try MembershipGuesses(scores: [0, -0.0, 0, -0.0, 0], guesses: 3)
    #expect(tied.guessedIn == [0, 1] && tied.guessedOut == [4])
  }

  @Test("[AU-02] right guesses are counted against a naïve model") func naiveCount() throws {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<200 {
      let m = Int.random(in: 1...30, using: &generator)
      // Few different scores, so that most are tied.
      let canaries = (0..<m).map { _ in (score: Double(Int.random(in: 0...4, using: &generator)), isIn: Bool.random(using: &generator)) }
      let r = Int.random(in: 0...m, using: &generator)
      let guesses = try MembershipGuesses(scores: canaries.map(\.score), guesses: r)
      let correct = guesses.correct(canaries.map(\.isIn))
      // Each canary's place, counted from the top.
      let places = (0..<m).map { one in
        (0..<m).count { canaries[$0].score > canaries[one].score || (canaries[$0].score == canaries[one].score && $0 < one) }
      }
      let naive = (0..<m).count { (places[$0] < r - r / 2 && canaries[$0].isIn) || (places[$0] >= m - r / 2 && !canaries[$0].isIn) }
      #expect(correct == naive)
      #expect(guesses.correct(canaries.map { !$0.isIn }) == r - correct)
      #expect(try OneRunAudit(canaries: canaries, delta: 1e-3, guessCounts: [r]).correct == correct)
    }
  }

  @Test("[AU-03] several guess counts share what may go wrong, and the best one is reported") func severalCounts() throws {
    var generator = SeededGenerator(seed: 2)
    let canaries = (0..<400).map { _ in
      let isIn = Bool.random(using: &generator)
      return (score: Double.random(in: 0...1, using: &generator) + (isIn ? 0.6 : 0), isIn: isIn)
    }
    let counts = [400, 200, 100, 50, 20]
    let audit = try OneRunAudit(canaries: canaries, delta: 1e-5, guessCounts: counts)
    let single = try counts.map { try OneRunAudit(canaries: canaries, delta: 1e-5, confidence: 0.99, guessCounts: [$0]) }
    let best = try #require(single.max { $0.lowerBound < $1.lowerBound })
    #expect(abs(audit.lowerBound - best.lowerBound) < 1e-12 && audit.lowerBound > 1)
    #expect(audit.guesses == best.guesses && audit.correct == best.correct && audit.canaries == 400)
    #expect(abs(audit.largestPossible - (single.map(\.largestPossible).max() ?? 0)) < 1e-12)
    #expect(audit.confidence == 0.95 && audit.guessCounts == counts && audit.delta == 1e-5 && audit.tail == .published)
    let alone = try OneRunAudit(canaries: canaries, delta: 1e-5, guessCounts: [audit.guesses])
    #expect(alone.lowerBound > audit.lowerBound, "a count that was fixed alone shows more")
  }

  @Test("[AU-03] the usual guess counts depend on the number of canaries alone") func usualCounts() {
    #expect(OneRunAudit.guessCounts(canaries: 2000) == [2000, 1000, 500, 250, 125, 62])
    #expect(OneRunAudit.guessCounts(canaries: 100) == [100, 50, 25])
    #expect(OneRunAudit.guessCounts(canaries: 31) == [31])
    #expect(OneRunAudit.guessCounts(canaries: 0) == [0])
  }

  @Test("[AU-06] nothing guessed, nothing right, no canaries: nothing shown") func nothing() throws {
    let empty = try OneRunAudit(canaries: [], delta: 0)
    #expect(empty.lowerBound == 0 && empty.largestPossible == 0 && empty.canaries == 0 && empty.guesses == 0 && empty.correct == 0)
    for (m, r, v, delta) in [(0, 0, 0, 0.5), (9, 0, 0, 0), (50, 50, 0, 0), (50, 50, 25, 0), (50, 50, 50, 0.5), (50, 50, 50, 1 - 1e-16)] {
      let audit = try OneRunAudit(canaries: m, guesses: r, correct: v, delta: delta)
      #expect(audit.lowerBound == 0, "\(m), \(r), \(v), \(delta)")
      #expect(audit.largestPossible == 0 || (v < r && delta == 0))
    }
    // The smallest δ costs hardly anything.
    let none = try OneRunAudit(canaries: 50, guesses: 50, correct: 50, delta: 0).lowerBound
    let least = try OneRunAudit(canaries: 50, guesses: 50, correct: 50, delta: .leastNonzeroMagnitude).lowerBound
    #expect(none > 2.7 && abs(none - least) < 1e-9)
  }

  @Test("[AU-06] what is out of range is refused") func refusals() {
    func refuses(_ body: () throws -> OneRunAudit) {
      #expect { try body() } throws: { ($0 as? AccountingError)?.code == .parameterOutOfRange }
    }
    for (m, r, v) in [(10, 11, 5), (10, 5, 6), (10, -1, 0), (10, 5, -1), (-1, 0, 0), (1_000_001, 10, 5), (.max, .max, .max), (.min, 0, 0)] {
      refuses { try OneRunAudit(canaries: m, guesses: r, correct: v, delta: 0) }
    }
    for delta in [-1e-9, 1, 2, .nan, .infinity, -.infinity] as [Double] {
      refuses { try OneRunAudit(canaries: 10, guesses: 5, correct: 5, delta: delta) }
      refuses { try OneRunAudit(canaries: [(1, true)], delta: delta) }
    }
    for confidence in [0.49, 1, -1, 1.5, .nan, .infinity] as [Double] {
      refuses { try OneRunAudit(canaries: 10, guesses: 5, correct: 5, delta: 0, confidence: confidence) }
      refuses { try OneRunAudit(canaries: [(1, true)], delta: 0, confidence: confidence) }
    }
    for counts in [[], [3], [2, -1], [Int](repeating: 1, count: 65)] {
      refuses { try OneRunAudit(canaries: [(1, true), (0, false)], delta: 0, guessCounts: counts) }
    }
    refuses { try OneRunAudit(canaries: [(1, true), (.nan, false)], delta: 0) }
    #expect(throws: AccountingError.self) { try MembershipGuesses(scores: [1, 2], guesses: 3) }
    #expect(throws: AccountingError.self) { try MembershipGuesses(scores: [1, .nan], guesses: 0) }
    for epsilon in [-1, 101, .nan, .infinity] as [Double] {
      #expect(throws: AccountingError.self) {
        try OneRunAudit.logProbability(canaries: 9, guesses: 9, correct: 9, epsilon: epsilon, delta: 0)
      }
    }
  }

  @Test(
    "[AU-07] a lower bound is printed rounded down",
    arguments: [
      (0.0, "0"), (1, "1"), (0.1, "0.1"), (1.0 / 3, "0.333333"), (2.0 / 3, "0.666666"), (2.999_999_9, "2.99999"),
      (1_234_567, "1234560"), (0.7, "0.699999"), (8.652404983982091e-3, "0.0086524"), (1e-9, "0.000000001"), (.infinity, "infinity"),
    ] as [(Double, String)])
  func textIsNeverAboveTheValue(_ value: Double, _ text: String) throws {
    #expect(DecimalText.roundedDown(value) == text)
    if value.isFinite { #expect(try fraction(text).doubleRoundedUp <= value) }
  }
}
