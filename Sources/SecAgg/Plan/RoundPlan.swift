// Everything that the parties of one attempt agree on, and ctx, its hash (spec/02-context-keys-roster.md). ctx enters every
// signature, key derivation and encryption: sites that were shown different plans compute garbage, never a leak.
import Sodium

public struct RoundPlan: Hashable, Sendable {
  /// 1 to 256 bytes of UTF-8.
  public var job: String
  public var round: UInt32
  public var attempt: UInt32
  /// 32 bytes.
  public var rosterDigest: [UInt8]
  /// U0: the invited sites, ascending.
  public var sites: [SiteID]
  /// n_C of the roster.
  public var colluders: Int
  /// t: shares that rebuild a secret, and signatures that allow a reveal.
  public var threshold: Int
  /// k: with how many others a site shares masks; n − 1 in the complete graph.
  public var neighbours: Int
  /// m_min: inputs without which there is no sum.
  public var minimumSurvivors: Int
  /// Of the weights that the round starts from; 32 bytes.
  public var weightsDigest: [UInt8]
  /// Of the job's configuration; 32 bytes.
  public var configurationDigest: [UInt8]
  public var sections: [VectorSection]
  /// The canonical bytes of `EncodingParameters`.
  public var mechanism: [UInt8]

  public static let digestBytes = 32
  public static let jobBytesMax = 256
  public static let sectionsMax = 16
  /// Over all sections.
  public static let coordinatesMax = 1 << 28
  public static let mechanismBytesMax = 1 << 16
  /// Above this the graph is sparse, which this version does not build.
  public static let completeGraphMax = 64
  public static let cohortMin = 3

  /// A plan with t by the formula, the complete graph, and m_min = t unless more is asked for.
  public init(
    job: String, round: UInt32, attempt: UInt32, roster: RosterView, sites: [SiteID], minimumSurvivors: Int? = nil,
    weightsDigest: [UInt8], configurationDigest: [UInt8], sections: [VectorSection], mechanism: [UInt8]
  ) {
    let threshold = RoundPlan.threshold(sites: sites.count, colluders: roster.colluders)
    self.init(
      job: job, round: round, attempt: attempt, rosterDigest: roster.digest, sites: sites.sorted(), colluders: roster.colluders,
      threshold: threshold, neighbours: sites.count - 1, minimumSurvivors: minimumSurvivors ?? threshold,
      weightsDigest: weightsDigest, configurationDigest: configurationDigest, sections: sections, mechanism: mechanism)
  }

  public init(
    job: String, round: UInt32, attempt: UInt32, rosterDigest: [UInt8], sites: [SiteID], colluders: Int, threshold: Int,
    neighbours: Int, minimumSurvivors: Int, weightsDigest: [UInt8], configurationDigest: [UInt8], sections: [VectorSection],
    mechanism: [UInt8]
  ) {
    self.job = job
    self.round = round
    self.attempt = attempt
    self.rosterDigest = rosterDigest
    self.sites = sites
    self.colluders = colluders
    self.threshold = threshold
    self.neighbours = neighbours
    self.minimumSurvivors = minimumSurvivors
    self.weightsDigest = weightsDigest
    self.configurationDigest = configurationDigest
    self.sections = sections
    self.mechanism = mechanism
  }

  /// t = max(⌊(n + n_C)/2⌋ + 1, ⌊2n/3⌋ + 1): two sets of t sites share an honest site, and t is above two thirds.
  public static func threshold(sites n: Int, colluders: Int) -> Int { max((n + colluders) / 2 + 1, 2 * n / 3 + 1) }

  /// ctx, 32 bytes.
  public var context: [UInt8] { Transcript.context(encoded()) }

  /// How many inputs a sum needs: max(t, m_min).
  public var inputsMin: Int { max(threshold, minimumSurvivors) }

  /// Bytes of one site's packed, masked input.
  public var payloadBytes: Int { sections.reduce(0) { $0 + $1.packedBytes } }

  /// x of a site's shares: 1 + its index in U0.
  func point(of site: SiteID) -> UInt8? {
    sites.firstIndex(of: site).flatMap { UInt8(exactly: $0 + 1) }
  }
}
