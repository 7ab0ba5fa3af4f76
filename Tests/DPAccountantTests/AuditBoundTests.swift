// The tail of right guesses and the bounds from it against multi-precision arithmetic and against programs that reach the tail
// (spec/14-auditing.md).
import Foundation
import Testing

@testable import DPAccountant

@Suite struct AuditBoundTests {
  @Test("[AU-04] the tail is that of exact arithmetic, rounded up") func tails() throws {
    let vectors = try AuditVectors.load()
    try #require(vectors.tail.count >= 300)
    for row in vectors.tail {
      let (published, tight) = (number(row.published), number(row.tight))
      for (tail, exact) in [(AuditTail.published, min(0, max(published, tight))), (.tight, min(0, tight))] {
        let value = try logProbability(row, tail)
        #expect(value >= exact.nextDown && value <= 0, "\(row), \(tail): \(value) for \(exact)")
        #expect(value <= exact + 1e-9 * (1 + abs(exact)), "\(row), \(tail): \(value) for \(exact)")
      }
    }
  }

  private func logProbability(_ row: AuditVectors.Tail, _ tail: AuditTail) throws -> Double {
    let (epsilon, delta) = (number(row.epsilon), number(row.delta))
    return try OneRunAudit.logProbability(
      canaries: row.canaries, guesses: row.guesses, correct: row.correct, epsilon: epsilon, delta: delta, tail: tail)
  }

  @Test("[AU-05] a bound is never above the exact one, and hardly below it") func bounds() throws {
    let vectors = try AuditVectors.load()
    try #require(vectors.bound.count >= 250)
    for row in vectors.bound {
      for (tail, text) in [(AuditTail.published, row.published), (.tight, row.tight)] {
        let search = AuditSearch(
          canaries: row.canaries, delta: number(row.delta), confidence: number(row.confidence), tests: row.tests, tail: tail)
        let (bound, possible) = search.bounds(guesses: row.guesses, correct: row.correct)
        let exact = number(text)
        #expect(bound <= exact.nextUp && bound >= 0, "\(row), \(tail): \(bound) for \(exact)")
        #expect(bound >= exact - 1e-9 * max(1, exact), "\(row), \(tail): \(bound) for \(exact)")
        #expect(possible >= bound && (possible == bound || row.correct < row.guesses))
      }
    }
  }

  /// Figures that the paper prints: 0.673 in appendix D, and 2.675 in the text, where it cuts digits off.
  @Test("[AU-05] the paper's own figures") func figuresOfThePaper() throws {
    let first = try OneRunAudit(canaries: 1000, guesses: 100, correct: 75, delta: 1e-4)
    #expect((first.lowerBound * 1000).rounded() == 673)
    let second = try OneRunAudit(canaries: 100_000, guesses: 1510, correct: 1439, delta: 1e-5)
    #expect((second.lowerBound * 1000).rounded(.down) == 2675)
  }

  /// For δ = 0 a bound by hand: v = r is refuted where q^r ≤ 1 − confidence.
  @Test("[AU-05] all right without delta", arguments: [1, 5, 14, 100, 1000, 100_000, 1_000_000]) func allRight(_ guesses: Int) throws {
    let audit = try OneRunAudit(canaries: guesses, guesses: guesses, correct: guesses, delta: 0)
    let right = exp(log(0.05) / Double(guesses))
    let exact = max(0, log(right / (1 - right)))
    #expect(abs(audit.lowerBound - exact) < 1e-9 && audit.lowerBound == audit.largestPossible, "\(audit.lowerBound) for \(exact)")
  }

  /// The δ of the extremal programs by brute force over all answers, all changes of one membership, and the tail that they reach.
  @Test("[AU-04] programs that reach the tail", arguments: [1, 2, 4, 6]) func extremalPrograms(_ m: Int) throws {
    for v in 1...m {
      for (epsilon, share) in [(0.0, 0.01), (0, 0.99), (0.7, 0.3), (2, 0.1), (2, 0.99), (5, 0.5)] {
        let program = ExtremalProgram(canaries: m, correct: v, epsilon: epsilon, share: share)
        let answers = program.answers
        #expect(abs(answers.reduce(0, +) - 1) < 1e-12)
        var delta = 0.0
        for change in (0..<m).map({ 1 << $0 }) {
          let excess = answers.indices.reduce(0) { $0 + max(0, answers[$1] - exp(epsilon) * answers[$1 ^ change]) }
          delta = max(delta, excess)
        }
        #expect(abs(delta - program.delta) < 1e-12, "\(m), \(v), \(epsilon), \(share)")
        let probability = program.counts[v...].reduce(0, +)
        func value(_ tail: AuditTail) throws -> Double {
          exp(try OneRunAudit.logProbability(canaries: m, guesses: m, correct: v, epsilon: epsilon, delta: program.delta, tail: tail))
        }
        #expect(abs(try value(.tight) - probability) < 1e-9, "\(m), \(v), \(epsilon), \(share)")
        // The formula of the literature alone would be too small for some of them.
        #expect(try value(.published) >= probability - 1e-12)
      }
    }
  }

  /// Exact shares, not drawn ones: each extremal program is audited, the error added up over all outcomes.
  @Test("[AU-05] no program is accused more often than stated", arguments: [1, 3, 8, 20], AuditTail.allCases)
  func errorIsBounded(_ m: Int, _ tail: AuditTail) throws {
    var largest = 0.0
    for (epsilon, share, confidence) in [(0.0, 0.02, 0.95), (0.5, 0.003, 0.95), (0.5, 0.05, 0.9), (2, 0.01, 0.95), (2, 0.3, 0.6)] {
      for v in 1...m {
        let program = ExtremalProgram(canaries: m, correct: v, epsilon: epsilon, share: share)
        let search = AuditSearch(canaries: m, delta: program.delta, confidence: confidence, tests: 1, tail: tail)
        let accused = (0...m).filter { search.bounds(guesses: m, correct: $0).shown > epsilon }
        let error = accused.reduce(0) { $0 + program.counts[$1] }
        #expect(error <= (1 - confidence) * (1 + 1e-9), "\(m), \(v), epsilon \(epsilon): \(error)")
        largest = max(largest, error / (1 - confidence))
      }
    }
    #expect(m < 8 || largest > 0.5, "the test's programs are far from the limit: \(largest)")
  }

  @Test("[AU-05] bounds grow with what was right and fall with delta, confidence and canaries", arguments: AuditTail.allCases)
  func monotony(_ tail: AuditTail) throws {
    func bound(_ m: Int, _ r: Int, _ v: Int, _ delta: Double, _ confidence: Double = 0.95) throws -> Double {
      try OneRunAudit(canaries: m, guesses: r, correct: v, delta: delta, confidence: confidence, tail: tail).lowerBound
    }
    for (m, r) in [(40, 40), (300, 60), (1000, 500)] {
      for delta in [0, 1e-6, 1e-4] {
        let bounds = try (0...r).map { try bound(m, r, $0, delta) }
        #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(bounds[0] == 0 && bounds[r / 2] == 0 && bounds[r] > 1.5)
        #expect(try bound(m, r, r, delta * 2 + 1e-4) < bounds[r])
        #expect(try bound(m, r, r, delta, 0.96) < bounds[r])
        #expect(try delta == 0 || bound(2 * m, r, r, delta) < bounds[r])
        let tight = try OneRunAudit(canaries: m, guesses: r, correct: r - r / 8, delta: delta, tail: .tight)
        #expect(try bound(m, r, r - r / 8, delta) <= tight.lowerBound)
      }
    }
  }
}
