// The canonical bytes of a JobPlan, and the limits that every field must keep: a plan comes from the server, which a site does not trust.

extension JobPlan {
  static let label = "secagg/v1/job"
  public static let encodedBytesMax = 1 << 18
  public static let coordinatesMax = 1 << 28

  /// Canonical bytes; decoding them gives an equal plan.
  public func encoded() -> [UInt8] {
    var into = CanonicalWriter(label: Self.label)
    into.string(name)
    into.string(model)
    into.count(classes.count)
    for name in classes { into.string(name) }
    for size in [imageSize, rounds, training.localEpochs, training.roundsPerEpoch, training.batchSize, training.nominalBatch] {
      into.count(size)
    }
    into.string(training.optimizer.rawValue)
    into.double(training.learningRate)
    into.double(training.momentum)
    into.double(training.weightDecay)
    into.double(training.warmupEpochs)
    into.double(training.finalLearningRateFraction)
    into.flag(training.cosine)
    into.flag(training.augment)
    into.count(training.batchNormRounds)
    into.double(training.serverMomentum)
    into.integer(training.seed)
    into.count(quantisation.bits)
    into.double(quantisation.parameterRange)
    into.double(quantisation.statisticsRange)
    into.count(parameterCount)
    into.count(statisticCount)
    into.data(layoutDigest)
    into.data(initialWeightsDigest)
    into.flag(validatesLocally)
    // Absent where there is no noise.
    if let privacy {
      for value in [privacy.clip, privacy.noiseMultiplier, privacy.epsilon, privacy.delta] { into.double(value) }
      into.string(privacy.noise.rawValue)
      if let records = privacy.records {
        into.double(records.samplingRate)
        // No quantile is 0.
        into.double(records.clipQuantile ?? 0)
        into.count(records.lotSize)
        into.string(records.form.rawValue)
      }
    }
    return into.bytes
  }

  /// Reads and checks a plan.
  public static func decode(_ bytes: [UInt8]) throws(JobPlanError) -> JobPlan {
    do {
      let plan = try read(bytes)
      try plan.validate()
      return plan
    } catch let error as JobPlanError {
      throw error
    } catch {
      throw JobPlanError(reason: (error as? CanonicalError)?.reason ?? "unreadable")
    }
  }

  private static func read(_ bytes: [UInt8]) throws -> JobPlan {
    var from = try CanonicalReader(bytes, label: label, limit: encodedBytesMax)
    let name = try from.string(limit: 256)
    let model = try from.string(limit: 64)
    let classes = try (0..<from.count(limit: 1000)).map { _ in try from.string(limit: 256) }
    let imageSize = try from.count(limit: 4096)
    let rounds = try from.count(limit: 1 << 20)
    var training = Training()
    training.localEpochs = try from.count(limit: 1 << 16)
    training.roundsPerEpoch = try from.count(limit: 1 << 10)
    training.batchSize = try from.count(limit: 1 << 12)
    training.nominalBatch = try from.count(limit: 1 << 16)
    let optimizer = try from.string(limit: 16)
    guard let known = Optimizer(rawValue: optimizer) else { throw JobPlanError(reason: "the optimizer \(optimizer) is unknown") }
    training.optimizer = known
    training.learningRate = try from.double()
    training.momentum = try from.double()
    training.weightDecay = try from.double()
    training.warmupEpochs = try from.double()
    training.finalLearningRateFraction = try from.double()
    training.cosine = try from.flag()
    training.augment = try from.flag()
    training.batchNormRounds = try from.count(limit: Int(UInt32.max))
    training.serverMomentum = try from.double()
    training.seed = try from.integer()
    var quantisation = Quantisation()
    quantisation.bits = try from.count(limit: 32)
    quantisation.parameterRange = try from.double()
    quantisation.statisticsRange = try from.double()
    var plan = JobPlan(
      name: name, model: model, classes: classes, imageSize: imageSize, rounds: rounds,
      parameterCount: try from.count(limit: coordinatesMax), statisticCount: try from.count(limit: coordinatesMax),
      layoutDigest: try from.data(limit: 32), initialWeightsDigest: try from.data(limit: 32))
    (plan.training, plan.quantisation) = (training, quantisation)
    plan.validatesLocally = try from.flag()
    if !from.isAtEnd { plan.privacy = try readPrivacy(&from) }
    try from.end()
    return plan
  }

