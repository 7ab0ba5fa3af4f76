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
    guard body.entries.contains(.init(site: site, nonce: secrets.nonce)) else {
      throw Refusal(.otherNonces, "the nonces do not hold this site's own")
    }
    guard body.entries.map(\.site).isSortedSubset(of: plan.sites) else {
      throw Refusal(.otherNonces, "a nonce of a site that was not invited")
    }
    guard body.commitmentList(context) == commitmentList else {
      throw Refusal(.otherNonces, "the nonces are not those that were committed to")
    }
    guard body.entries.count >= plan.minimumSurvivors else {
      throw Refusal(.tooFewAccepted, "\(body.entries.count) sites accepted; \(plan.minimumSurvivors) are needed")
    }
    let graph = MaskGraph(plan: plan, seed: body.seed(context), context: context)
    scope = Scope(plan: plan, context: context, roster: roster, graph: graph, viewer: site)
    phase = .keys
    return [.send(showKeys(secrets, graph, context).bytes)]
  }
}
