// How long the server waits for what, and how often it tries: every wait of a job has an end.
import Federation
import SecAgg
import Sodium

public struct RoundSettings: Sendable, Equatable {
  /// Sites that a round needs at least; more where the roster's n_C asks for it.
  public var minimumSites: Int
  /// How many honest sites every sum must hold, as the sites themselves require: t − n_C.
  public var minimumHonest = 3
  /// Which graph, and which part of its sites a round over the sparse one may lose.
  public var graph = FederatedConfig.Aggregation.Graph.auto
  public var dropoutRate = 0.05
  /// How long a round waits for sites that are expected back, once enough are there.
  public var joinWindow: Duration = .seconds(10)
  /// How long it waits for enough sites before the job ends.
  public var sitesDeadline: Duration = .seconds(3_600)
  /// How long a site that lost its connection may take to come back before the attempt goes on without it.
  public var reconnectGrace: Duration = .seconds(10)
  /// What each phase may take; phase 3 holds the sites' training.
  public var deadlines: [Phase: Duration] = [.maskedInput: .seconds(3_600)]
  /// A census trains nothing: its phase 3 is no longer than this.
  public var censusDeadlineMax: Duration = .seconds(600)
  /// Attempts of one round before the job ends.
  public var attemptsMax = 3
  /// Pieces of weights, bytes.
  public var chunkBytes = 1 << 20

  public init(minimumSites: Int) { self.minimumSites = minimumSites }

  func deadline(_ phase: Phase, isCensus: Bool) -> Duration {
    let agreed = deadlines[phase] ?? .seconds(60)
    return isCensus ? min(agreed, censusDeadlineMax) : agreed
  }

  /// The smallest cohort that the sites will accept for so many colluders.
  public func sitesNeeded(colluders: Int) -> Int {
    let least = max(minimumSites, graph == .sparse ? GraphParameters.sitesMin : RoundPlan.cohortMin)
    let complete =
      graph == .sparse
      ? nil
      : (least...max(least, RoundPlan.completeGraphUsualMax)).first {
        $0 <= RoundPlan.completeGraphUsualMax && colluders < $0
          && RoundPlan.threshold(sites: $0, colluders: colluders) - colluders >= minimumHonest
      }
    if let complete { return complete }
    guard graph != .complete else { return RoundPlan.completeGraphUsualMax }
    // In steps of five per cent: the search costs milliseconds a number.
    var sites = max(least, GraphParameters.sitesMin)
    while sites < GraphParameters.sitesMax {
      if let found = sparse(sites, colluders: colluders), found.neighbours - found.threshold + 2 >= minimumHonest { return sites }
      sites += max(1, sites / 20)
    }
    return GraphParameters.sitesMax
  }

  private func sparse(_ sites: Int, colluders: Int) -> GraphParameters? {
    GraphParameters.find(sites: sites, colluders: colluders, dropouts: dropouts(of: sites))
  }

  /// D: how many of so many sites a round over the sparse graph may lose.
  private func dropouts(of sites: Int) -> Int { max(1, Int(Double(sites) * dropoutRate)) }

  /// Whom a round invites of those who are there, and how many inputs it then needs (nil: the threshold's number).
  func cohort(of sites: [SiteID], colluders: Int) -> (sites: [SiteID], minimumSurvivors: Int?, isSparse: Bool) {
    func some(_ count: Int) -> [SiteID] {
      var random = SodiumRandomNumberGenerator()
      return Array(sites.shuffled(using: &random).prefix(count)).sorted()
    }
    guard sites.count > RoundPlan.completeGraphUsualMax else { return (sites, nil, false) }
    let most = sites.count > GraphParameters.sitesMax ? some(GraphParameters.sitesMax) : sites
    if graph != .complete, sparse(most.count, colluders: colluders) != nil {
      return (most, most.count - dropouts(of: most.count), true)
    }
    return (some(RoundPlan.completeGraphUsualMax), nil, false)
  }
}
