// Who shares masks and secrets with whom (spec/08-sparse-graph.md): everybody with everybody, or k neighbours on a ring whose order
// follows from a seed that nobody chose.

struct MaskGraph: Sendable {
  /// H[graph-seed]; nil in the complete graph.
  let seed: [UInt8]?
  private let sites: [SiteID]
  private let reach: Int
  /// U0 in the order of the ring, and where each stands.
  private let ring: [SiteID]
  private let place: [SiteID: Int]

  /// The complete graph of a plan.
  init(complete plan: RoundPlan) {
    seed = nil
    sites = plan.sites
    reach = 0
    ring = []
    place = [:]
  }

  /// The ring of a plan and a seed.
  init(plan: RoundPlan, seed: [UInt8], context: [UInt8]) {
    self.seed = seed
    sites = plan.sites
    reach = plan.neighbours / 2
    ring = plan.sites.map { (Transcript.graphPosition(context, seed: seed, $0), $0) }
      .sorted { $0.0.lexicographicallyPrecedes($1.0) }.map(\.1)
    place = Dictionary(uniqueKeysWithValues: ring.enumerated().map { ($1, $0) })
  }

  /// Everybody whom `site` masks with; ascending, without itself.
  func neighbours(of site: SiteID) -> [SiteID] {
    guard seed != nil else { return sites.filter { $0 != site } }
    guard let place = place[site] else { return [] }
    let count = ring.count
    return (1...reach).flatMap { [ring[(place + $0) % count], ring[(place + count - $0) % count]] }.sorted()
  }

  /// Whom `site` deals its shares to: its neighbours, and in the complete graph itself.
  func holders(of site: SiteID) -> [SiteID] { seed == nil ? sites : neighbours(of: site) }

  /// Whose messages are shown to `site`: its neighbours' and its own.
  func circle(of site: SiteID) -> [SiteID] {
    seed == nil ? sites : (neighbours(of: site) + [site]).sorted()
  }
}
