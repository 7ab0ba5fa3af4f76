// What must hold of a plan before anybody takes part (spec/02, spec/04): the same checks at the server and at every site,
// and what a site checks beyond them. A server that is believed here could shrink the cohort or let the sum wrap.

extension RoundPlan {
  /// The checks that need no roster.
  /// - Throws: SA-11 to SA-19, each for its own rule.
  public func validate() throws(Refusal) {
    try validateCohort()
    try validateLayout()
    for digest in [rosterDigest, weightsDigest, configurationDigest] where digest.count != RoundPlan.digestBytes {
      throw Refusal(.badParameters, "a digest has \(digest.count) bytes instead of \(RoundPlan.digestBytes)")
    }
    guard RoundPlan.isJobName(job) else {
      throw Refusal(.badParameters, "a job's name is 1 to \(RoundPlan.jobBytesMax) bytes without control characters")
    }
    try Mechanism(decoding: mechanism).validate(for: self)
  }

  private func validateCohort() throws(Refusal) {
    let n = sites.count
    guard n >= RoundPlan.cohortMin else { throw Refusal(.badCohort, "\(n) sites; a sum needs \(RoundPlan.cohortMin)") }
    guard n <= RoundPlan.cohortMax else { throw Refusal(.cohortTooLarge, "\(n) sites; at most \(RoundPlan.cohortMax) take part") }
    guard sites.isStrictlyAscending, !sites.contains(.server) else {
      throw Refusal(.badCohort, "the sites are not ascending and distinct")
    }
    guard colluders >= 0, colluders < n else {
      throw Refusal(.wrongColluders, "\(colluders) colluders among \(n) sites")
    }
    guard (1...n).contains(minimumSurvivors) else {
      throw Refusal(.badParameters, "\(minimumSurvivors) minimum survivors of \(n) sites")
    }
    let expected: Int
    if isSparse {
      expected = try sparseThreshold()
    } else {
      guard neighbours == n - 1 else {
        throw Refusal(.badParameters, "\(neighbours) neighbours; the complete graph of \(n) sites has \(n - 1)")
      }
      guard n <= RoundPlan.completeGraphMax else {
        throw Refusal(.cohortTooLarge, "\(n) sites; the complete graph is for at most \(RoundPlan.completeGraphMax)")
      }
      expected = RoundPlan.threshold(sites: n, colluders: colluders)
    }
    guard threshold == expected, threshold <= n else {
      throw Refusal(.wrongThreshold, "threshold \(threshold) for \(n) sites and \(colluders) colluders; it is \(expected)")
    }
  }

  private func sparseThreshold() throws(Refusal) -> Int {
    let n = sites.count
    guard n >= GraphParameters.sitesMin else {
      throw Refusal(.cohortTooLarge, "\(n) sites; the sparse graph is for at least \(GraphParameters.sitesMin)")
    }
    guard let graph = GraphParameters.find(sites: n, colluders: colluders, dropouts: n - minimumSurvivors) else {
      throw Refusal(
        .badParameters, "no sparse graph of \(n) sites serves with \(colluders) colluders and \(n - minimumSurvivors) dropouts")
    }
    guard neighbours == graph.neighbours else {
      throw Refusal(.badParameters, "\(neighbours) neighbours; the sparse graph has \(graph.neighbours)")
    }
    return graph.threshold
  }

  private func validateLayout() throws(Refusal) {
    guard (1...RoundPlan.sectionsMax).contains(sections.count) else {
      throw Refusal(.badLayout, "\(sections.count) sections")
    }
    var total = 0
    for section in sections {
      try section.validate()
      total += section.count
    }
    guard total <= RoundPlan.coordinatesMax else { throw Refusal(.badLayout, "\(total) coordinates are too many") }
    guard Set(sections.map(\.name)).count == sections.count else {
      throw Refusal(.badLayout, "two sections have one name")
    }
  }

  /// The checks against the roster that both sides hold.
  package func validate(against roster: RosterView) throws(Refusal) {
    try validate()
    guard rosterDigest == roster.digest else { throw Refusal(.rosterDiffers, "the plan names another roster") }
    guard colluders == roster.colluders else {
      throw Refusal(.wrongColluders, "the plan allows \(colluders) colluders, the roster \(roster.colluders)")
    }
    for site in sites where roster.siteKeys[site] == nil {
      throw Refusal(.badCohort, "\(site) is not in the roster")
    }
  }

  /// What a site checks: all of it, that it is invited, and that t − n_C honest sites are in every sum.
  func validate(for site: SiteID, roster: RosterView, minimumHonest: Int) throws(Refusal) {
    try validate(against: roster)
    guard invites(site) else { throw Refusal(.badCohort, "\(site) is not among the invited") }
    guard honestMin >= minimumHonest else {
      throw Refusal(.tooFewHonest, "\(honestMin) honest sites are assured in a sum; \(minimumHonest) are required")
    }
  }

  static func isJobName(_ job: String) -> Bool {
    (1...jobBytesMax).contains(job.utf8.count) && job.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
  }
}
