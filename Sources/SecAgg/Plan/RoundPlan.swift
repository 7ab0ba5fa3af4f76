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
  /// k: with how many others a site shares masks; n − 1 in the complete graph, the sparse graph's degree otherwise.
  public var neighbours: Int
  /// m_min: inputs without which there is no sum.
  public var minimumSurvivors: Int
  /// Of the weights that the round starts from; 32 bytes.
  public var weightsDigest: [UInt8]
  /// Of the job's configuration; 32 bytes.
  public var configurationDigest: [UInt8]
  public var sections: [VectorSection]
  /// The canonical bytes of a `Mechanism`.
  public var mechanism: [UInt8]

  public static let digestBytes = 32
  public static let jobBytesMax = 256
  public static let sectionsMax = 16
  /// Over all sections.
  public static let coordinatesMax = 1 << 28
  public static let mechanismBytesMax = 1 << 16
  /// The complete graph is allowed up to here, and used up to `completeGraphUsualMax`.
  public static let completeGraphMax = 128
  public static let completeGraphUsualMax = 64
  public static let cohortMin = 3
  public static let cohortMax = GraphParameters.sitesMax

  /// A plan with the graph for its number of sites and the graph's k and t.
  /// - Parameters:
  ///   - minimumSurvivors: m_min; where nothing is said, t in the complete graph, and in the sparse one n less a twentieth.
  ///   - isSparse: nil for the usual graph of so many sites.
  public init(
    job: String, round: UInt32, attempt: UInt32, roster: RosterView, sites: [SiteID], minimumSurvivors: Int? = nil,
    isSparse: Bool? = nil, weightsDigest: [UInt8], configurationDigest: [UInt8], sections: [VectorSection], mechanism: [UInt8]
  ) {
    let n = sites.count
    var (threshold, neighbours) = (RoundPlan.threshold(sites: n, colluders: roster.colluders), n - 1)
    var survivors = minimumSurvivors ?? threshold
    if isSparse ?? (n > RoundPlan.completeGraphUsualMax) {
      survivors = minimumSurvivors ?? n - max(1, n / 20)
      let found = GraphParameters.find(sites: n, colluders: roster.colluders, dropouts: n - survivors)
      // Zeros make a plan that `validate` refuses by name.
      (threshold, neighbours) = (found?.threshold ?? 0, found?.neighbours ?? 0)
    }
    self.init(
      job: job, round: round, attempt: attempt, rosterDigest: roster.digest, sites: sites.sorted(), colluders: roster.colluders,
      threshold: threshold, neighbours: neighbours, minimumSurvivors: survivors, weightsDigest: weightsDigest,
      configurationDigest: configurationDigest, sections: sections, mechanism: mechanism)
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

  /// Whether masks are shared among neighbours on a ring only.
  public var isSparse: Bool { neighbours < sites.count - 1 }

  /// How many inputs a sum needs: max(t, m_min).
  public var inputsMin: Int { max(threshold, minimumSurvivors) }

  /// How many sites each of U1, D and U2 needs.
  var membersMin: Int { isSparse ? minimumSurvivors : threshold }

  /// How many honest sites are assured in every sum: t − n_C, and k − t + 2 in the sparse graph (SG-09).
  public var honestMin: Int { isSparse ? neighbours - threshold + 2 : threshold - colluders }

  /// Bytes of one site's packed, masked input.
  public var payloadBytes: Int { sections.reduce(0) { $0 + $1.packedBytes } }

  /// x of a site's shares: 1 + its index in U0.
  func point(of site: SiteID) -> UInt16? { sites.sortedIndex(of: site).flatMap { UInt16(exactly: $0 + 1) } }

  func invites(_ site: SiteID) -> Bool { sites.sortedIndex(of: site) != nil }
}
