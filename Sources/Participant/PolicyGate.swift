// The last word before a site takes part: the job against the site's policy and its pin, each plan against the job, the policy and the
// journal (spec/03-phases.md, phase 0). The protocol's own rules were checked by the session before; here is what only the site knows.
import Federation
import SecAgg

package struct PolicyGate {
  let policy: SitePolicy

  /// A plan that may be accepted; `onlySurvivors`: the one set over which it may be summed, because a sum over it was released before.
  package struct Permission: Equatable {
    package var onlySurvivors: [SiteID]?
  }

  package init(policy: SitePolicy) { self.policy = policy }

  /// Whether this site takes part in a job at all.
  /// - Parameter name: what the server's welcome called it.
  package func admit(job: JobPlan, named name: String, colluders: Int, journal: Journal) throws(ParticipantError) {
    func refuse(_ reason: String, _ hint: String) -> ParticipantError { ParticipantError(.policy, reason, hint: hint) }
    guard job.name == name else {
      throw ParticipantError(
        .serverMisbehaves, "the server calls the job \"\(name)\" and its plan \"\(job.name)\"", hint: "tell the server's operator")
    }
    if let models = policy.models, !models.contains(job.model) {
      throw refuse(
        "the job trains \(job.model), which this site's policy does not name", "add it to `policy.models` in site.yaml if you agree")
    }
    try admit(job.privacy)
    if let most = policy.roundsMax, job.rounds > most {
      throw refuse("the job has \(job.rounds) rounds, this site's policy allows \(most)", "see `policy.max_rounds` in site.yaml")
    }
    if let most = policy.colludersMax, colluders > most {
      throw refuse(
        "the roster assumes \(colluders) colluding sites, this site's policy at most \(most)", "see `policy.max_colluders` in site.yaml")
    }
    if let pin = journal.pin(job: job.name), pin != Journal.Pin(weights: job.initialWeightsDigest, configuration: job.digest) {
      throw ParticipantError(
        .policy, "job \"\(job.name)\" came back with other first weights or another configuration than before",
        hint: "a new job needs a new name; ask the server's operator what changed")
    }
    let bytes = job.updateBytesMin
    if let most = policy.updateBytesMax, bytes > most {
      throw refuse("a round would upload \(bytes) bytes, this site's policy allows \(most)", "see `policy.max_update_bytes` in site.yaml")
    }
  }

  private func admit(_ privacy: JobPlan.Privacy?) throws(ParticipantError) {
    let (unit, noise) = (privacy?.unit.rawValue ?? "none", privacy?.noise.rawValue ?? "none")
    let rule = policy.rule(forbidding: unit, noise)
    if let rule {
      throw ParticipantError(
        .policy,
        privacy == nil
          ? "the job has no differential privacy, and this site's policy asks for it (`policy.\(rule)`)"
          : "the job's privacy (unit \(unit), \(noise)) is none that this site's policy names "
            + "(`policy.\(rule)`)",
        hint: privacy == nil
          ? "remove the rule from site.yaml only if masks alone are enough for you" : "add it in site.yaml if you agree")
    }
    // At a smaller delta than the job's its epsilon is larger still.
    guard let privacy, let most = policy.epsilonMax.job, privacy.epsilon > most, privacy.delta >= policy.delta(for: privacy) else { return }
    throw ParticipantError(
      .policy, "the job means to spend an epsilon of \(privacy.epsilon), this site's policy allows \(most)",
      hint: "see `policy.max_epsilon.job` in site.yaml")
  }

  /// Whether a plan may be accepted, before its context is used up.
  /// - Parameters:
  ///   - keptMechanism: the mechanism of the input that this process still holds for these weights, if any.
  ///   - isPaid: this process still holds the training's result, and an earlier attempt paid for it.
  ///   - minute: minutes since midnight, local time.
  package func consider(
    _ plan: RoundPlan, job: JobPlan, journal: Journal, keptMechanism: [UInt8]?, isPaid: Bool = false, minute: Int
  ) throws(Refusal) -> Permission {
    try checkAgainstJob(plan, job)
    guard plan.sites.count >= policy.minimumSites else {
      throw Refusal(.policy, "\(plan.sites.count) sites are invited; this site's policy asks for \(policy.minimumSites)")
    }
    if let most = policy.updateBytesMax, plan.payloadBytes > most {
      throw Refusal(.policy, "the input has \(plan.payloadBytes) bytes; this site's policy allows \(most)")
    }
    if let hours = policy.trainingHours, !hours.contains(minute: minute) {
      throw Refusal(.policy, "outside this site's training hours")
    }
    try PrivacyBudget(policy: policy).check(plan, job: job, journal: journal, isPaid: isPaid)
    return try checkHistory(plan, journal, keptMechanism, isNoised: job.privacy != nil)
  }

  /// What the site did before: a context is used once, and what left before binds.
  package func checkHistory(
    _ plan: RoundPlan, _ journal: Journal, _ keptMechanism: [UInt8]?, isNoised: Bool
  ) throws(Refusal) -> Permission {
    guard journal.attempt(context: plan.context) == nil, !journal.isUsed(job: plan.job, round: plan.round, attempt: plan.attempt) else {
      throw Refusal(.contextUsed, "attempt \(plan.attempt) of round \(plan.round) was accepted before")
    }
    return try checkReleases(plan, journal, keptMechanism, isNoised: isNoised)
  }

  /// The server chooses the cohort and the sample reference, nothing else.
  private func checkAgainstJob(_ plan: RoundPlan, _ job: JobPlan) throws(Refusal) {
    guard plan.job == job.name, plan.configurationDigest == job.digest else {
      throw Refusal(.policy, "the plan names another job or configuration than the server's welcome")
    }
    guard plan.round <= UInt32(clamping: job.rounds) else {
      throw Refusal(.policy, "round \(plan.round) of a job of \(job.rounds)")
    }
    guard plan.round > 1 || plan.weightsDigest == job.initialWeightsDigest else {
      throw Refusal(.policy, "round \(plan.round) does not start from the job's first weights")
    }
    guard plan.round >= job.firstRound else { throw Refusal(.policy, "a census of a job with privacy") }
    switch try Mechanism(decoding: plan.mechanism) {
    case .plain(let given): try checkPlain(given, plan, job)
    case .noised(let given): try checkNoised(given, plan, job)
    }
  }

  private func checkPlain(_ given: EncodingParameters, _ plan: RoundPlan, _ job: JobPlan) throws(Refusal) {
    guard !job.noisesSums else {
      throw Refusal(.badMechanism, "a plan without noise for a noised job")
    }
    let kind = RoundKind(round: plan.round)
    let encoding = job.encoding(kind: kind, sites: plan.sites.count, samplesReference: given.samplesReference)
    guard given == encoding, plan.mechanism == encoding.encoded(), plan.sections == job.sections(kind: kind, encoding: encoding) else {
      throw Refusal(.badMechanism, "the plan's encoding or layout is not the job's")
    }
    guard kind == .census || job.privacy != nil || given.samplesReference > 0 else {
      throw Refusal(.badMechanism, "a training round without a sample reference")
    }
  }

  /// Any constants with the job's clip, bits and dimension serve that assure its noise: what they cost is charged.
  private func checkNoised(_ given: NoisedEncoding, _ plan: RoundPlan, _ job: JobPlan) throws(Refusal) {
    guard let privacy = job.privacy, job.noisesSums else { throw Refusal(.badMechanism, "a noised plan for a job without noise") }
    guard given.samplingRate == privacy.records?.samplingRate, (given.noise == .discreteGaussian) == (privacy.noise == .discreteGaussian)
    else { throw Refusal(.badMechanism, "the plan's noise or sampling rate is not the job's") }
    guard given.clip == privacy.clip, given.bits == job.quantisation.bits, given.dimension == job.parameterCount else {
      throw Refusal(.badMechanism, "the plan's clip, bits or dimension are not the job's")
    }
    guard given.assures(noiseMultiplier: privacy.noiseMultiplier, shares: plan.noiseShares) else {
      throw Refusal(.badMechanism, "the plan's noise is less than the job's")
    }
  }

  /// What was released before binds: rounds do not go back, and the same weights give no second sum over other survivors.
  private func checkReleases(
    _ plan: RoundPlan, _ journal: Journal, _ keptMechanism: [UInt8]?, isNoised: Bool
  ) throws(Refusal) -> Permission {
    let released = journal.revealedSets(weights: plan.weightsDigest, kind: RoundKind(round: plan.round).rawValue)
    if let last = journal.lastRevealedRound(job: plan.job) {
      guard plan.round > last || (plan.round == last && !released.isEmpty) else {
        throw Refusal(.policy, "round \(plan.round) after round \(last) was released")
      }
    }
    // Noise is fresh in every attempt, or in the update itself, and each is charged: that is what protects a second sum.
    if policy.retryWithoutDP || isNoised { return Permission() }
    // Shares that other sites gave, and one that a colluder held back, may open the attempt that this input left for. A second sum over the
    // same sites with other integers of this one would give the difference away (spec/07, repeated attempts).
    guard keptMechanism == plan.mechanism || !journal.hasSentInput(weights: plan.weightsDigest, kind: RoundKind(round: plan.round).rawValue)
    else {
      throw Refusal(.policy, "an input on these weights left before, and other integers for the same sum would lay this site open")
    }
    guard let survivors = released.first else { return Permission() }
    let sites = survivors.map { SiteID($0) }
    guard released.count == 1, sites.allSatisfy(plan.sites.contains), keptMechanism == plan.mechanism else {
      throw Refusal(.policy, "a sum on these weights was released before; another one over other inputs would lay sites open")
    }
    return Permission(onlySurvivors: sites)
  }
}
