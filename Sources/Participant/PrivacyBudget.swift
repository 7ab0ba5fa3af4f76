// Whether a noised attempt fits what this site will spend: the job's own promise, and the limits of the site's policy over a round, a job
// and its lifetime. Charges are in the journal before an input leaves; what was charged counts, released or not.
import Federation
import SecAgg

package struct PrivacyBudget {
  let policy: SitePolicy

  /// - Parameter isPaid: the input comes of a training that an earlier attempt paid for.
  /// - Throws: a refusal that names the limit, not what the site has spent.
  package func check(_ plan: RoundPlan, job: JobPlan, journal: Journal, isPaid: Bool = false) throws(Refusal) {
    guard let privacy = job.privacy, !isPaid else { return }
    guard let next = job.charge(for: plan) else { throw Refusal(.badMechanism, "a noised job with a plan without noise") }
    let ofJob = journal.charges.filter { $0.job == job.name }
    func require(_ charges: [PrivacyCharge], within most: Double, at delta: Double, _ limit: String) throws(Refusal) {
      guard PrivacyAccount.epsilon(charges + [next], delta: delta) <= most else {
        throw Refusal(.policy, "the attempt would spend more than \(limit) allows")
      }
    }
    try require(ofJob.map(\.charge), within: privacy.epsilon, at: privacy.delta, "the job's epsilon")
    let delta = policy.delta(for: privacy)
    if let most = policy.epsilonMax.round {
      try require(ofJob.filter { $0.round == plan.round }.map(\.charge), within: most, at: delta, "this site's `policy.max_epsilon.round`")
    }
    if let most = policy.epsilonMax.job {
      try require(ofJob.map(\.charge), within: most, at: delta, "this site's `policy.max_epsilon.job`")
    }
    if let most = policy.epsilonMax.lifetime {
      try require(journal.charges.map(\.charge), within: most, at: delta, "this site's `policy.max_epsilon.lifetime`")
    }
  }
}
