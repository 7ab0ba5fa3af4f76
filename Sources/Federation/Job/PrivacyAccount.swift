// What noised sums and steps cost together (spec/12-noised-rounds.md, "What is claimed"; spec/13-record-privacy.md): server
// and sites keep the same list of charges, each on its own disk, and compute the same ε from it. Curves are added, never ε, so that a long
// list costs no more than it must.
import DPAccountant
import SecAgg

/// One sum, or one round's steps of a trainer, that was released or may have been.
public struct PrivacyCharge: Hashable, Sendable {
  /// The plan's mechanism bytes, or those of a trainer's steps.
  public let mechanism: [UInt8]
  /// Noise shares in the sum that nobody who sees it knows; for a trainer's steps, how many steps.
  public let shares: UInt32

  /// Readers of journals take no more; a noised mechanism has 69.
  public static let mechanismBytesMax = 256

  public init(mechanism: [UInt8], shares: UInt32) { (self.mechanism, self.shares) = (mechanism, shares) }

  /// The charge of a plan; nil if its sums carry no noise.
  public init?(_ plan: RoundPlan) {
    guard case .noised? = try? Mechanism(decoding: plan.mechanism), plan.noiseShares >= 1 else { return nil }
    self.init(mechanism: plan.mechanism, shares: UInt32(plan.noiseShares))
  }

  private static let recordLabel = "secagg/v1/record-steps"

  /// The charge of a trainer's steps.
  init(_ mechanism: RecordMechanism, steps: Int) {
    var into = CanonicalWriter(label: Self.recordLabel)
    into.double(mechanism.samplingRate)
    into.double(mechanism.noiseMultiplier)
    into.double(mechanism.clipQuantile ?? 0)
    into.integer(UInt64(mechanism.dimension))
    self.init(mechanism: into.bytes, shares: UInt32(clamping: steps))
  }

  /// Whether it is for a trainer's steps rather than for one sum.
  public var isOfTraining: Bool { record != nil }

  /// nil for bytes that are no trainer's mechanism.
  private var record: RecordMechanism? {
    do {
      var from = try CanonicalReader(mechanism, label: Self.recordLabel)
      let (rate, multiplier, quantile) = (try from.double(), try from.double(), try from.double())
      let dimension = try from.integer(UInt64.self)
      try from.end()
      return try RecordMechanism(
        samplingRate: rate, noiseMultiplier: multiplier, clipQuantile: quantile == 0 ? nil : quantile, dimension: Int(clamping: dimension))
    } catch { return nil }
  }

  /// n; 0 for bytes that are no noised sum: what masks are worth makes no difference to a trainer's steps.
  var sites: Int {
    guard case .noised(let encoding)? = try? Mechanism(decoding: mechanism) else { return 0 }
    return encoding.sites
  }

  /// What the accountant takes; nil for bytes that are no noised mechanism.
  public var event: NoiseEvent? {
    if let record { return shares >= 1 ? .repeated(record.event, count: Int(shares)) : nil }
    guard shares >= 1, case .noised(let encoding)? = try? Mechanism(decoding: mechanism) else { return nil }
    return encoding.event(assured: Int(shares))
  }
}

public enum PrivacyAccount {
  /// The largest cohort whose masks rest on no random graph.
  private static let completeGraphMax = RoundPlan.completeGraphUsualMax
  /// What an attempt over the sparse graph adds to δ: its graph fails with this probability (spec/08).
  static let graphFailure = 0x1p-40

  /// ε of all charges together at `delta`, rounded up; infinite where one of them is not understood.
  public static func epsilon(_ charges: [PrivacyCharge], delta: Double) -> Double {
    // Equal rounds are one event many times; their order makes the figure the same to the last bit wherever it is computed.
    var order: [PrivacyCharge] = []
    var counts: [PrivacyCharge: Int] = [:]
    for charge in charges {
      if counts[charge] == nil { order.append(charge) }
      counts[charge, default: 0] += 1
    }
    return epsilon(order.map { ($0, counts[$0] ?? 0) }, delta: delta)
  }

  /// ε of one charge `count` times.
  public static func epsilon(_ charge: PrivacyCharge, count: Int, delta: Double) -> Double { epsilon([(charge, count)], delta: delta) }

  private static func epsilon(_ charges: [(charge: PrivacyCharge, count: Int)], delta: Double) -> Double {
    guard !charges.isEmpty else { return 0 }
    let sparse = charges.reduce(0) { $0 + ($1.charge.sites > completeGraphMax ? $1.count : 0) }
    let delta = delta - Double(sparse) * graphFailure
    guard delta > 0 else { return .infinity }
    do {
      var accountant = try RenyiAccountant(relation: .addOrRemove)
      for (charge, count) in charges {
        guard let event = charge.event else { return .infinity }
        try accountant.compose(event, count: count)
      }
      return try accountant.epsilon(delta: delta).epsilon
    } catch {
      return .infinity
    }
  }
}
