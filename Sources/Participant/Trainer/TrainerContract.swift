// The trainer contract (docs: trainer): what a site's client puts into a job directory and what a trainer leaves there. Keys never stand
// in it. Reading is strict: a result is input from outside, even though it comes from the site's own program.
import Federation
import Foundation
import SecAgg

/// `job.json`.
public struct TrainerJob: Codable, Equatable, Sendable {
  public enum Kind: String, Codable, Sendable {
    /// Count the samples; train nothing.
    case census
    /// Train and leave the new weights.
    case weights
    /// Leave the sum of the clipped gradients of a sample of the images.
    case gradientSum = "gradient_sum"
  }

  /// What batch norms normalise with.
  public enum Norm: String, Codable, Sendable {
    /// Each batch's own statistics; running statistics follow.
    case batch
    /// The running statistics of the given weights, which stay as they are.
    case frozen
  }

  /// The optimiser and YOLOv5's schedules, which run over the whole job.
  public struct Optimizer: Codable, Equatable, Sendable {
    /// `sgd`, with Nesterov momentum, or `adamw`.
    public var name: String
    public var learningRate: Double
    public var momentum: Double
    public var weightDecay: Double
    /// The batch size that the weight decay is meant for.
    public var nominalBatch: Int
    public var warmupEpochs: Double
    /// Learning rate at the end of the job over that at its start.
    public var finalLRFraction: Double
    /// Cosine instead of linear decay.
    public var cosine: Bool

    enum CodingKeys: String, CodingKey {
      case name
      case learningRate = "learning_rate"
      case momentum
      case weightDecay = "weight_decay"
      case nominalBatch = "nominal_batch"
      case warmupEpochs = "warmup_epochs"
      case finalLRFraction = "final_lr_fraction"
      case cosine
    }

    public init(
      name: String, learningRate: Double, momentum: Double, weightDecay: Double, nominalBatch: Int, warmupEpochs: Double,
      finalLRFraction: Double, cosine: Bool
    ) {
      self.name = name
      self.learningRate = learningRate
      self.momentum = momentum
      self.weightDecay = weightDecay
      self.nominalBatch = nominalBatch
      self.warmupEpochs = warmupEpochs
      self.finalLRFraction = finalLRFraction
      self.cosine = cosine
    }
  }

  /// Clipping and noise for privacy by record (spec/13): `form` `local` has noise in every step, `distributed` a sum of gradients to which
  /// this client adds its share.
  public struct Privacy: Codable, Equatable, Sendable {
    public var unit = "record"
    public var form: String
    public var clip: Double
    public var samplingRate: Double
    // Form local.
    public var clipQuantile: Double?
    public var noiseMultiplier: Double?
    public var lotSize: Int?
    // Form distributed.
    public var resolution: Int?
    public var normSquaredMax: UInt64?
    public var blockBits: Int?
    public var rotationKey: String?
    /// Values of the sum that is to come back; the trainer knows them from the weights.
    var sumCount: Int?

    enum CodingKeys: String, CodingKey {
      case unit, form, clip, resolution
      case clipQuantile = "clip_quantile"
      case noiseMultiplier = "noise_multiplier"
      case samplingRate = "sampling_rate"
      case lotSize = "lot_size"
      case normSquaredMax = "norm_squared_max"
      case blockBits = "block_bits"
      case rotationKey = "rotation_key"
    }

    /// nil where single images have no privacy of their own.
    /// - Parameter plan: of the attempt, whose ctx and grid a sum of gradients takes.
    public init?(_ privacy: JobPlan.Privacy, plan: RoundPlan) {
      guard let records = privacy.records else { return nil }
      (form, clip, samplingRate) = (records.form.rawValue, privacy.clip, records.samplingRate)
      switch records.form {
      case .local: (clipQuantile, noiseMultiplier, lotSize) = (records.clipQuantile, privacy.noiseMultiplier, records.lotSize)
      case .distributed:
        guard case .noised(let encoding)? = try? Mechanism(decoding: plan.mechanism) else { return nil }
        sumCount = encoding.paddedDimension
        (resolution, normSquaredMax, blockBits) = (Int(encoding.resolution), encoding.normSquaredMax, encoding.blockBits)
        rotationKey = Hexadecimal.text(NoisedEncoding.rotationKey(context: plan.context))
      }
    }
  }

