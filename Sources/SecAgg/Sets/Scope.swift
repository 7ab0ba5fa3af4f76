// What a party can see of an attempt's sets (spec/08-sparse-graph.md, "The phases"). The server and, in the complete graph, every site
// see all messages, and the set is whoever sent one. In the sparse graph a site sees its circle's, and is told the whole set.

/// Everything that the sets of one attempt are checked against.
struct Scope: Sendable {
  let plan: RoundPlan
  let context: [UInt8]
  let roster: RosterView
  let graph: MaskGraph
  /// The site that looks; nil at the server.
  let viewer: SiteID?
  /// Whose messages the viewer gets; all of U0 where it sees all.
  let circle: [SiteID]
  /// The viewer's neighbours.
  let neighbours: [SiteID]
  /// Components of noise that may be removed, as the plan's mechanism says; read once.
  let components: Int

  init(plan: RoundPlan, context: [UInt8], roster: RosterView, graph: MaskGraph, viewer: SiteID?) {
    self.plan = plan
    self.context = context
    self.roster = roster
    self.graph = graph
    self.viewer = viewer
    let isPartial = viewer != nil && graph.seed != nil
    circle = isPartial ? viewer.map(graph.circle) ?? [] : plan.sites
    neighbours = viewer.map(graph.neighbours) ?? []
    components = plan.removableComponents
  }

  /// What is to be revealed of a member of U2 (NR-04).
  func due(of dealer: SiteID, _ survivors: [SiteID]) -> [ShareKind] {
    ShareKind.due(of: dealer, survivors: survivors, sites: plan.sites.count, components: components)
  }

  /// Whether the viewer sees a part of each set only, and is told the whole.
  var isPartial: Bool { viewer != nil && graph.seed != nil }

  /// The whole set behind a list of messages.
  /// - Parameters:
  ///   - senders: of the messages, ascending.
  ///   - stated: what stands behind them.
  ///   - superset: the set before.
  ///   - code: of the refusal where the stated set is none of the superset.
  /// - Throws: SA-08 where a set is missing or superfluous, or is not the messages' in the viewer's circle (SG-05).
  func set(
    senders: [SiteID], stated: [SiteID]?, within superset: [SiteID], _ code: RefusalCode = .wrongMembers
  ) throws(Refusal) -> [SiteID] {
    guard isPartial else {
      guard stated == nil else { throw Refusal(.wrongMembers, "a set behind a list that is whole itself") }
      return senders
    }
    guard let stated else { throw Refusal(.wrongMembers, "no set behind the list of a neighbourhood") }
    guard stated.isSortedSubset(of: superset) else { throw Refusal(code, "a set with sites that the one before does not have") }
    guard circle.filter(stated.sortedContains) == senders else {
      throw Refusal(.wrongMembers, "the messages are not those of the neighbours in the set")
    }
    return stated
  }

  /// Enough members, and enough of them next to the viewer.
  /// - Throws: `code` (SG-06).
  func requireEnough(_ members: [SiteID], _ minimum: Int, _ code: RefusalCode, _ what: String) throws(Refusal) {
    guard members.count >= minimum else { throw Refusal(code, "\(what) of \(members.count) sites; \(minimum) are needed") }
    guard isPartial else { return }
    let near = neighbours.count(where: members.sortedContains)
    guard near >= plan.threshold else {
      throw Refusal(code, "\(what) of \(near) neighbours; \(plan.threshold) are needed")
    }
  }
}
