// The sparse graph's seed at a site (spec/08-sparse-graph.md): its nonce is shown only when everybody's commitment is fixed, so that
// whoever else drew theirs, the ring is random for this site.

extension SiteSession {
  func receiveCommitments(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let context, let secrets else { throw Refusal(.unexpected, "commitments before a plan") }
    commitmentList = try message.open(GraphCommitmentsBody.self).hash
    phase = .graph
    return [.send(sign(GraphNonceBody(nonce: secrets.nonce), context).bytes)]
  }

  func receiveNonces(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard let plan, let context, let secrets, let commitmentList else { throw Refusal(.unexpected, "nonces before commitments") }
    let body = try message.open(GraphNoncesBody.self)
    let seed = try SiteSession.graphSeed(
      body, own: site, nonce: secrets.nonce, commitmentList: commitmentList, sites: plan.sites, minimum: plan.minimumSurvivors,
      context: context)
    let graph = MaskGraph(plan: plan, seed: seed, context: context)
    scope = Scope(plan: plan, context: context, roster: roster, graph: graph, viewer: site)
    phase = .keys
    return [.send(showKeys(secrets, graph, context).bytes)]
  }

  /// The seed of nonces that were committed to before this site's was shown.
  /// - Throws: SA-24 unless they are just those, SA-22 where they are too few.
  static func graphSeed(
    _ body: GraphNoncesBody, own: SiteID, nonce: [UInt8], commitmentList: [UInt8], sites: [SiteID], minimum: Int, context: [UInt8]
  ) throws(Refusal) -> [UInt8] {
    guard body.entries.contains(.init(site: own, nonce: nonce)) else {
      throw Refusal(.otherNonces, "the nonces do not hold this site's own")
    }
    guard body.entries.map(\.site).isSortedSubset(of: sites) else {
      throw Refusal(.otherNonces, "a nonce of a site that was not invited")
    }
    guard body.commitmentList(context) == commitmentList else {
      throw Refusal(.otherNonces, "the nonces are not those that were committed to")
    }
    guard body.entries.count >= minimum else {
      throw Refusal(.tooFewAccepted, "\(body.entries.count) sites accepted; \(minimum) are needed")
    }
    return body.seed(context)
  }
}
