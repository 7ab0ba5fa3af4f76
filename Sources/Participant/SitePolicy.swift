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
  /// The rule that forbids jobs without differential privacy, in the words of site.yaml; nil if there is none.
  public var privacyRule: String?
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
    if policy.epsilonMax.isSet {
      privacyRule = "max_epsilon"
    } else if let mechanisms = policy.mechanisms, !mechanisms.contains("none") {
      privacyRule = "mechanisms"
    } else if let units = policy.units, !units.contains("none") {
      privacyRule = "units"
    }
  }
}
