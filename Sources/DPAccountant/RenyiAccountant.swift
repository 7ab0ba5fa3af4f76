// What events cost in Rényi differential privacy. One neighbour relation an accountant; an event that no implemented theorem
// covers is refused, and leaves the account as it was.

public struct RenyiAccountant: Sendable {
  public let relation: NeighbourRelation
  public private(set) var curve: RenyiCurve

  /// Largest number of repetitions that is taken: exact as a double.
  public static let countMax = 1 << 53

  /// - Throws: `.parameterOutOfRange` for unusable orders.
  public init(
    relation: NeighbourRelation = .addOrRemove, orders: [Double] = RenyiCurve.defaultOrders
  ) throws(AccountingError) {
    self.relation = relation
    curve = try RenyiCurve(orders: orders)
  }

  /// Charges an event, `count` times.
  /// - Throws: `.unsupportedEvent` or `.parameterOutOfRange`; nothing is charged then.
  public mutating func compose(_ event: NoiseEvent, count: Int = 1) throws(AccountingError) {
    var next = curve
    try charge(event, count, depth: 0, to: &next)
    curve = next
  }

  private func charge(_ event: NoiseEvent, _ count: Int, depth: Int, to curve: inout RenyiCurve) throws(AccountingError) {
    guard (0...RenyiAccountant.countMax).contains(count) else {
      throw AccountingError(.parameterOutOfRange, "an event happens between 0 and 2^53 times, not \(count)")
    }
    // Events may come from a ledger: nesting is bounded before the stack is.
    guard depth <= 32 else { throw AccountingError(.unsupportedEvent, "events are nested more than 32 deep") }
    switch event {
    case .gaussian(let sigma):
      try check(sigma)
      curve.add(count: count) { SampledGaussian.gaussian(order: $0, noiseMultiplier: sigma) }
    case .poissonSampled(let rate, let inner):
      let sigma = try sampledGaussian(rate, inner)
      curve.add(count: count) { SampledGaussian.divergence(order: $0, noiseMultiplier: sigma, samplingRate: rate) }
    case .sampledWithoutReplacement:
      throw AccountingError(.unsupportedEvent, "sampling without replacement is not accounted for")
    case .repeated(let inner, let times):
      let (product, overflow) = count.multipliedReportingOverflow(by: times)
      guard times >= 0, !overflow else {
        throw AccountingError(.parameterOutOfRange, "an event happens between 0 and 2^53 times")
      }
      try charge(inner, product, depth: depth + 1, to: &curve)
    case .composed(let events):
      for inner in events { try charge(inner, count, depth: depth + 1, to: &curve) }
    case .nonPrivate:
      if count > 0 { curve.add(count: 1) { _ in .infinity } }
    }
  }

  /// The noise multiplier of a Poisson-sampled Gaussian that the theorem covers.
  private func sampledGaussian(_ rate: Double, _ inner: NoiseEvent) throws(AccountingError) -> Double {
    guard rate >= 0, rate <= 1 else {
      throw AccountingError(.parameterOutOfRange, "a sampling rate lies in 0 ... 1")
    }
    guard case .gaussian(let sigma) = inner else {
      throw AccountingError(.unsupportedEvent, "Poisson sampling is accounted for before Gaussian noise only")
    }
    guard relation == .addOrRemove else {
      throw AccountingError(.unsupportedEvent, "Poisson sampling is accounted for under add/remove only")
    }
    try check(sigma)
    return sigma
  }

  private func check(_ sigma: Double) throws(AccountingError) {
    guard sigma > 0, sigma >= 1e-6, sigma <= 1e9 else {
      throw AccountingError(.parameterOutOfRange, "a noise multiplier lies in 1e-6 ... 1e9; no noise is a non-private event")
    }
  }
}
