// A job as the operator's configuration, the consortium's roster and a weights file make it.
import Federation
import Safetensors
import SecAgg
import Sodium

/// Everything that a job is.
public struct JobSetup: Sendable {
  public var plan: JobPlan
  public var roster: RosterView
  /// Names of the sites, for people.
  public var siteNames: [SiteID: String]
  public var signingKey: Ed25519.SigningKey
  public var settings: RoundSettings
  /// Holds `events.jsonl`, `attempts.journal` and `weights/`.
  public var stateDirectory: String
  /// What the job begins with.
  public var weightsPath: String

  public init(
    plan: JobPlan, roster: RosterView, siteNames: [SiteID: String], signingKey: Ed25519.SigningKey, settings: RoundSettings,
    stateDirectory: String, weightsPath: String
  ) {
    (self.plan, self.roster, self.siteNames, self.signingKey) = (plan, roster, siteNames, signingKey)
    (self.settings, self.stateDirectory, self.weightsPath) = (settings, stateDirectory, weightsPath)
  }

  /// - Throws: ``CoordinatorError`` where weights, roster and configuration do not go together.
  public init(
    _ config: FederatedConfig, roster: VerifiedRoster, signingKey: Ed25519.SigningKey, weightsPath: String
  ) throws(CoordinatorError) {
    if let stated = config.aggregation.colluders, stated != roster.view.colluders {
      throw CoordinatorError(
        .badJob, "federated.yaml says {colluders: \(stated)}, the signed roster \(roster.view.colluders)",
        hint: "the roster decides; leave `security.aggregation.colluders` out, or have the consortium sign another roster")
    }
    let settings = RoundSettings(config)
    let needed = settings.sitesNeeded(colluders: roster.view.colluders)
    guard roster.view.siteKeys.count >= needed else {
      throw CoordinatorError(
        .badJob, "a round needs \(needed) sites, and the roster has \(roster.view.siteKeys.count) that are valid now",
        hint: "add sites to the roster, or lower `min_sites` or the roster's number of colluders")
    }
    self.init(
      plan: try JobPlan(config, weightsPath: weightsPath), roster: roster.view,
      siteNames: Dictionary(uniqueKeysWithValues: roster.roster.members.map { ($0.site, $0.name) }), signingKey: signingKey,
      settings: settings, stateDirectory: config.server.stateDirectory, weightsPath: weightsPath)
  }
}

extension RoundSettings {
  public init(_ config: FederatedConfig) {
    self.init(minimumSites: config.aggregation.minimumSites)
    let wait = config.communication.deadlines
    sitesDeadline = .seconds(wait.join)
    deadlines = [
      .plan: .seconds(wait.plan), .keys: .seconds(wait.keys), .shares: .seconds(wait.shares), .acknowledge: .seconds(wait.acknowledge),
      .maskedInput: .seconds(wait.maskedInput), .consistency: .seconds(wait.consistency), .reveal: .seconds(wait.reveal),
    ]
    graph = config.aggregation.graph
    dropoutRate = config.aggregation.dropoutRate
    attemptsMax = config.communication.attempts
    chunkBytes = config.communication.chunkBytes
  }
}

extension JobPlan {
  /// The plan of a job that begins with the weights in this file.
  public init(_ config: FederatedConfig, weightsPath: String) throws(CoordinatorError) {
    let (bytes, file): ([UInt8], SafetensorsFile)
    do {
      bytes = try FileBytes.read(path: weightsPath, bytesMax: JobWeights.fileBytesMax)
      file = try SafetensorsFile(parsing: bytes)
    } catch {
      throw CoordinatorError(
        .weights, "the weights in \(weightsPath) cannot be used: \(error.reason)",
        hint: "give a whole safetensors file with --weights; `secagg init-weights` makes a fresh one")
    }
    let layout = WeightsLayout(file)
    self.init(
      name: config.job, model: config.model.name, classes: try Self.classes(config, file, weightsPath), imageSize: config.model.imageSize,
      rounds: config.training.rounds, parameterCount: layout.parameterCount, statisticCount: layout.statisticCount,
      layoutDigest: Self.layoutDigest(layout), initialWeightsDigest: Self.weightsDigest(bytes))
    let from = config.training
    training.localEpochs = from.localEpochs
    training.roundsPerEpoch = from.roundsPerEpoch
    training.batchSize = from.batchSize
    training.nominalBatch = from.nominalBatch
    training.optimizer = from.optimizer
    training.learningRate = from.learningRate
    training.momentum = from.momentum
    training.weightDecay = from.weightDecay
    training.warmupEpochs = from.warmupEpochs
    training.finalLearningRateFraction = from.finalLearningRateFraction
    training.cosine = from.cosine
    training.augment = from.augment
    training.batchNormRounds = from.batchNormRounds
    training.serverMomentum = from.serverMomentum
    training.seed = from.seed
    quantisation.bits = config.aggregation.bits
    quantisation.parameterRange = config.aggregation.parameterRange
    quantisation.statisticsRange = config.aggregation.statisticsRange
    validatesLocally = from.validate
    if config.privacy.enabled, !config.privacyWaived {
      privacy = try Self.privacy(config)
      training.batchNormRounds = 0
    }
    do {
      try validate()
    } catch {
      throw CoordinatorError(.badJob, error.reason, hint: "change federated.yaml, or give the weights of the job's model with --weights")
    }
  }

  private static func privacy(_ config: FederatedConfig) throws(CoordinatorError) -> Privacy {
    do {
      return try Privacy.planned(config)
    } catch {
      throw CoordinatorError(
        .badJob, "no noise keeps \(config.training.rounds) rounds within the job's epsilon: \(error.reason)",
        hint: "allow more epsilon, or fewer rounds")
    }
  }

  /// The classes that the file of the job states, or as many as the detection head of the weights has.
  private static func classes(_ config: FederatedConfig, _ file: SafetensorsFile, _ path: String) throws(CoordinatorError) -> [String] {
    // Three anchors a cell, each with box, objectness and the classes.
    let head = file.entries.first { $0.name.hasPrefix("model.") && $0.name.hasSuffix(".m.0.weight") && $0.shape.count == 4 }
    let found = head.flatMap { $0.shape[0] % 3 == 0 ? $0.shape[0] / 3 - 5 : nil }.flatMap { $0 >= 1 ? $0 : nil }
    guard let stated = config.model.classes?.names else {
      guard let found else {
        throw CoordinatorError(
          .badJob, "\(path) does not tell the number of classes", hint: "state `model: {classes: [...]}` in federated.yaml")
      }
      return FederatedConfig.Model.Classes.count(found).names
    }
    if let found, found != stated.count {
      throw CoordinatorError(
        .badJob, "federated.yaml names \(stated.count) classes, the head in \(path) has \(found)", hint: "make the two agree")
    }
    return stated
  }
}
