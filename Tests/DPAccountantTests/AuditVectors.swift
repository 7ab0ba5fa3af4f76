// The file Vectors/audit.json, made by tools/reference/audit_bounds.py, as Swift values; and programs whose tail is known exactly.
import Foundation
import TestSupport

@testable import DPAccountant

struct AuditVectors: Decodable {
  struct Tail: Decodable, CustomStringConvertible {
    let canaries: Int, guesses: Int, correct: Int, epsilon: String, delta: String, published: String, tight: String
    var description: String { "\(correct) of \(guesses) right, \(canaries) canaries, epsilon \(epsilon), delta \(delta)" }
  }
  struct Bound: Decodable, CustomStringConvertible {
    let canaries: Int, guesses: Int, correct: Int, delta: String, confidence: String, tests: Int, published: String, tight: String
    var description: String { "\(correct) of \(guesses) right, \(canaries) canaries, delta \(delta), \(confidence), \(tests) tests" }
  }

  let tail: [Tail]
  let bound: [Bound]

  static func load() throws -> AuditVectors {
    try JSONDecoder().decode(AuditVectors.self, from: Data(contentsOf: URL(fileURLWithPath: vectorPath("audit.json"))))
  }
}

/// The program of spec/14, "No smaller tail": it guesses about all m canaries, and the number of right guesses is binomial, with the
/// probabilities of v and more right ones raised by one factor and the others lowered by one.
struct ExtremalProgram {
  /// P[K = k], k = 0 … m.
  let counts: [Double]
  /// The program is (ε, δ)-differentially private with this δ and no smaller one.
  let delta: Double

  /// - Parameter share: how far the others are lowered: 1 leaves nothing of them.
  init(canaries m: Int, correct v: Int, epsilon: Double, share: Double) {
    let right = 1 / (1 + exp(-epsilon))
    var masses = [pow(1 - right, Double(m))]
    for k in 1...m { masses.append(masses[k - 1] * exp(epsilon) * Double(m - k + 1) / Double(k)) }
    let above = masses[v...].reduce(0, +)
    counts = masses.enumerated().map { $1 * ($0 < v ? 1 - share : share / above + (1 - share)) }
    delta = Double(v) * masses[v] * share / above / Double(m)
  }

  /// The probability of each answer, as bits, to memberships that are all 0; to others, that of the answer's difference to them.
  var answers: [Double] {
    let m = counts.count - 1
    let choices = (0...m).map { k in (0..<k).reduce(1.0) { $0 * Double(m - $1) / Double($1 + 1) } }
    return (0..<1 << m).map { (answer: Int) in counts[m - answer.nonzeroBitCount] / choices[answer.nonzeroBitCount] }
  }
}
