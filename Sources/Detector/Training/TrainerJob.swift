// The job file of the trainer contract: what a site's trainer is asked to do in one round, in a folder of its own.
// Invariant: the file is read strictly (unknown keys refused) and whole before anything is opened or written.

import DPAccountant
import Foundation
import Safetensors

/// One job of a site's trainer.
public struct TrainerJob: Equatable, Sendable {
  public enum Kind: String, Sendable {
    /// Train the given weights and hand back the new ones.
    case weights
    /// Count the training images only.
    case census
    /// Sum the clipped gradients of a sample of the images, for others to add noise to.
    case gradientSum = "gradient_sum"
  }

  public var kind: Kind
  /// Round of the federated job (the census is round 0) and how many there are.
  public var round: Int
  public var rounds: Int
  /// Epochs of this round, and the epoch of the whole job that it starts at.
  public var localEpochs: Int
  public var firstEpoch: Int
  /// Which part of its epochs the round trains on.
  public var part: EpochPart
  /// Path of `data.yaml`.
  public var data: String
  /// Path of the optimiser's state, which stays at the site; nil keeps none.
  public var state: String?
  /// Score the trained weights on the site's validation images.
  public var isValidating: Bool
  /// Everything that a run needs, `epochs` being those of the whole job.
  public var options: TrainingOptions

  public static let fileName = "job.json"
  private static let bytesMax = 1 << 20

  /// Reads `job.json` of a job folder. Relative paths in it are relative to that folder.
  public static func read(folder: String) throws(TrainingError) -> TrainerJob {
    let path = "\(folder)/\(fileName)"
    let bytes: [UInt8]
    do { bytes = try FileBytes.read(path: path, bytesMax: bytesMax) } catch {
      throw TrainingError(.badJob, error.reason, hint: "a job folder holds \(fileName) and weights.safetensors")
    }
    return try TrainerJob(parsing: bytes, file: path, folder: folder)
  }

  /// - Parameters:
  ///   - file: named in errors.
  ///   - folder: where relative paths start.
  public init(parsing bytes: [UInt8], file: String, folder: String) throws(TrainingError) {
    var fields = try JSONFields(parsing: bytes, file: file)
    let kindName = try fields.text("kind")
    guard let kind = Kind(rawValue: kindName) else {
      throw TrainingError(
        .badJob, "\(file): kind \"\(kindName.prefix(40))\" is unknown",
        hint: "this trainer knows \"weights\", \"census\" and \"gradient_sum\"")
    }
    self.kind = kind
    let epochs = TrainingOptions.epochsRange
    round = try fields.integer("round", in: 0...1_000_000)
    rounds = try fields.integer("rounds", in: 1...1_000_000, default: max(round, 1))
    localEpochs = try fields.integer("local_epochs", in: epochs, default: 1)
    firstEpoch = try fields.integer("first_epoch", in: 0...epochs.upperBound, default: 0)
    let parts = try fields.integer("rounds_per_epoch", in: 1...EpochPart.countMax, default: 1)
    part = EpochPart(number: try fields.integer("part", in: 0...(parts - 1), default: 0), count: parts)
    data = Self.absolute(try fields.text("data"), in: folder)
    state = try fields.optionalText("state").map { Self.absolute($0, in: folder) }
    isValidating = try fields.flag("validate", default: false)
    options = try Self.options(&fields, epochsDefault: firstEpoch + localEpochs)
    try fields.finish()
    do { try options.validate() } catch {
      throw TrainingError(.badJob, "\(file): \(error.reason)", hint: error.hint)
    }
    guard (kind == .gradientSum) == (options.sharedGradients != nil) else {
      throw TrainingError(
        .badJob, "\(file): kind gradient_sum and privacy of form distributed go together", hint: "give both, or none of them")
    }
    guard parts == 1 || localEpochs == 1 else {
      throw TrainingError(.badJob, "\(file): a part of \(localEpochs) epochs", hint: "rounds_per_epoch above 1 goes with local_epochs 1")
    }
    guard firstEpoch + localEpochs <= options.epochs || kind == .census else {
      throw TrainingError(
        .badJob, "\(file): epochs \(firstEpoch) to \(firstEpoch + localEpochs) lie beyond total_epochs \(options.epochs)",
        hint: "first_epoch + local_epochs must not exceed total_epochs")
    }
  }

