// The site's own work in a round: weights in, training, the update as integers out. It runs beside the protocol's first phases.
import Federation
import Foundation
import Safetensors
import SecAgg
import Sodium
import Transport

extension SiteDriver {
  func key(_ plan: RoundPlan) -> LocalWork.Key {
    LocalWork.Key(
      round: plan.round, weights: plan.weightsDigest, configuration: plan.configurationDigest,
      context: job?.sumsGradients == true ? plan.context : nil)
  }

  /// An attempt was accepted: its work begins, or the work of an earlier attempt on the same weights serves it.
  func begin(_ attempt: Attempt) async {
    guard let job else { return }
    let key = key(attempt.plan)
    if let work, work.key == key {
      switch work.stage {
      case .trained: return await provideIfReady()
      case .training: return
      case .downloading: return await requestWeights(work)
      case .failed: break
      }
    }
    work?.cancel()
    let next = LocalWork(key: key, plan: attempt.plan, bytesMax: GlobalWeights.bytesMax(job))
    work = next
    if let lastWeights, lastWeights.digest == key.weights {
      await train(next, on: lastWeights)
    } else {
      await requestWeights(next)
    }
  }

  func requestWeights(_ work: LocalWork) async {
    guard let job else { return }
    work.stage = .downloading(ChunkAssembler(bytesMax: GlobalWeights.bytesMax(job)))
    await send(.weightsRequest(digest: work.key.weights))
  }

  func receiveWeights(_ digest: [UInt8], _ index: UInt32, _ count: UInt32, _ bytes: [UInt8]) async {
    guard let job, let work, digest == work.key.weights, case .downloading(var assembler) = work.stage else { return }
    // The first piece begins anew, and without it the others are the rest of a transfer that began on a connection that broke.
    if index == 0 { assembler = ChunkAssembler(bytesMax: GlobalWeights.bytesMax(job)) }
    guard index == 0 || !assembler.isEmpty else { return }
    // Without this the assembler would be copied with all that it holds.
    work.stage = .downloading(ChunkAssembler(bytesMax: 0))
    do {
      let whole = try assembler.add(index: index, count: count, bytes: bytes)
      guard let whole else {
        work.stage = .downloading(assembler)
        return
      }
      let global = try GlobalWeights(whole, digest: digest, job: job)
      lastWeights = global
      await train(work, on: global)
    } catch {
      let reason = (error as? TransportError)?.reason ?? (error as? ParticipantError)?.reason ?? "\(error)"
      await fail(work, ParticipantError(.serverMisbehaves, reason, hint: "tell the server's operator; this site did not train"))
    }
  }

  /// Starts the trainer beside everything else.
  private func train(_ work: LocalWork, on global: GlobalWeights) async {
    guard let job else { return }
    work.global = global
    let files = JobFiles(stateDirectory: setup.stateDirectory, job: job, round: work.key.round)
    do {
      try files.prepare()
    } catch {
      return await fail(work, error)
    }
    let order = trainerJob(job, work, files)
    let (trainer, logger, key) = (setup.trainer, logger, work.key)
    logger.notice("round \(work.key.round): the trainer starts (\(work.kind.name))")
    work.stage = .training(
      Task { [weak self] in
        let result: Result<TrainerResult, any Error>
        do {
          let found = try await trainer.run(
            job: order, weights: global.bytes, layout: global.layout, folder: files.folder,
            onProgress: { logger.info("trainer: \($0)") })
          result = .success(found)
        } catch {
          result = .failure(error)
        }
        await self?.trained(key, files, result)
      })
  }

  private func trainerJob(_ job: JobPlan, _ work: LocalWork, _ files: JobFiles) -> TrainerJob {
    let training = job.training
    let kind: TrainerJob.Kind = work.kind == .census ? .census : job.sumsGradients ? .gradientSum : .weights
    return TrainerJob(
      kind: kind, round: Int(work.key.round), rounds: job.rounds, localEpochs: training.localEpochs,
      roundsPerEpoch: training.roundsPerEpoch, batchSize: training.batchSize, imageSize: job.imageSize, data: setup.data,
      optimizer: .init(
        name: training.optimizer.rawValue, learningRate: training.learningRate, momentum: training.momentum,
        weightDecay: training.weightDecay,
        nominalBatch: training.nominalBatch, warmupEpochs: training.warmupEpochs, finalLRFraction: training.finalLearningRateFraction,
        cosine: training.cosine),
      seed: seed(job, round: work.key.round, roundsPerEpoch: UInt32(training.roundsPerEpoch)), threads: setup.threads,
      augment: training.augment, norm: work.key.round > training.batchNormRounds ? .frozen : .batch, state: files.optimizerState,
      validate: job.validatesLocally, privacy: job.privacy.flatMap { TrainerJob.Privacy($0, plan: work.plan) })
  }