  private static func readPrivacy(_ from: inout CanonicalReader) throws -> Privacy {
    let numbers = try (0..<4).map { _ in try from.double() }
    let noise = try from.string(limit: 32)
    guard let noise = Privacy.Noise(rawValue: noise) else { throw JobPlanError(reason: "the noise \(noise) is unknown") }
    var privacy = Privacy(clip: numbers[0], noiseMultiplier: numbers[1], epsilon: numbers[2], delta: numbers[3], noise: noise)
    guard !from.isAtEnd else { return privacy }
    let (rate, quantile, lotSize) = (try from.double(), try from.double(), try from.count(limit: 1_000_000))
    let form = try from.string(limit: 16)
    guard let form = Privacy.Records.Form(rawValue: form) else { throw JobPlanError(reason: "the form \(form) is unknown") }
    privacy.records = Privacy.Records(samplingRate: rate, clipQuantile: quantile == 0 ? nil : quantile, lotSize: lotSize, form: form)
    return privacy
  }

  /// Checks every field against its limits.
  public func validate() throws(JobPlanError) {
    func require(_ holds: Bool, _ reason: String) throws(JobPlanError) {
      guard holds else { throw JobPlanError(reason: reason) }
    }
    try require((1...256).contains(name.utf8.count), "a job's name is 1 to 256 bytes")
    try require((1...64).contains(model.utf8.count), "a model's name is 1 to 64 bytes")
    try require((1...1000).contains(classes.count), "a job has 1 to 1000 classes")
    try require(imageSize >= 32 && imageSize <= 4096 && imageSize % 32 == 0, "the image size is a multiple of 32, at most 4096")
    try require(rounds >= 1, "a job has at least one round")
    try require(training.localEpochs >= 1 && training.batchSize >= 1 && training.nominalBatch >= 1, "epochs and batches are at least 1")
    try require(
      training.roundsPerEpoch >= 1 && (training.roundsPerEpoch == 1 || training.localEpochs == 1),
      "a round trains on whole epochs or on a part of one")
    try require(training.learningRate > 0 && training.learningRate <= 10, "the learning rate is above 0 and at most 10")
    try require(training.momentum >= 0 && training.momentum < 1, "the momentum is at least 0 and below 1")
    try require(training.serverMomentum >= 0 && training.serverMomentum < 1, "the server's momentum is at least 0 and below 1")
    try require(training.weightDecay >= 0 && training.weightDecay <= 1, "the weight decay is between 0 and 1")
    try require(training.warmupEpochs >= 0 && training.warmupEpochs <= 1e6, "the warm-up is between 0 and a million epochs")
    try require((0...1).contains(training.finalLearningRateFraction), "the final learning-rate fraction is between 0 and 1")
    try require((8...32).contains(quantisation.bits), "the ring has 8 to 32 bits")
    try require(quantisation.parameterRange >= 1e-9 && quantisation.parameterRange <= 1e6, "the parameter range is between 1e-9 and 1e6")
    try require(quantisation.statisticsRange >= 1e-9 && quantisation.statisticsRange <= 1e6, "the statistics range is between 1e-9 and 1e6")
    try require(parameterCount >= 1 && statisticCount >= 0, "the model has at least one parameter")
    try require(layoutDigest.count == 32 && initialWeightsDigest.count == 32, "a digest has 32 bytes")
    guard let privacy else { return }
    try require(privacy.clip >= 1e-9 && privacy.clip <= 1e6, "the clip is between 1e-9 and 1e6")
    try require(privacy.noiseMultiplier >= 1e-3 && privacy.noiseMultiplier <= 1e6, "the noise multiplier is between 0.001 and a million")
    try require(privacy.epsilon > 0 && privacy.epsilon <= 1000, "epsilon is above 0 and at most 1000")
    try require(privacy.delta > 0 && privacy.delta <= 0.01, "delta is above 0 and at most 0.01")
    try require(!validatesLocally, "scores of a job with privacy are not sent")
    try require(training.batchNormRounds == 0, "a job with privacy leaves the statistics of its norms as they are")
    guard let records = privacy.records else { return }
    try require(records.lotSize >= 1, "a lot is at least one image")
    do { _ = try recordMechanism(privacy, records) } catch { throw JobPlanError(reason: error.reason) }
    try require(recordSteps(records) <= Self.recordStepsMax, "a round has at most \(Self.recordStepsMax) steps")
    guard records.form == .distributed else { return try require(privacy.noise == .discreteGaussian, "trainers add no Skellam noise") }
    try require(records.clipQuantile == nil, "the clip of gradients whose noise the sites share stays as it is")
    try require(training.optimizer == .sgd, "sums of gradients are followed by stochastic gradient descent")
    try require(training.localEpochs == 1 && training.roundsPerEpoch == 1, "a round of shared gradients is one step")
  }
}
