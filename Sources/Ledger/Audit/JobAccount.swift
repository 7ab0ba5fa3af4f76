// What the rounds of a job cost together (spec/10-accounting.md), kept up round by round: Rényi curves are added, never ε. Equal charges
// are priced once. Every figure is an upper bound.
import DPAccountant

/// Curves of charges that were met before.
struct ChargeCurves: Sendable {
  private var known: [ChargeKey: RenyiCurve?] = [:]

  struct ChargeKey: Hashable, Sendable {
    let mechanism: [UInt8]
    let shares: Int
  }

  /// nil where the accountant has no theorem for the event.
  mutating func curve(_ charge: LeafCharge, _ event: NoiseEvent) -> RenyiCurve? {
    let key = ChargeKey(mechanism: charge.mechanism, shares: charge.shares)
    if let found = known[key] { return found }
    var curve: RenyiCurve?
    if var accountant = try? RenyiAccountant(relation: .addOrRemove), (try? accountant.compose(event)) != nil { curve = accountant.curve }
    known[key] = .some(curve)
    return curve
  }
}

struct JobAccount: Sendable {
  /// The job's δ.
  let delta: Double
  private var total: RenyiCurve?
  private var sparse = 0

  struct Charge: Sendable {
    let curve: RenyiCurve
    /// Whether its masks rest on a random graph: that takes 2^-40 of δ for each attempt.
    let isSparse: Bool
  }

  /// - Parameter charges: what an account that lost a charge still has: an upper bound cannot be subtracted from another.
  init(delta: Double, _ charges: [Charge] = []) {
    self.delta = delta
    for charge in charges { add(charge) }
  }

  private static let graphFailure = 0x1p-40

  mutating func add(_ charge: Charge) {
    sparse += charge.isSparse ? 1 : 0
    total = total.map { (try? $0.adding(charge.curve)) ?? $0 } ?? charge.curve
  }

  /// ε of everything that was charged; infinite where δ is used up.
  var epsilon: Double { total.map { Self.epsilon($0, delta - Double(sparse) * Self.graphFailure) } ?? 0 }

  /// ε of one charge alone.
  func epsilon(of charge: Charge) -> Double { Self.epsilon(charge.curve, delta - (charge.isSparse ? Self.graphFailure : 0)) }

  private static func epsilon(_ curve: RenyiCurve, _ delta: Double) -> Double {
    (try? curve.epsilon(delta: delta).epsilon) ?? .infinity
  }

  /// LG-50, LG-51: not below the own figure (but for the last digits of other arithmetic), and rounded up by six digits at most.
  static func accepts(_ logged: Double, own: Double) -> Bool {
    own.isFinite && logged >= own * (1 - 1e-9) && logged <= own * (1 + 1e-5) * (1 + 1e-9)
  }
}
