// What one run of the demo does: how many scenes, rounds and epochs. docs/results.md says what was measured.
import Federation

/// The command line's wishes, as given.
public struct DemoOptions: Sendable {
  public var sites = 5
  public var rounds: Int?
  /// How many sites are killed in the middle of a round, each once.
  public var drop = 1
  public var quick = false
  public var seed: UInt64 = 1
  public var outputFolder: String
  /// A `federated.yaml` whose training section replaces the demo's own.
  public var configuration: String?
  /// Take a configuration that asks for differential privacy and run without it.
  public var withoutPrivacy = false
  /// Data folders with a `data.yaml` each, one a site; empty for the garment scenes.
  public var dataFolders: [String] = []
  /// Folder of the `secagg-*` programs.
  public var programFolder: String

  public init(outputFolder: String, programFolder: String) {
    (self.outputFolder, self.programFolder) = (outputFolder, programFolder)
  }
}

/// The sizes that the run was resolved to.
struct DemoPlan: Sendable {
  var sites: Int
  var trainingScenes: ClosedRange<Int>
  var validationScenes: Int
  var rounds: Int
  var localEpochs: Int
  var roundsPerEpoch = 1
  var batchSize = 4
  var nominalBatch = 4
  var imageSize = 128
  /// Learning rate and epochs of warm-up.
  struct Rates: Sendable {
    var learningRate: Double
    var warmupEpochs: Double
  }

  /// Batches of 4 take larger rates than YOLOv5's 0.01 for 64 images a step: the gradient is a sum over the batch. The mean of several models
  /// wants more than one model on all the data, or at one site, is best with (docs/results.md).
  var federated = Rates(learningRate: 0.05, warmupEpochs: 1)
  var baseline = Rates(learningRate: 0.04, warmupEpochs: 3)
  /// Rounds with batch statistics; later the global ones are held fixed.
  var batchNormRounds: Int
  /// The server's momentum in those later rounds.
  var serverMomentum = 0.75
  /// Baselines are measured on the validation scenes every this many epochs, and after the last.
  var validationPeriod = 1

  /// Local epochs after a round.
  func epochs(after round: Int) -> Double { Double(round * localEpochs) / Double(roundsPerEpoch) }
  var epochs: Int { Int(epochs(after: rounds).rounded(.up)) }

  /// The training section of a federated.yaml in place of the demo's own.
  private mutating func take(_ training: FederatedConfig.Training) {
    (rounds, localEpochs, roundsPerEpoch) = (training.rounds, training.localEpochs, training.roundsPerEpoch)
    (batchSize, nominalBatch) = (training.batchSize, training.nominalBatch)
    federated = Rates(learningRate: training.learningRate, warmupEpochs: training.warmupEpochs)
    (baseline, batchNormRounds, serverMomentum) = (federated, training.batchNormRounds, training.serverMomentum)
  }

  static func resolved(_ options: DemoOptions) throws -> DemoPlan {
    var plan =
      options.quick
      ? DemoPlan(
        sites: options.sites, trainingScenes: 90...150, validationScenes: 24, rounds: 40, localEpochs: 1, roundsPerEpoch: 2,
        batchNormRounds: 14, serverMomentum: 0.6)
      : DemoPlan(sites: options.sites, trainingScenes: 150...300, validationScenes: 60, rounds: 60, localEpochs: 1, batchNormRounds: 8)
    if let path = options.configuration { plan.take(try FederatedConfig.load(path, withoutPrivacy: options.withoutPrivacy).training) }
    if let rounds = options.rounds { (plan.rounds, plan.batchNormRounds) = (rounds, min(plan.batchNormRounds, (rounds + 1) / 2)) }
    plan.validationPeriod = max(1, plan.epochs / 10)
    return plan
  }
}

/// Mean average precision of one model.
struct Score: Sendable, Codable, Equatable {
  /// mAP at IoU 0.5.
  var map50: Double
  /// mAP averaged over IoU 0.5 to 0.95.
  var map: Double
}

/// A training curve: scores by local epochs done.
struct Curve: Sendable {
  var name: String
  var points: [(epoch: Int, score: Score)] = []
  var last: Score? { points.last?.score }
}
