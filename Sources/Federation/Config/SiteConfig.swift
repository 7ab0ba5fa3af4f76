// site.yaml as values: what a site's client needs, and the rules that the site sets itself. The server cannot loosen any of them.
import Foundation

/// A site's configuration. Paths are resolved against the file's folder.
public struct SiteConfig: Equatable, Sendable {
  public struct Trainer: Equatable, Sendable {
    /// Program and arguments; the job's folder is appended. Nil: `secagg-trainer` beside the client.
    public var command: [String]?
    /// Seconds that one round of training may take.
    public var timeout = 86_400.0
  }

  /// Daily hours in local time, in minutes since midnight; `from` above `until` runs over midnight.
  public struct Hours: Equatable, Sendable {
    public var from: Int
    public var until: Int
    public init(from: Int, until: Int) { (self.from, self.until) = (from, until) }

    public func contains(minute: Int) -> Bool {
      from <= until ? (from..<until).contains(minute) : minute >= from || minute < until
    }
  }

  /// What the site takes part in. Nil means: no rule of the site's own.
  public struct Policy: Equatable, Sendable {
    public struct EpsilonLimits: Equatable, Sendable {
      public var round: Double?
      public var job: Double?
      public var lifetime: Double?
      public init() {}

      /// With any limit set, a job without differential privacy exceeds it.
      public var isSet: Bool { round != nil || job != nil || lifetime != nil }
    }
    /// Fewest sites in a round.
    public var minimumSites = 3
    /// t − n_C is at least this: honest sites in every sum.
    public var minimumHonest = 3
    public var colludersMax: Int?
    public var epsilonMax = EpsilonLimits()
    public var delta: Double?
    /// Privacy units and mechanisms that are accepted; `none` stands for a job without differential privacy.
    public var units: [String]?
    public var mechanisms: [String]?
    /// Names of models.
    public var models: [String]?
    /// Of one round's masked vector.
    public var updateBytesMax: Int?
    public var roundsMax: Int?
    public var trainingHours: Hours?
    /// Names of servers.
    public var servers: [String]?
    /// Allow another attempt on the same weights with other survivors while there is no differential privacy.
    public var retryWithoutPrivacy = false
  }

  public var server: HostPort
  public var roster: String
  public var consortiumKey: String
  public var identity: String
  /// The site's data.yaml, handed to the trainer.
  public var data: String
  public var trainer = Trainer()
  public var stateDirectory: String
  public var threads: Int?
  /// Mutual TLS; false only if the server is on this machine.
  public var encryption = true
  public var policy = Policy()
  public var warnings: [String] = []

  /// - Throws: CF-01 to CF-11, each with its line and column.
  public static func load(_ path: String) throws(FederationError) -> SiteConfig {
    try SiteReader(document: ConfigDocument(path: path), folder: (path as NSString).deletingLastPathComponent).config()
  }

  public static func parse(_ text: String, file: String = "site.yaml", folder: String = "") throws(FederationError) -> SiteConfig {
    try SiteReader(document: ConfigDocument(text: text, file: file), folder: folder).config()
  }
}

struct SiteReader {
  let document: ConfigDocument
  let folder: String

