// Guesses who took part, made from scores alone (spec/14-auditing.md, "Guesses"): the memberships are not here, so that nothing of them
// can leak into a guess, not through ties either.

/// r guesses about m canaries: the highest scores are guessed in, the lowest out, those between not at all.
public struct MembershipGuesses: Equatable, Sendable {
  /// Numbers of the canaries that are guessed in, the highest score first: ⌈r/2⌉ of them.
  public let guessedIn: [Int]
  /// Numbers of the canaries that are guessed out, the lowest score first: ⌊r/2⌋ of them.
  public let guessedOut: [Int]
  /// m.
  public let canaries: Int

  /// - Parameters:
  ///   - scores: one for each canary, higher where it rather took part; of equal scores the one with the lower number counts as higher.
  ///     Canaries MUST have been numbered before their memberships were drawn: with all that took part in front, ties would tell.
  ///   - guesses: r, fixed before the memberships were known.
  /// - Throws: `.parameterOutOfRange` unless 0 ≤ guesses ≤ the number of scores ≤ 10^6, or for a score that is not a number.
  public init(scores: [Double], guesses: Int) throws(AccountingError) {
    self.init(order: try MembershipGuesses.order(scores), guesses: try AuditRange.checked(guesses, of: scores.count))
  }

  init(order: [Int], guesses: Int) {
    let out = guesses / 2
    guessedIn = Array(order.prefix(guesses - out))
    guessedOut = Array(order.suffix(out).reversed())
    canaries = order.count
  }

  /// Numbers by falling score.
  static func order(_ scores: [Double]) throws(AccountingError) -> [Int] {
    try AuditRange.check(canaries: scores.count)
    guard !scores.contains(where: \.isNaN) else { throw AccountingError(.parameterOutOfRange, "a canary's score is a number") }
    return scores.indices.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }
  }

  /// v, how many guesses are right.
  /// - Parameter isIn: for each canary whether it took part.
  /// - Precondition: one value for each canary.
  public func correct(_ isIn: [Bool]) -> Int {
    precondition(isIn.count == canaries, "every canary has a membership")
    return guessedIn.count { isIn[$0] } + guessedOut.count { !isIn[$0] }
  }
}
