// What a site demands of every job and every round, from its own configuration. The server cannot loosen any of it.

public struct SitePolicy: Sendable, Equatable {
  /// A round with fewer invited sites is refused.
  public var minimumSites: Int
  /// The least number of colluding sites that the roster must protect against; nil leaves it to the roster.
  public var minimumColluders: Int?
  /// The most that the roster may assume, because every assumed colluder costs dropout tolerance; nil leaves it to the roster.
  public var maximumColluders: Int?
  /// How many honest sites every sum must hold: t − n_C.
  public var minimumHonest: Int
  /// Names of models that may be trained; nil allows any.
  public var models: [String]?
  /// The largest masked input that may leave in one round, bytes.
  public var updateBytesMax: Int
  /// Whether a round may be summed again over other survivors, although nothing but the sums protects the site then.
  public var retryWithoutDP: Bool

  public init(
    minimumSites: Int = 3, minimumColluders: Int? = nil, maximumColluders: Int? = nil, minimumHonest: Int = 3, models: [String]? = nil,
    updateBytesMax: Int = 1 << 30, retryWithoutDP: Bool = false
  ) {
    self.minimumSites = minimumSites
    self.minimumColluders = minimumColluders
    self.maximumColluders = maximumColluders
    self.minimumHonest = minimumHonest
    self.models = models
    self.updateBytesMax = updateBytesMax
    self.retryWithoutDP = retryWithoutDP
  }
}
