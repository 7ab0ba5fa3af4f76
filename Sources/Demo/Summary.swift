// summary.json: the demo's outcome for scripts. What a run does not have (privacy, the ledger) is null, and says so by
// being null.
import Foundation

struct Summary: Encodable, Sendable {
  struct Bytes: Encodable, Sendable {
    var upPerSiteRound: Int
    var downPerSiteRound: Int
    var float32Update: Int
    var rawDataset: Int
    enum CodingKeys: String, CodingKey {
      case upPerSiteRound = "up_per_site_round"
      case downPerSiteRound = "down_per_site_round"
      case float32Update = "float32_update"
      case rawDataset = "raw_dataset"
    }
  }
  struct Seconds: Encodable, Sendable {
    var training: Double
    var secureAggregation: Double
    var total: Double
    enum CodingKeys: String, CodingKey {
      case training, total
      case secureAggregation = "secure_aggregation"
    }
  }
  struct Privacy: Sendable {
    var epsilon: Double?
    var delta: Double?
    var unit: String
  }
  struct Locals: Encodable, Sendable {
    var map50: [Double]
    var map: [Double]
  }
  struct Dropped: Encodable, Sendable {
    var site: Int
    var round: Int
    var returnedInRound: Int?
    enum CodingKeys: String, CodingKey {
      case site, round
      case returnedInRound = "returned_in_round"
    }
  }

  var sites: Int
  var rounds: Int
  /// Of a round; a part of one where an epoch has several rounds.
  var localEpochs: Double
  var seed: UInt64
  var quick: Bool
  /// How many times a site of the round's cohort was not in its sum.
  var dropped: Int
  var drops: [Dropped]
  var federated: Score
  var centralised: Score
  var localOnly: Locals
  var bytes: Bytes
  var seconds: Seconds
  /// What the job cost by its server's account; nil without noise.
  var privacy: Privacy?
  /// Of the weights that a job with privacy began with.
  var start: Score?
  var formalGuarantee: Bool { privacy?.epsilon != nil }

  enum CodingKeys: String, CodingKey {
    case sites, rounds, seed, quick, dropped, drops, federated, centralised, bytes, seconds, epsilon, delta, unit, start
    case localEpochs = "local_epochs"
    case localOnly = "local_only"
    case formalGuarantee = "formal_guarantee"
    case ledgerVerified = "ledger_verified"
  }

  func encode(to encoder: any Encoder) throws {
    var into = encoder.container(keyedBy: CodingKeys.self)
    try into.encode(sites, forKey: .sites)
    try into.encode(rounds, forKey: .rounds)
    try into.encode(localEpochs, forKey: .localEpochs)
    try into.encode(seed, forKey: .seed)
    try into.encode(quick, forKey: .quick)
    try into.encode(dropped, forKey: .dropped)
    try into.encode(drops, forKey: .drops)
    try into.encode(federated, forKey: .federated)
    try into.encode(centralised, forKey: .centralised)
    try into.encode(localOnly, forKey: .localOnly)
    try into.encode(bytes, forKey: .bytes)
    try into.encode(seconds, forKey: .seconds)
    try into.encode(formalGuarantee, forKey: .formalGuarantee)
    try into.encode(privacy?.epsilon, forKey: .epsilon)
    try into.encode(privacy?.delta, forKey: .delta)
    try into.encode(privacy?.unit, forKey: .unit)
    try into.encode(start, forKey: .start)
    try into.encodeNil(forKey: .ledgerVerified)
  }

  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}
