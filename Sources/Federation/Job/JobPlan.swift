// What the server and every site must agree on for a whole job: the model, the schedule, the hyper-parameters, the encoding. Its digest
// enters ctx of every round as the configuration digest, so a site that was shown other parameters computes garbage rather than a leak.
import Sodium

public struct JobPlan: Equatable, Sendable {
  /// How the sites' trainers turn gradients into steps.
  public enum Optimizer: String, Sendable, CaseIterable {
    /// With Nesterov momentum.
    case sgd
    /// Steps that do not depend on the gradient's size, and decay apart from it.
    case adamW = "adamw"
  }

  /// YOLOv5's optimiser settings; schedules run over the whole job.
  public struct Training: Equatable, Sendable {
    /// Epochs of a round; 1 where `roundsPerEpoch` is more than 1.
    public var localEpochs = 1
    /// Rounds that an epoch is cut into: each trains on its share of the epoch's batches.
    public var roundsPerEpoch = 1
    public var batchSize = 16
    /// The batch size that the weight decay is meant for.
    public var nominalBatch = 64
    public var optimizer = Optimizer.sgd
    public var learningRate = 0.01
    public var momentum = 0.937
    public var weightDecay = 0.0005
    public var warmupEpochs = 3.0
    /// Learning rate of the last epoch over that of the first.
    public var finalLearningRateFraction = 0.01
    public var cosine = false
    public var augment = true
    /// Rounds in which sites normalise with the statistics of their own batches. In later rounds they take the global running
    /// statistics, which then stay as they are; a number of all rounds or more never freezes them.
    public var batchNormRounds = Int(UInt32.max)
    /// How much of its last step the server repeats in rounds with frozen statistics; 0 is FedAvg.
    public var serverMomentum = 0.0
    public var seed: UInt64 = 0
    public init() {}
  }

  /// How updates become integers (spec/04-quantisation-and-wrap-bound.md).
  public struct Quantisation: Equatable, Sendable {
    /// Ring width of weights, 8 to 32; statistics always have 32 (RoundEncoding).
    public var bits = 20
    /// Largest change of a weight in one round.
    public var parameterRange = 1.0
    /// Largest change of a running statistic, as a multiple of max(1, |global value|).
    public var statisticsRange = 4.0
    public init() {}
  }

  /// Noise of a job. Without `records` the unit is one site, whose update is there or replaced by zero, and every sum is noised (spec/12).
  /// With them it is one image, added or removed (spec/13).
  public struct Privacy: Equatable, Sendable {
    /// How images take part in the steps of a site's trainer.
    public struct Records: Equatable, Sendable {
      /// Who adds the noise.
      public enum Form: String, Sendable, CaseIterable {
        /// The site's trainer, in every step of its own.
        case local
        /// The sites together: a round is one step, their sums of gradients are added under masks, and each adds its share.
        case distributed
      }

      public var form = Form.local
      /// q: probability with which each image is in a step.
      public var samplingRate: Double
      /// The share of gradients that the clip is moved to leave whole; nil: it stays.
      public var clipQuantile: Double?
      /// What the noised sum of gradients is divided by; of sums of many sites each one's share of it.
      public var lotSize: Int

      public init(samplingRate: Double, clipQuantile: Double? = nil, lotSize: Int, form: Form = .local) {
        self.form = form
        (self.samplingRate, self.clipQuantile, self.lotSize) = (samplingRate, clipQuantile, lotSize)
      }
    }

    /// Which noise.
    public enum Noise: String, Sendable, CaseIterable {
      case discreteGaussian = "discrete_gaussian"
      /// Shared by sites, and taken out of a sum again as far as it is too much (spec/12, "Noise that is removed").
      case skellam
    }

    /// C: largest L2 norm of a site's update, or of one image's gradient.
    public var clip: Double
    /// z: the noise that is assured in a sum, or added in a step, over the L2 sensitivity.
    public var noiseMultiplier: Double
    /// What the whole job may cost at most, at `delta`.
    public var epsilon: Double
    public var delta: Double
    public var noise: Noise
    public var records: Records?

    public init(
      clip: Double, noiseMultiplier: Double, epsilon: Double, delta: Double, noise: Noise = .discreteGaussian, records: Records? = nil
    ) {
      self.noise = noise
      (self.clip, self.noiseMultiplier, self.epsilon, self.delta) = (clip, noiseMultiplier, epsilon, delta)
      self.records = records
    }
  }

  /// 1 to 256 bytes.
  public var name: String
  /// Name of the model, e.g. `yolov5n`: for people and for a site's policy.
  public var model: String
  public var classes: [String]
  /// Pixels a side, a multiple of 32.
  public var imageSize: Int
  /// Training rounds, 1 to `rounds`; round 0 is the census.
  public var rounds: Int
  public var training = Training()
  public var quantisation = Quantisation()
  /// Sizes of the flat vector (WeightsLayout) and the digest of its names and shapes.
  public var parameterCount: Int
  public var statisticCount: Int
  public var layoutDigest: [UInt8]
  /// Of the weights that the job begins with.
  public var initialWeightsDigest: [UInt8]
  /// Whether sites measure mAP on their own validation images and add it to the sums.
  public var validatesLocally = false
  /// nil: sums carry no noise, and there is no guarantee beyond the masks.
  public var privacy: Privacy?

  public init(
    name: String, model: String, classes: [String], imageSize: Int, rounds: Int, parameterCount: Int, statisticCount: Int,
    layoutDigest: [UInt8], initialWeightsDigest: [UInt8]
  ) {
    (self.name, self.model, self.classes, self.imageSize, self.rounds) = (name, model, classes, imageSize, rounds)
    (self.parameterCount, self.statisticCount) = (parameterCount, statisticCount)
    (self.layoutDigest, self.initialWeightsDigest) = (layoutDigest, initialWeightsDigest)
  }

  /// The job's first round. A job with privacy has no census: sites weigh the same, and their counts are not sent.
  public var firstRound: UInt32 { privacy == nil ? 0 : 1 }

  /// Local epochs of the whole job, a begun one counted whole.
  public var totalEpochs: Int { (rounds * training.localEpochs + training.roundsPerEpoch - 1) / training.roundsPerEpoch }

  /// The server's momentum in a round. With batch statistics there is none: the pooled statistics belong to the mean of the sites'
  /// weights, not to weights beyond it. Where sites send gradients, the server takes the optimiser's steps.
  public func serverMomentum(round: UInt32) -> Double {
    if sumsGradients { return training.momentum }
    return round > training.batchNormRounds ? training.serverMomentum : 0
  }

  /// Whether sums carry noise that the sites share.
  public var noisesSums: Bool { privacy.map { $0.records == nil || sumsGradients } ?? false }

  /// Whether a round is one step along a noised sum of gradients, rather than a mean of trained weights.
  public var sumsGradients: Bool { privacy?.records?.form == .distributed }

  /// The configuration digest: BLAKE2b-256 of the canonical bytes.
  public var digest: [UInt8] { BLAKE2b.hash(encoded(), size: 32) }
}

/// Why a job plan is not accepted.
public struct JobPlanError: Error, Equatable, Sendable {
  public let reason: String
}
