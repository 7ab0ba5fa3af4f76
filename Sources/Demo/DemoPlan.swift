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
  /// What the user's configuration asks for; nil: no noise. With it the job begins with weights of public scenes and group norms.
  var privacy: FederatedConfig.Privacy?
  /// Public scenes, and epochs on them, where there is privacy.
  var publicScenes = 400
  var publicEpochs = 40

  /// What the comparisons train with: a user's own settings, or YOLOv5's SGD on the garments.
  var baseline: FederatedConfig.Training
  /// Baselines are measured on the validation scenes every this many epochs, and after the last.
  var validationPeriod = 1

  /// Whether the sites share the noise of a sum, rather than each adding its own in every step.
  var sharesNoise: Bool { privacy?.form == .distributed }

  /// Local epochs after a round; where a round is one step, the share of the images that it saw.
  func epochs(after round: Int) -> Double {
    if sharesNoise, let privacy {
      return Double(round) * (privacy.samplingRate ?? FederatedConfig.Privacy.samplingRateUsual)
    }
    return Double(round * training.localEpochs) / Double(training.roundsPerEpoch)
  }
  var rounds: Int { training.rounds }
  var epochs: Int { Int(epochs(after: rounds).rounded(.up)) }

  /// Whether the weights after a round are measured: some 30 times in a job, not before an epoch is over, and after the last.
  func isMeasured(after round: Int) -> Bool { round.isMultiple(of: max(training.roundsPerEpoch, rounds / 30)) || round == rounds }

  /// Sites train with AdamW: the mean of several models that SGD trained is far worse (docs/results.md).
  private static func garments(quick: Bool) -> FederatedConfig.Training {
    var training = FederatedConfig.Training()
    (training.localEpochs, training.roundsPerEpoch, training.batchSize, training.nominalBatch) = (1, 2, 4, 4)
    (training.optimizer, training.learningRate, training.momentum, training.weightDecay) = (.adamW, 0.002, 0.9, 0.01)
    (training.warmupEpochs, training.serverMomentum) = (1, 0.6)
    (training.rounds, training.freezeNormAfter) = quick ? (40, 10) : (110, 12)
    return training
  }

  /// YOLOv5's SGD at a rate for batches of 4: its gradient is a sum over the batch, and 0.01 is meant for 64 images.
  private static let oneModel: FederatedConfig.Training = {
    var training = FederatedConfig.Training()
    (training.batchSize, training.nominalBatch, training.learningRate) = (4, 4, 0.04)
    return training
  }()

  static func resolved(_ options: DemoOptions) throws -> DemoPlan {
    let quick = options.quick
    var plan = DemoPlan(
      sites: options.sites, trainingScenes: quick ? 90...150 : 150...300, validationScenes: quick ? 24 : 60,
      training: garments(quick: quick), baseline: oneModel)
    if let path = options.configuration {
      let config = try FederatedConfig.load(path, withoutPrivacy: options.withoutPrivacy)
      if config.privacy.enabled, !config.privacyWaived {
        guard config.privacy.unit == .record else {
          throw FederationError(
            .privacyNotBuilt, "\(path) asks for privacy of whole sites, which five sites cannot have and learn anything",
            hint: "write `unit: record`, or run with --without-privacy; `secagg plan` shows what it would cost these sites")
        }
        plan.privacy = config.privacy
      }
      plan.training = config.training
      plan.baseline = plan.training
    }
    if quick { (plan.publicScenes, plan.publicEpochs) = (240, 30) }
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