  /// A seed of its own for every site and round, the same in every run of the job; below 2^53, which every JSON reader keeps. Rounds that
  /// share an epoch have the seed of the first of them, so that each of the epoch's batches comes in exactly one.
  private func seed(_ job: JobPlan, round: UInt32, roundsPerEpoch: UInt32) -> UInt64 {
    var into = CanonicalWriter(label: "secagg/v1/trainer-seed")
    into.integer(job.training.seed)
    into.integer(setup.site.rawValue)
    into.integer(round == 0 ? 0 : (round - 1) / roundsPerEpoch * roundsPerEpoch + 1)
    return BLAKE2b.hash(into.bytes, size: 32).prefix(8).reduce(0) { $0 << 8 | UInt64($1) } >> 11
  }

  private func trained(_ key: LocalWork.Key, _ files: JobFiles, _ result: Result<TrainerResult, any Error>) async {
    guard let work, work.key == key, case .training = work.stage else { return }
    switch result {
    case .success(let found) where !hasAllowedSteps(found):
      logger.error(
        "round \(key.round): the trainer's result does not say that its steps were noised as the job asks; the site's update is zero")
      work.stage = .trained(nil)
      await provideIfReady()
    case .success(let found):
      // Momenta of noised steps go into later rounds: they are kept once those steps are paid for.
      if job?.recordMechanism == nil { files.keepOptimizerState() } else { work.unpaidFiles = files }
      work.stage = .trained(found)
      await provideIfReady()
    case .failure(let error as ParticipantError) where job?.privacy != nil:
      logger.error(
        "round \(key.round): \(error.reason); the site gives an update of zero, noised where the job noises sums",
        metadata: ["code": "\(error.code.rawValue)", "hint": "\(error.hint)"])
      work.stage = .trained(nil)
      await provideIfReady()
    case .failure(let error as ParticipantError): await fail(work, error)
    case .failure: work.stage = .failed
    }
  }

  /// With privacy by record: whether the trainer noised steps, no more than are charged.
  private func hasAllowedSteps(_ result: TrainerResult) -> Bool {
    guard let most = job?.recordStepsPerRound else { return true }
    return result.report.noisedSteps.map { (1...most).contains($0) } ?? false
  }

  /// Hands the update in where the work is done and an accepted attempt waits for it.
  private func provideIfReady() async {
    guard let attempt, attempt.isAccepted, !attempt.isOver, !attempt.isProvided, let work, work.key == key(attempt.plan),
      case .trained(let result) = work.stage, let global = work.global
    else { return }
    attempt.isProvided = true
    do {
      let sections: [[UInt32]]
      if let kept = work.encoded, kept.mechanism == attempt.plan.mechanism {
        sections = kept.sections
      } else {
        sections = try encode(result, global, attempt.plan, work.kind)
        // Noise that is added here is never used twice.
        if job?.recordMechanism != nil || job?.privacy == nil { work.encoded = (attempt.plan.mechanism, sections) }
      }
      await carryOut(attempt.session.provide(input: sections), of: attempt)
    } catch {
      await fail(work, error)
    }
  }

  private static func wrong(_ reason: String) -> ParticipantError { TrainerReport.bad("the trainer's result cannot be encoded: \(reason)") }

  private func encode(
    _ result: TrainerResult?, _ global: GlobalWeights, _ plan: RoundPlan, _ kind: RoundKind
  ) throws(ParticipantError) -> [[UInt32]] {
    do {
      switch try Mechanism(decoding: plan.mechanism) {
      case .plain(let parameters):
        if job?.privacy != nil { return try encodePrivate(result, global, parameters) }
        guard let result else { throw Self.wrong("there is none") }
        return try encode(result, global, parameters, kind)
      case .noised(let parameters): return try encode(result, global, parameters, plan)
      }
    } catch let error as ParticipantError {
      throw error
    } catch {
      throw Self.wrong("\(error)")
    }
  }