  private static func options(
    _ fields: inout JSONFields, epochsDefault: Int
  ) throws(TrainingError) -> TrainingOptions {
    var options = TrainingOptions()
    options.imageSize = try fields.integer("image_size", in: TrainingOptions.imageSizeRange, default: options.imageSize)
    options.batchSize = try fields.integer("batch_size", in: TrainingOptions.batchSizeRange, default: options.batchSize)
    options.epochs = try fields.integer("total_epochs", in: TrainingOptions.epochsRange, default: epochsDefault)
    options.seed = try fields.seed("seed")
    options.threads = try fields.integer("threads", in: TrainingOptions.threadsRange, default: options.threads)
    options.isAugmented = try fields.flag("augment", default: true)
    if let name = try fields.optionalText("norm") {
      guard let norm = NormMode(rawValue: name) else {
        throw TrainingError(.badJob, "\(fields.file): norm \"\(name.prefix(40))\" is unknown", hint: "batch, frozen or group")
      }
      options.norm = norm
    }
    try readPrivacy(&fields, &options)
    // Off where privacy is on, so that a job need not say it.
    if options.hidesImages { (options.hyper.mosaic, options.hyper.mixup) = (0, 0) }
    var optimizer = try fields.object("optimizer")
    if let name = try optimizer.optionalText("name") {
      guard let kind = OptimizerKind(rawValue: name) else {
        throw TrainingError(.badJob, "\(fields.file): optimizer \"\(name.prefix(40))\" is unknown", hint: "sgd, adam or adamw")
      }
      options.optimizer = kind
    }
    options.hyper.learningRate = try optimizer.number("learning_rate", in: 0...10, default: options.hyper.learningRate)
    options.hyper.momentum = try optimizer.number("momentum", in: 0...1, default: options.hyper.momentum)
    options.hyper.weightDecay = try optimizer.number("weight_decay", in: 0...1, default: options.hyper.weightDecay)
    options.nominalBatchSize = try optimizer.integer(
      "nominal_batch", in: 1...65_536, default: options.nominalBatchSize)
    options.hyper.warmupEpochs = try optimizer.number("warmup_epochs", in: 0...1000, default: options.hyper.warmupEpochs)
    options.hyper.finalRateFraction = try optimizer.number(
      "final_lr_fraction", in: 0...1, default: options.hyper.finalRateFraction)
    options.isCosine = try optimizer.flag("cosine", default: false)
    try optimizer.finish()
    return options
  }

  private static func readPrivacy(_ fields: inout JSONFields, _ options: inout TrainingOptions) throws(TrainingError) {
    guard fields.has("privacy") else { return }
    var section = try fields.object("privacy")
    let (unit, form) = (try section.text("unit"), try section.text("form"))
    switch (unit, form) {
    case ("record", "local"): options.privacy = try local(&section, lotSizeDefault: options.batchSize)
    case ("record", "distributed"): options.sharedGradients = try shared(&section)
    default:
      throw TrainingError(
        .badJob, "\(fields.file): privacy of unit \"\(unit.prefix(40))\" in form \"\(form.prefix(40))\"",
        hint: "this trainer knows unit \"record\" in the forms \"local\" and \"distributed\"")
    }
    try section.finish()
  }

  private static func local(_ section: inout JSONFields, lotSizeDefault: Int) throws(TrainingError) -> RecordPrivacy {
    let clip = try section.number("clip", in: RecordPrivacy.clipRange)
    let multiplier = try section.number("noise_multiplier", in: RecordMechanism.noiseMultiplierRange)
    let rate = try section.number("sampling_rate", in: RecordMechanism.samplingRateRange)
    var privacy = RecordPrivacy(
      clip: clip, noiseMultiplier: multiplier, samplingRate: rate,
      lotSize: try section.integer("lot_size", in: RecordPrivacy.lotSizeRange, default: lotSizeDefault))
    if section.has("clip_quantile") { privacy.clipQuantile = try section.number("clip_quantile", in: RecordMechanism.clipQuantileRange) }
    return privacy
  }

  private static func shared(_ section: inout JSONFields) throws(TrainingError) -> SharedGradients {
    let (clip, rate) = (
      try section.number("clip", in: RecordPrivacy.clipRange), try section.number("sampling_rate", in: RecordMechanism.samplingRateRange)
    )
    let resolution = try section.integer("resolution", in: SharedGradients.resolutionRange)
    let norm = try section.integer("norm_squared_max", in: SharedGradients.normSquaredRange)
    let blockBits = try section.integer("block_bits", in: SharedGradients.blockBitsRange)
    guard blockBits.isMultiple(of: 2), let key = bytes(hexadecimal: try section.text("rotation_key")) else {
      throw TrainingError(
        .badJob, "\(section.file): privacy.block_bits must be even, and privacy.rotation_key 64 hexadecimal digits",
        hint: "correct these keys; nothing was started")
    }
    return SharedGradients(
      clip: clip, samplingRate: rate, resolution: resolution, normSquaredMax: UInt64(norm), blockBits: blockBits, rotationKey: key)
  }

  /// The bytes of a rotation's key; nil for anything else.
  private static func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
    guard text.utf8.count == 2 * SharedGradients.rotationKeyBytes, digits.count == text.utf8.count else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  private static func absolute(_ path: String, in folder: String) -> String {
    path.hasPrefix("/") ? path : "\(folder)/\(path)"
  }
}
