// The job's account on the server (spec/12-noised-rounds.md): an attempt that would exceed the job's epsilon does not begin, and a sum is
// paid for, durably, before any site is asked for what opens it. What was paid for counts, released or not.
import Federation
import SecAgg

extension RoundDriver {
  /// What the job has spent so far; nil for a job without noise.
  var epsilonSpent: Double? { setup.plan.privacy.map { PrivacyAccount.epsilon(journal.charges, delta: $0.delta) } }

  /// - Throws: `.budgetSpent` where the attempt's sum would cost more than the job may spend.
  func requireBudget(_ attempt: RunningAttempt) throws(CoordinatorError) {
    guard let privacy = setup.plan.privacy else { return }
    guard !isPaid(attempt) else { return }
    guard let charge = setup.plan.charge(for: attempt.plan) else {
      throw CoordinatorError(.badJob, "a noised job with a plan without noise", hint: "report this as a bug")
    }
    guard PrivacyAccount.epsilon(journal.charges + [charge], delta: privacy.delta) <= privacy.epsilon else {
      throw CoordinatorError(
        .budgetSpent,
        "round \(round) would exceed epsilon \(privacy.epsilon) at delta \(privacy.delta); \(journal.charges.count) sums are paid for",
        hint: "attempts that failed after the inputs came cost as much as those that gave a sum; the last weights are in \(weights.path)")
    }
  }

  /// Pays for an attempt once its survivors are known.
  /// - Returns: whether its actions may be carried out; otherwise the job has ended.
  func pay(for attempt: RunningAttempt, before actions: [ServerAction]) -> Bool {
    guard setup.plan.privacy != nil, !attempt.isCharged, !isPaid(attempt), actions.contains(where: Self.opensSum) else { return true }
    guard let charge = setup.plan.charge(for: attempt.plan) else { return false }
    do {
      try journal.record(.charged(round: attempt.plan.round, attempt: attempt.plan.attempt, charge: charge))
    } catch {
      end(.failed(error))
      return false
    }
    attempt.isCharged = true
    return true
  }

  /// Takes back what an attempt was charged, where evidence shows that none of its inputs can be opened by anybody (RF-03, RF-04).
  func refund(_ verdict: Verdict, _ attempt: RunningAttempt) throws(CoordinatorError) {
    guard verdict.claim == .unopened, verdict.culprit == nil, verdict.context == attempt.context,
      let charge = journal.charge(round: verdict.round, attempt: verdict.attempt), !charge.isOfTraining
    else { return }
    try journal.record(.refunded(round: verdict.round, attempt: verdict.attempt))
    logger.notice("round \(verdict.round) attempt \(verdict.attempt): its charge is taken back, nobody can open its inputs")
  }

  /// Whether an earlier attempt of the round paid: with privacy by record sites send the result of one training again. A site that had to
  /// train again pays once more, on its own account.
  private func isPaid(_ attempt: RunningAttempt) -> Bool {
    setup.plan.recordMechanism != nil && journal.isCharged(round: attempt.plan.round)
  }

  private static func opensSum(_ action: ServerAction) -> Bool {
    switch action {
    case .phase(let phase, _): phase >= .consistency
    case .finished: true
    default: false
    }
  }
}
