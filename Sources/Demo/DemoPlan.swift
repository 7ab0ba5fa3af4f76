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
  /// The training section of the job's federated.yaml.
  var training: FederatedConfig.Training
  var imageSize = 128

  /// What the comparisons train with where the federated job's own settings are not best for one model.
  struct Rates: Sendable {
    var learningRate: Double
    var warmupEpochs: Double
    var isCosine = false
  }
  var baseline = Rates(learningRate: 0.04, warmupEpochs: 3)
  /// Baselines are measured on the validation scenes every this many epochs, and after the last.
  var validationPeriod = 1

  /// Local epochs after a round.
  func epochs(after round: Int) -> Double { Double(round * training.localEpochs) / Double(training.roundsPerEpoch) }
  var rounds: Int { training.rounds }
  var epochs: Int { Int(epochs(after: rounds).rounded(.up)) }

  /// Whether the weights after a round are measured: some 30 times in a job, not before an epoch is over, and after the last.
  func isMeasured(after round: Int) -> Bool { round.isMultiple(of: max(training.roundsPerEpoch, rounds / 30)) || round == rounds }

  /// Batches of 4 take larger rates than YOLOv5's 0.01 for 64 images a step: the gradient is a sum over the batch. The mean of several models
  /// wants more than one model on all the data, or at one site, is best with (docs/results.md).
  private static func garments(quick: Bool) -> FederatedConfig.Training {
    var training = FederatedConfig.Training()
    (training.localEpochs, training.batchSize, training.nominalBatch, training.warmupEpochs) = (1, 4, 4, 1)
    if quick {
      (training.rounds, training.roundsPerEpoch, training.learningRate) = (40, 2, 0.05)
      (training.freezeNormAfter, training.serverMomentum) = (14, 0.6)
    } else {
      (training.rounds, training.learningRate) = (60, 0.05)
      (training.freezeNormAfter, training.serverMomentum) = (8, 0.75)
    }
    return training
  }

  static func resolved(_ options: DemoOptions) throws -> DemoPlan {
    let quick = options.quick
    var plan = DemoPlan(
      sites: options.sites, trainingScenes: quick ? 90...150 : 150...300, validationScenes: quick ? 24 : 60,
      training: garments(quick: quick))
    if let path = options.configuration {
      plan.training = try FederatedConfig.load(path, withoutPrivacy: options.withoutPrivacy).training
      plan.baseline = Rates(
        learningRate: plan.training.learningRate, warmupEpochs: plan.training.warmupEpochs, isCosine: plan.training.cosine)
    }
    if let rounds = options.rounds {
      plan.training.freezeNormAfter = min(plan.training.batchNormRounds, (rounds + 1) / 2)
      plan.training.rounds = rounds
    }
    plan.training.seed = options.seed
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