  /// The update with its noise. Where there is no usable update, noise alone: whether a site has one may depend on its images, and a
  /// refusal would tell that without noise and without a charge (ND-12).
  private func encode(
    _ result: TrainerResult?, _ global: GlobalWeights, _ parameters: NoisedEncoding, _ plan: RoundPlan
  ) throws -> [[UInt32]] {
    let encoder = try NoisedUpdateEncoder(parameters)
    let base = global.values.parameters
    var random = RandomStream()
    if parameters.samplingRate != nil {
      let sum = result?.gradientSum ?? [Int64](repeating: 0, count: parameters.paddedDimension)
      let update = try encoder.encode(sum: sum, from: &random)
      if update.saturated > 0 { logger.notice("\(update.saturated) values of the sum were clamped to the plan's range") }
      return update.sections
    }
    func encoded(_ local: [Float]) throws -> [[UInt32]] {
      let update = try encoder.encode(local: local, global: base, context: plan.context, from: &random)
      if update.saturated > 0 { logger.notice("\(update.saturated) values of the update were clamped to the plan's range") }
      return update.sections
    }
    if let file = result?.weights {
      do { return try encoded(global.layout.flatten(file).parameters) } catch {
        logger.error("round \(plan.round): the update is unusable, the site gives noise alone: \(error)")
      }
    }
    return try encoded(base)
  }

  /// The update of a trainer whose steps were noised: weights alone. Where there is no usable one it is zero.
  private func encodePrivate(
    _ result: TrainerResult?, _ global: GlobalWeights, _ parameters: EncodingParameters
  ) throws -> [[UInt32]] {
    let encoder = try UpdateEncoder(parameters)
    let base = FlatUpdate(parameters: global.values.parameters, statistics: [])
    func encoded(_ local: FlatUpdate) throws -> [[UInt32]] {
      var random = BufferedRandomSource()
      let update = try encoder.encode(local: local, global: base, samples: 0, metrics: [:], using: &random)
      if update.saturated > 0 { logger.notice("\(update.saturated) values of the update were clamped to the job's range") }
      return update.sections
    }
    if let file = result?.weights {
      do { return try encoded(FlatUpdate(parameters: global.layout.flatten(file).parameters, statistics: [])) } catch {
        logger.error("the update is unusable, the site's update is zero: \(error)")
      }
    }
    return try encoded(base)
  }

  private func encode(
    _ result: TrainerResult, _ global: GlobalWeights, _ parameters: EncodingParameters, _ kind: RoundKind
  ) throws -> [[UInt32]] {
    var local = FlatUpdate(parameters: [], statistics: [])
    var base = local
    var metrics: [String: Double] = [:]
    if kind == .training, let file = result.weights, let job {
      do {
        let found = try global.layout.flatten(file)
        local = FlatUpdate(
          parameters: found.parameters, statistics: PooledStatistics.moments(found.statistics, layout: global.layout))
      } catch {
        throw Self.wrong(error.reason)
      }
      base = global.values
      for name in job.metricNames {
        guard let value = result.report.metrics[name] else { throw Self.wrong("result.json has no metric \(name), which the job sums") }
        metrics[name] = value
      }
    }
    do {
      var random = BufferedRandomSource()
      let update = try UpdateEncoder(parameters).encode(
        local: local, global: base, samples: UInt64(result.report.sampleCount), metrics: metrics, using: &random)
      if update.saturated > 0 { logger.notice("\(update.saturated) values of the update were clamped to the job's range") }
      return update.sections
    } catch let error as EncodingError {
      throw Self.wrong(error.reason)
    }
  }

  /// The site has no update for this round: it says so, signed, and is back in the next one.
  private func fail(_ work: LocalWork, _ error: ParticipantError) async {
    work.stage = .failed
    logger.error("round \(work.key.round): \(error.reason)", metadata: ["code": "\(error.code.rawValue)", "hint": "\(error.hint)"])
    guard let attempt, !attempt.isOver, key(attempt.plan) == work.key else { return }
    // The reason stays here: it may tell of the site's data.
    await carryOut(attempt.session.refuse(Refusal(.policy, "this site has no update for the round (\(error.code.rawValue))")), of: attempt)
  }
}