  public var kind: Kind
  /// 1 is the first training round; 0 the census.
  public var round: Int
  public var rounds: Int
  public var localEpochs: Int
  /// Rounds that an epoch is cut into; above 1 this round trains on part `part` (from 0) of epoch `firstEpoch`.
  public var roundsPerEpoch: Int
  public var part: Int
  public var batchSize: Int
  /// Pixels a side.
  public var imageSize: Int
  /// Path of the site's `data.yaml`.
  public var data: String
  public var optimizer: Optimizer
  /// Local epochs of the whole job, for the schedules.
  public var totalEpochs: Int
  /// Local epochs before this round, for the schedules.
  public var firstEpoch: Int
  public var seed: UInt64
  public var threads: Int
  public var augment: Bool
  public var norm: Norm
  /// Path of the optimiser's state: read if it exists, replaced at the end. It never leaves the site.
  public var state: String
  /// Whether to measure mAP on the site's validation images.
  public var validate: Bool
  public var privacy: Privacy?

  enum CodingKeys: String, CodingKey {
    case kind, round, rounds
    case localEpochs = "local_epochs"
    case roundsPerEpoch = "rounds_per_epoch"
    case part
    case batchSize = "batch_size"
    case imageSize = "image_size"
    case data, optimizer
    case totalEpochs = "total_epochs"
    case firstEpoch = "first_epoch"
    case seed, threads, augment, norm, state, validate, privacy
  }

  public init(
    kind: Kind, round: Int, rounds: Int, localEpochs: Int, roundsPerEpoch: Int = 1, batchSize: Int, imageSize: Int, data: String,
    optimizer: Optimizer, seed: UInt64, threads: Int, augment: Bool, norm: Norm = .batch, state: String, validate: Bool,
    privacy: Privacy? = nil
  ) {
    self.kind = kind
    self.round = round
    self.rounds = rounds
    self.localEpochs = localEpochs
    self.roundsPerEpoch = roundsPerEpoch
    let before = max(0, round - 1)
    part = before % roundsPerEpoch
    self.batchSize = batchSize
    self.imageSize = imageSize
    self.data = data
    self.optimizer = optimizer
    totalEpochs = (rounds * localEpochs + roundsPerEpoch - 1) / roundsPerEpoch
    firstEpoch = before * localEpochs / roundsPerEpoch
    self.seed = seed
    self.threads = threads
    self.augment = augment
    self.norm = norm
    self.state = state
    self.validate = validate
    self.privacy = privacy
  }
}

/// `result.json`.
public struct TrainerReport: Decodable, Equatable, Sendable {
  /// Images that were trained on (a census: that would be).
  public let sampleCount: Int
  /// `box_loss`, `obj_loss`, `cls_loss`, `map50`, `map`, each if the trainer measured it.
  public let metrics: [String: Double]
  public let seconds: Double
  /// Steps that were noised, in a job with privacy by record.
  public let noisedSteps: Int?

  /// More samples than this at one site are not believed.
  public static let sampleCountMax = 1 << 30
  static let fileBytesMax = 1 << 20
  static let metricsMax = 64

  enum CodingKeys: String, CodingKey {
    case sampleCount = "sample_count"
    case metrics, seconds
    case noisedSteps = "noised_steps"
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    sampleCount = try fields.decode(Int.self, forKey: .sampleCount)
    // A metric that was not measured may stand as null.
    let found = try fields.decodeIfPresent([String: Double?].self, forKey: .metrics) ?? [:]
    metrics = found.compactMapValues { $0 }
    seconds = try fields.decodeIfPresent(Double.self, forKey: .seconds) ?? 0
    noisedSteps = try fields.decodeIfPresent(Int.self, forKey: .noisedSteps)
  }

  /// Reads and checks `result.json`.
  /// - Parameter mayBeEmpty: noise hides how many images there are, so there may be none.
  static func read(path: String, mayBeEmpty: Bool) throws(ParticipantError) -> TrainerReport {
    let bytes = try SiteFiles.read(path, bytesMax: fileBytesMax)
    let report: TrainerReport
    do {
      report = try JSONDecoder().decode(TrainerReport.self, from: Data(bytes))
    } catch {
      throw bad("\(path) is not the JSON object that the trainer contract asks for")
    }
    guard ((mayBeEmpty ? 0 : 1)...sampleCountMax).contains(report.sampleCount) else {
      throw bad("\(path): sample_count \(report.sampleCount) is not between 1 and \(sampleCountMax)")
    }
    guard report.metrics.count <= metricsMax, report.metrics.values.allSatisfy(\.isFinite), report.seconds.isFinite else {
      throw bad("\(path): more than \(metricsMax) metrics, or one that is not finite")
    }
    return report
  }

  static func bad(_ reason: String) -> ParticipantError {
    ParticipantError(.trainerResult, reason, hint: "check the trainer; a custom one must follow the trainer contract")
  }
}
