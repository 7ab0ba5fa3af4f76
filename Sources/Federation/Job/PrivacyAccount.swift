// What noised sums cost together (spec/12-noised-rounds.md, "What is claimed"): server and sites keep the same list of charges, each on
// its own disk, and compute the same ε from it. Curves are added, never ε, so that a long list costs no more than it must.
import DPAccountant
import SecAgg

/// One sum that was, or may have been, released.
public struct PrivacyCharge: Hashable, Sendable {
  /// The plan's mechanism bytes.
  public let mechanism: [UInt8]
  /// Noise shares in the sum that nobody who sees it knows.
  public let shares: UInt32

  /// Readers of journals take no more; a noised mechanism has 69.
  public static let mechanismBytesMax = 256

  public init(mechanism: [UInt8], shares: UInt32) { (self.mechanism, self.shares) = (mechanism, shares) }

  /// The charge of a plan; nil if its sums carry no noise.
  public init?(_ plan: RoundPlan) {
    guard case .noised? = try? Mechanism(decoding: plan.mechanism), plan.noiseShares >= 1 else { return nil }
    self.init(mechanism: plan.mechanism, shares: UInt32(plan.noiseShares))
  }

  /// n; 0 for bytes that are no noised mechanism.
  var sites: Int {
    guard case .noised(let encoding)? = try? Mechanism(decoding: mechanism) else { return 0 }
    return encoding.sites
  }

  /// What the accountant takes; nil for bytes that are no noised mechanism.
  public var event: NoiseEvent? {
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
