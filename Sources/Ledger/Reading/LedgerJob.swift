// A job's configuration record (spec/02, "The job's configuration"), as far as privacy and order depend on it; every field's limits are
// checked, since no site takes a job that breaks one.
import DPAccountant
import Sodium

struct LedgerJob: Equatable, Sendable {
  let name: String
  let model: String
  let rounds: Int
  let localEpochs: Int
  let roundsPerEpoch: Int
  let parameterBits: Int
  let parameterCount: Int
  let weightsDigest: [UInt8]
  let privacy: Privacy?
  /// H of the record: the configuration digest of the job's plans.
  let digest: [UInt8]

  struct Privacy: Equatable, Sendable {
    let clip: Double
    let noiseMultiplier: Double
    let epsilon: Double
    let delta: Double
    /// `discrete_gaussian` or `skellam`.
    let noise: String
    let records: Records?
  }

  struct Records: Equatable, Sendable {
    let samplingRate: Double
    let clipQuantile: Double?
    /// Whether the sites share the noise of one step a round; otherwise a trainer noises its own steps.
    let isShared: Bool
  }

  /// Whether sums carry noise, rather than a trainer's steps.
  var noisesSums: Bool { privacy.map { $0.records?.isShared ?? true } ?? false }

  var unit: PrivacyUnit { privacy.map { $0.records == nil ? .site : .record } ?? .none }

  init(_ record: [UInt8]) throws(EncodingFault) {
    var input = try ByteInput(record: record, label: "secagg/v1/job", bytesMax: 1 << 18)
    func within(_ value: Double, _ range: ClosedRange<Double>, _ what: String) throws(EncodingFault) -> Double {
      guard range.contains(value) else { throw EncodingFault("\(what) is out of bounds") }
      return value
    }
    func count(_ input: inout ByteInput, _ range: ClosedRange<Int>, _ what: String) throws(EncodingFault) -> Int {
      let value = try input.u32()
      guard range.contains(value) else { throw EncodingFault("\(what) is out of bounds") }
      return value
    }
    (name, model) = (try input.recordText(256), try input.recordText(64))
    guard !name.isEmpty, !model.isEmpty else { throw EncodingFault("a job and its model have names") }
    for _ in 0..<(try count(&input, 1...1000, "the number of classes")) { _ = try input.recordText(256) }
    guard try count(&input, 32...4096, "the image size").isMultiple(of: 32) else { throw EncodingFault("the image size is out of bounds") }
    rounds = try count(&input, 1...(1 << 20), "the number of rounds")
    localEpochs = try count(&input, 1...(1 << 16), "the number of local epochs")
    roundsPerEpoch = try count(&input, 1...1024, "the rounds an epoch")
    guard roundsPerEpoch == 1 || localEpochs == 1 else { throw EncodingFault("a round is epochs or a part of one") }
    _ = try count(&input, 1...4096, "the batch size")
    _ = try count(&input, 1...(1 << 16), "the nominal batch size")
    let optimizer = try input.recordText(16)
    guard ["sgd", "adamw"].contains(optimizer) else { throw EncodingFault("the optimizer is unknown") }
    _ = try within(input.double(), Double.leastNonzeroMagnitude...10, "the learning rate")
    _ = try within(input.double(), 0...(1.0.nextDown), "the momentum")
    _ = try within(input.double(), 0...1, "the weight decay")
    _ = try within(input.double(), 0...1e6, "the warm-up")
    _ = try within(input.double(), 0...1, "the final fraction")
    (_, _) = (try input.flag(), try input.flag())
    let batchNormRounds = try input.u32()
    _ = try within(input.double(), 0...(1.0.nextDown), "the server's momentum")
    _ = try input.u64()
    parameterBits = try count(&input, 8...32, "the parameter bits")
    for _ in 0..<2 { _ = try within(input.double(), 1e-9...1e6, "a range") }
    parameterCount = try count(&input, 1...(1 << 28), "the number of parameters")
    _ = try count(&input, 0...(1 << 28), "the number of statistics")
    let layout = try input.recordData(32)
    weightsDigest = try input.recordData(32)
    guard layout.count == 32, weightsDigest.count == 32 else { throw EncodingFault("a digest has 32 bytes") }
    let validates = try input.flag()
    digest = BLAKE2b.hash(record)
    guard input.remaining > 0 else {
      privacy = nil
      return
    }
    guard !validates, batchNormRounds == 0 else { throw EncodingFault("a job with privacy neither validates nor follows batches") }
    let clip = try within(input.double(), 1e-9...1e6, "the clip")
    let multiplier = try within(input.double(), 1e-3...1e6, "the noise multiplier")
    let (epsilon, delta) = (try input.double(), try input.double())
    guard epsilon > 0, epsilon <= 1000, delta > 0, delta <= 0.01 else { throw EncodingFault("epsilon or delta is out of bounds") }
    let noise = try input.recordText(32)
    guard ["discrete_gaussian", "skellam"].contains(noise) else { throw EncodingFault("the noise is unknown") }
    var records: Records?
    if input.remaining > 0 {
      let (rate, quantile) = (try input.double(), try input.double())
      _ = try count(&input, 1...1_000_000, "the lot size")
      let form = try input.recordText(16)
      guard form == "distributed" || form == "local" && noise == "discrete_gaussian" else { throw EncodingFault("the form is unknown") }
      records = Records(samplingRate: rate, clipQuantile: quantile == 0 ? nil : quantile, isShared: form == "distributed")
      if form == "distributed", quantile != 0 || optimizer != "sgd" || localEpochs != 1 || roundsPerEpoch != 1 {
        throw EncodingFault("a round of shared gradients is one step of plain descent with a clip that stays")
      }
    }
    try input.end()
    privacy = Privacy(clip: clip, noiseMultiplier: multiplier, epsilon: epsilon, delta: delta, noise: noise, records: records)
    if let records { _ = try step(privacy, records) }
    if let steps = try recordSteps()?.steps, steps > 1 << 30 { throw EncodingFault("a round of more than 2^30 steps") }
  }

  /// One step of a trainer and the steps of a round, at most (RP-08); nil in a job of another unit.
  func recordSteps() throws(EncodingFault) -> (mechanism: RecordMechanism, steps: Int)? {
    guard let privacy, let records = privacy.records, !records.isShared else { return nil }
    let epoch = Int((1 / records.samplingRate).rounded(.up))
    let steps = roundsPerEpoch > 1 ? (epoch + roundsPerEpoch - 1) / roundsPerEpoch : localEpochs * epoch
    return (try step(privacy, records), steps)
  }

  private func step(_ privacy: Privacy?, _ records: Records) throws(EncodingFault) -> RecordMechanism {
    do {
      return try RecordMechanism(
        samplingRate: records.samplingRate, noiseMultiplier: privacy?.noiseMultiplier ?? 0, clipQuantile: records.clipQuantile,
        dimension: parameterCount)
    } catch { throw EncodingFault(error.reason) }
  }

  /// The bytes that stand for a trainer's step in a charge.
  static func chargeBytes(_ mechanism: RecordMechanism) -> [UInt8] {
    var out = ByteOutput()
    out.recordText("secagg/v1/record-steps")
    out.double(mechanism.samplingRate)
    out.double(mechanism.noiseMultiplier)
    out.double(mechanism.clipQuantile ?? 0)
    out.u64(UInt64(mechanism.dimension))
    return out.bytes
  }
}
