// What events cost by their privacy-loss distributions: tighter than Rényi differential privacy, for parameters that were fixed beforehand.
// A figure comes with its proof of tightness: the exact ε lies between the optimistic and the pessimistic one.
import Foundation

public struct PLDAccountant: Sendable {
  public let relation: NeighbourRelation
  /// Largest interval of the grid in nats, of which a finer one is taken where that costs little; nil chooses one from the events.
  public let lossInterval: Double?
  private var charges: [(event: NoiseEvent, count: Int)] = []
  private var isUnbounded = false

  /// - Throws: `.parameterOutOfRange` for an interval outside 1e-7 ... 1.
  public init(relation: NeighbourRelation = .addOrRemove, lossInterval: Double? = nil) throws(AccountingError) {
    if let lossInterval, !(lossInterval >= 1e-7 && lossInterval <= 1) {
      throw AccountingError(.parameterOutOfRange, "a loss interval lies in 1e-7 ... 1")
    }
    (self.relation, self.lossInterval) = (relation, lossInterval)
  }

  /// Charges an event, `count` times. Its parameters may not depend on what earlier events released.
  /// - Throws: `.unsupportedEvent` or `.parameterOutOfRange`; nothing is charged then.
  public mutating func compose(_ event: NoiseEvent, count: Int = 1) throws(AccountingError) {
    var next = self
    try next.charge(event, count, depth: 0)
    self = next
  }

  private mutating func charge(_ event: NoiseEvent, _ count: Int, depth: Int) throws(AccountingError) {
    guard (0...1_000_000_000).contains(count) else {
      throw AccountingError(.parameterOutOfRange, "an event happens between 0 and 10^9 times in a loss distribution, not \(count)")
    }
    guard depth <= RenyiAccountant.depthMax else { throw AccountingError(.unsupportedEvent, "events are nested more than 32 deep") }
    switch event {
    case .repeated(let inner, let times):
      let (product, overflow) = count.multipliedReportingOverflow(by: times)
      guard times >= 0, !overflow else { throw AccountingError(.parameterOutOfRange, "an event happens between 0 and 10^9 times") }
      try charge(inner, product, depth: depth + 1)
    case .composed(let events):
      for inner in events { try charge(inner, count, depth: depth + 1) }
    case .bandedMatrixFactorisation(let matrix):
      try charge(try matrix.reduced(), count, depth: depth + 1)
    case .nonPrivate:
      isUnbounded = isUnbounded || count > 0
    default:
      _ = try LossPricing.pair(event, relation, tail: 1e-20)
      guard count > 0 else { return }
      if let place = charges.firstIndex(where: { $0.event == event }) {
        charges[place].count += count
      } else {
        charges.append((event, count))
      }
      guard charges.count <= 64 else {
        throw AccountingError(.unsupportedEvent, "at most 64 different events are composed in a loss distribution")
      }
    }
  }

  /// The smallest ε that is proved at `delta`; infinite where none is.
  /// - Throws: `.parameterOutOfRange` unless 1e-30 ≤ delta < 1; `.unsupportedEvent` where no grid is fine enough.
  public func epsilon(delta: Double) throws(AccountingError) -> PrivacyBound {
    let epsilon = try value(delta: delta, pessimistic: true)
    return PrivacyBound(epsilon: epsilon, delta: delta, order: nil)
  }

  /// An ε that the events are not below at `delta`.
  /// - Throws: as `epsilon(delta:)`.
  public func epsilonAtLeast(delta: Double) throws(AccountingError) -> Double {
    try value(delta: delta, pessimistic: false)
  }

  private func value(delta: Double, pessimistic: Bool) throws(AccountingError) -> Double {
    guard delta >= 1e-30, delta < 1 else { throw AccountingError(.parameterOutOfRange, "delta lies in 1e-30 ..< 1 here") }
    if isUnbounded { return .infinity }
    if charges.isEmpty { return 0 }
    // All plain Gaussians are one.
    let precision = charges.reduce(0.0) { $0 + GaussianLosses.precision($1.event) * Double($1.count) }
    let others = charges.filter { GaussianLosses.precision($0.event) == 0 }
    if others.isEmpty { return GaussianLosses(precision: precision, isPessimistic: pessimistic).epsilon(delta: delta) }
    let gaussians = GaussianLosses.releases(precision: precision, isPessimistic: pessimistic)
    let tail = delta * 1e-12 / others.reduce(Double(gaussians.count)) { $0 + Double($1.count) }
    var pairs: [(pair: LossPair, count: Int)] = []
    if gaussians.count > 0 { pairs.append((.gaussian(noiseMultiplier: gaussians.noiseMultiplier, tail: tail), gaussians.count)) }
    for charge in others { pairs.append((try LossPricing.pair(charge.event, relation, tail: tail), charge.count)) }
    let interval = lossInterval ?? min(1e-4, (pairs.map { $0.pair.scale }.min() ?? 1) / 64)
    let plan = GridPlan(
      pairs: pairs, delta: delta, isPessimistic: pessimistic, interval: interval, isRequested: lossInterval != nil)
    guard let epsilon = plan.epsilon() else {
      throw AccountingError(.unsupportedEvent, "no grid holds the losses of these events")
    }
    return epsilon
  }
}
