// What an audit takes: [AU-06] of spec/14-auditing.md.

enum AuditRange {
  /// Canaries of a run, and so guesses: the arithmetic's error is small up to here.
  static let canariesMax = 1_000_000
  /// Guess counts that are tried.
  static let countsMax = 64

  static func check(canaries: Int) throws(AccountingError) {
    try require((0...canariesMax).contains(canaries), "an audit has 0 to 1000000 canaries")
  }

  static func checked(_ guesses: Int, of canaries: Int) throws(AccountingError) -> Int {
    try check(canaries: canaries)
    try require((0...canaries).contains(guesses), "there are 0 to \(canaries) guesses about \(canaries) canaries, not \(guesses)")
    return guesses
  }

  static func check(canaries: Int, guesses: Int, correct: Int, delta: Double) throws(AccountingError) {
    _ = try checked(guesses, of: canaries)
    try require((0...guesses).contains(correct), "of \(guesses) guesses 0 to \(guesses) are right, not \(correct)")
    try require(delta >= 0 && delta < 1, "an audit's delta lies in 0 ..< 1")
  }

  static func check(epsilon: Double) throws(AccountingError) {
    try require(epsilon >= 0 && epsilon <= 100, "an audited epsilon lies in 0 ... 100")
  }

  static func check(confidence: Double) throws(AccountingError) {
    try require(confidence >= 0.5 && confidence < 1, "an audit's confidence lies in 0.5 ..< 1")
  }

  static func check(guessCounts: [Int], of canaries: Int) throws(AccountingError) {
    try require((1...countsMax).contains(guessCounts.count), "an audit tries 1 to \(countsMax) guess counts")
    for count in guessCounts { _ = try checked(count, of: canaries) }
  }

  private static func require(_ holds: Bool, _ reason: String) throws(AccountingError) {
    guard holds else { throw AccountingError(.parameterOutOfRange, reason) }
  }
}
