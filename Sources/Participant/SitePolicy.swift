// What a site demands of every job and every round, from its own configuration. The server cannot loosen any of it.
import Federation

public struct SitePolicy: Sendable, Equatable {
  /// A round with fewer invited sites is refused.
  public var minimumSites = 3
  /// How many honest sites every sum must hold: t − n_C.
  public var minimumHonest = 3
  /// The most colluders that the roster may assume, because each costs dropout tolerance; nil leaves it to the roster.
  public var colludersMax: Int?
  /// Names of models that may be trained, and of servers that may run rounds; nil allows any.
  public var models: [String]?
  public var servers: [String]?
  /// The largest masked input that may leave in one round, bytes.
  public var updateBytesMax: Int?
  /// The longest job, rounds.
  public var roundsMax: Int?
  /// When the site trains, in local time.
  public var trainingHours: SiteConfig.Hours?
  /// The most that this site spends, at `delta`.
  public var epsilonMax = SiteConfig.Policy.EpsilonLimits()
  /// nil: the job's, at most `deltaUsual`. A server that chose delta freely could make any epsilon small.
  public var delta: Double?
  public static let deltaUsual = 1e-5
  /// Units of privacy and noise mechanisms that are accepted, `none` for a job without noise; nil accepts any.
  public var units: [String]?
  public var mechanisms: [String]?

  /// The delta at which this site's limits hold for a job.
  func delta(for privacy: JobPlan.Privacy) -> Double { delta ?? min(privacy.delta, Self.deltaUsual) }

  /// The rule that forbids jobs without differential privacy, in the words of site.yaml; nil if there is none.
  public var privacyRule: String? { rule(forbidding: "none", "none") }

  /// The rule that forbids a job with this unit and mechanism (`none` without noise), in the words of site.yaml; nil if there is none.
  func rule(forbidding unit: String, _ mechanism: String) -> String? {
    if unit == "none", epsilonMax.isSet { return "max_epsilon" }
    if let mechanisms, !mechanisms.contains(mechanism) { return "mechanisms" }
    if let units, !units.contains(unit) { return "units" }
    return nil
  }

  /// Whether a round may be summed again over other survivors, although nothing but the sums protects the site then.
  public var retryWithoutDP = false

  public init() {}

  public init(_ policy: SiteConfig.Policy) {
    minimumSites = policy.minimumSites
    minimumHonest = policy.minimumHonest
    colludersMax = policy.colludersMax
    models = policy.models
    servers = policy.servers
    updateBytesMax = policy.updateBytesMax
    roundsMax = policy.roundsMax
    trainingHours = policy.trainingHours
    retryWithoutDP = policy.retryWithoutPrivacy
    epsilonMax = policy.epsilonMax
    delta = policy.delta
    units = policy.units
    mechanisms = policy.mechanisms
  }
}