  func config() throws(FederationError) -> SiteConfig {
    let top = try ConfigSection(document, document.root, path: "", keys: SiteKeys.top, elsewhere: SiteKeys.homes)
    func path(_ key: String, _ hint: String) throws(FederationError) -> String {
      guard let value = try top.string(key) else { throw top.missing(key, hint: hint) }
      return resolved(value, in: folder)
    }
    guard let address = try top.string("server") else { throw top.missing("server", hint: "add `server: host:port`") }
    guard let server = HostPort(address), server.port > 0 else {
      throw top.rangeError("server", "host:port", hint: "write it like server.example.org:7443")
    }
    var config = SiteConfig(
      server: server, roster: try path("roster", "add `roster: roster.json`, the file that the consortium signed"),
      consortiumKey: try path("consortium_key", "add `consortium_key: consortium.pub`, compared by voice with the consortium"),
      identity: try path("identity", "add `identity: identity`, the directory that enroll made"),
      data: try path("data", "add `data: data.yaml`"), stateDirectory: resolved(try top.string("state_directory") ?? "state", in: folder))
    config.threads = try top.int("threads", in: 1...1024)
    if let section = try top.section("trainer", keys: SiteKeys.trainer, elsewhere: SiteKeys.homes) {
      config.trainer.command = try section.strings("command", countMax: 64, bytesMax: 4096)
      guard config.trainer.command?.isEmpty != true else {
        throw section.rangeError("command", "at least the program's path", hint: "write it like [/usr/bin/python3, trainer.py]")
      }
      config.trainer.timeout = try section.double("timeout", least: 1, most: 30 * 86_400) ?? config.trainer.timeout
    }
    if let encryption = try top.bool("encryption"), !encryption {
      guard server.isLoopback else {
        throw top.conflict(
          "encryption", "`encryption: false` is for this machine alone, and the server is \(server)", hint: "leave encryption on")
      }
      config.encryption = false
      config.warnings.append("Encryption is OFF: every program on this machine can read and change what is sent. For experiments only.")
    }
    if let section = try top.section("policy", keys: SiteKeys.policy, elsewhere: SiteKeys.homes) { try read(section, &config.policy) }
    return config
  }

  private func read(_ section: ConfigSection, _ policy: inout SiteConfig.Policy) throws(FederationError) {
    policy.minimumSites = try section.int("min_sites", in: 3...10_000) ?? policy.minimumSites
    policy.minimumHonest = try section.int("min_honest", in: 2...10_000) ?? policy.minimumHonest
    policy.colludersMax = try section.int("max_colluders", in: 0...10_000)
    policy.delta = try section.double("delta", above: 0, below: 1)
    policy.updateBytesMax = try section.int("max_update_bytes", in: 1...1 << 40)
    policy.roundsMax = try section.int("max_rounds", in: 1...1_000_000)
    policy.retryWithoutPrivacy = try section.bool("retry_without_dp") ?? false
    policy.models = try words(section, "models", nil)
    policy.servers = try words(section, "servers", nil)
    policy.units = try words(section, "units", ["record", "site", "none"])
    policy.mechanisms = try words(section, "mechanisms", ["gaussian", "discrete_gaussian", "skellam", "none"])
    if let limits = try section.section("max_epsilon", keys: SiteKeys.epsilon, elsewhere: SiteKeys.homes) {
      policy.epsilonMax.round = try limits.double("round", above: 0, most: 1000)
      policy.epsilonMax.job = try limits.double("job", above: 0, most: 1000)
      policy.epsilonMax.lifetime = try limits.double("lifetime", above: 0, most: 1000)
    }
    if let text = try section.string("training_hours", bytesMax: 32) {
      guard let hours = Self.hours(text) else {
        throw section.rangeError("training_hours", "HH:MM-HH:MM", hint: "write it like \"22:00-06:00\"; equal times would mean never")
      }
      policy.trainingHours = hours
    }
  }

  /// A list of words, each once; an empty list would allow nothing and is refused.
  private func words(_ section: ConfigSection, _ key: String, _ known: [String]?) throws(FederationError) -> [String]? {
    guard let list = try section.strings(key, countMax: 256) else { return nil }
    guard !list.isEmpty, Set(list).count == list.count else {
      throw section.rangeError(key, "a list of at least one word, each once", hint: "leave the key out to allow all")
    }
    if let known, let stranger = list.first(where: { !known.contains($0) }) {
      throw section.rangeError(key, "words out of: \(known.joined(separator: ", "))", hint: "\"\(stranger.prefix(60))\" is none of them")
    }
    return list
  }

  private static func hours(_ text: String) -> SiteConfig.Hours? {
    guard let match = text.wholeMatch(of: /([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])/),
      let h1 = Int(match.1), let m1 = Int(match.2), let h2 = Int(match.3), let m2 = Int(match.4), h1 < 24, h2 <= 24
    else { return nil }
    let (from, until) = (h1 * 60 + m1, h2 * 60 + m2)
    return until <= 1440 && from != until ? SiteConfig.Hours(from: from, until: until) : nil
  }
}
