// One round's work at the site: the weights on their way in, the training, the update as integers. It belongs to the round and its weights,
// not to an attempt: another attempt on the same weights gets the same result, and where it may be encoded again, the same integers.
import Federation
import Safetensors
import SecAgg
import Transport

final class LocalWork {
  /// What the result depends on.
  struct Key: Equatable {
    let round: UInt32
    let weights: [UInt8]
    let configuration: [UInt8]
    /// ctx where a training serves one attempt alone: its sample of images must be a fresh one for each noised sum.
    let context: [UInt8]?
  }

  enum Stage {
    case downloading(ChunkAssembler)
    case training(Task<Void, Never>)
    /// nil: training failed in a noised job, and the site gives noise alone.
    case trained(TrainerResult?)
    case failed
  }

  let key: Key
  /// Of the attempt that the work began for.
  let plan: RoundPlan
  var stage: Stage
  /// The global weights, once they are here.
  var global: GlobalWeights?
  /// The update as it was or would be sent, with the mechanism that it was encoded by.
  var encoded: (mechanism: [UInt8], sections: [[UInt32]])?

  /// Of a training whose noised steps are not paid for yet.
  var unpaidFiles: JobFiles?
  /// The journal holds what this training cost; only where its steps were noised.
  var isPaid = false

  var kind: RoundKind { RoundKind(round: key.round) }

  init(key: Key, plan: RoundPlan, bytesMax: Int) {
    (self.key, self.plan) = (key, plan)
    stage = .downloading(ChunkAssembler(bytesMax: bytesMax))
  }

  func cancel() {
    if case .training(let task) = stage { task.cancel() }
  }
}

/// A weights file of the server whose digest was checked.
struct GlobalWeights: Sendable {
  let bytes: [UInt8]
  let digest: [UInt8]
  let layout: WeightsLayout
  let values: FlatUpdate

  /// - Throws: ``ParticipantError`` `serverMisbehaves` unless the file is the one that the job and the plan name.
  init(_ bytes: [UInt8], digest: [UInt8], job: JobPlan) throws(ParticipantError) {
    func wrong(_ reason: String) -> ParticipantError {
      ParticipantError(.serverMisbehaves, reason, hint: "tell the server's operator; this site does not train on it")
    }
    guard JobPlan.weightsDigest(bytes) == digest else { throw wrong("the weights that came do not have the digest of the plan") }
    do {
      let file = try SafetensorsFile(parsing: bytes)
      layout = WeightsLayout(file)
      let sections = try layout.flatten(file)
      values = FlatUpdate(
        parameters: sections.parameters, statistics: PooledStatistics.moments(sections.statistics, layout: layout))
    } catch {
      throw wrong("the server's weights are no usable safetensors file: \(error.reason)")
    }
    guard layout.parameterCount == job.parameterCount, layout.statisticCount == job.statisticCount,
      JobPlan.layoutDigest(layout) == job.layoutDigest
    else { throw wrong("the server's weights do not have the job's layout") }
    self.bytes = bytes
    self.digest = digest
  }

  /// The longest file that is taken for a job: its floats at eight bytes each and a generous header.
  static func bytesMax(_ job: JobPlan) -> Int { 8 * (job.parameterCount + job.statisticCount) + (64 << 20) }
}
