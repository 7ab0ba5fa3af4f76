// How long the server waits for what, and how often it tries: every wait of a job has an end.
import SecAgg

public struct RoundSettings: Sendable, Equatable {
  /// Sites that a round needs at least; more where the roster's n_C asks for it.
  public var minimumSites: Int
  /// How many honest sites every sum must hold, as the sites themselves require: t − n_C.
  public var minimumHonest = 3
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
    (max(minimumSites, RoundPlan.cohortMin)...RoundPlan.completeGraphMax)
      .first { RoundPlan.threshold(sites: $0, colluders: colluders) - colluders >= minimumHonest && colluders < $0 }
      ?? RoundPlan.completeGraphMax
  }
}
