// What events cost in Rényi differential privacy. One neighbour relation an accountant; an event that no implemented theorem
// covers is refused, and leaves the account as it was.

public struct RenyiAccountant: Sendable {
  public let relation: NeighbourRelation
  /// Ascending, each above 1.
  public let orders: [Double]
  /// What was released so far, each kind of release once.
  private var charges: [Charge] = []
  private var places: [NoiseEvent: Int] = [:]

  struct Charge: Sendable {
    let term: any RenyiTerm
    var count: Int
  }

  /// Largest number of repetitions that is taken: exact as a double.
  public static let countMax = 1 << 53
  /// Deepest nesting of events.
  public static let depthMax = 32

  /// - Throws: `.parameterOutOfRange` for unusable orders.
  public init(
    relation: NeighbourRelation = .addOrRemove, orders: [Double] = RenyiCurve.defaultOrders
  ) throws(AccountingError) {
    self.relation = relation
    self.orders = try RenyiCurve(orders: orders).orders
  }

  /// Charges an event, `count` times.
  /// - Throws: `.unsupportedEvent` or `.parameterOutOfRange`; nothing is charged then.
  public mutating func compose(_ event: NoiseEvent, count: Int = 1) throws(AccountingError) {
    var next = self
    try next.charge(event, count, depth: 0)
    self = next
  }

  private mutating func charge(_ event: NoiseEvent, _ count: Int, depth: Int) throws(AccountingError) {
    guard (0...RenyiAccountant.countMax).contains(count) else {
      throw AccountingError(.parameterOutOfRange, "an event happens between 0 and 2^53 times, not \(count)")
    }
    // Events may come from a ledger: nesting is bounded before the stack is.
    guard depth <= RenyiAccountant.depthMax else { throw AccountingError(.unsupportedEvent, "events are nested more than 32 deep") }
    switch event {
    case .repeated(let inner, let times):
      let (product, overflow) = count.multipliedReportingOverflow(by: times)
      guard times >= 0, !overflow else {
        throw AccountingError(.parameterOutOfRange, "an event happens between 0 and 2^53 times")
      }
      try charge(inner, product, depth: depth + 1)
    case .composed(let events):
      for inner in events { try charge(inner, count, depth: depth + 1) }
    case .bandedMatrixFactorisation(let matrix):
      try charge(try matrix.reduced(), count, depth: depth + 1)
    default:
      try add(event, count)
    }
  }

  private mutating func add(_ event: NoiseEvent, _ count: Int) throws(AccountingError) {
    guard let place = places[event] else {
      let term = try EventPricing.term(event, relation)
      guard count > 0 else { return }
      places[event] = charges.count
      return charges.append(Charge(term: term, count: count))
    }
    guard charges[place].count <= RenyiAccountant.countMax - count else {
      throw AccountingError(.parameterOutOfRange, "an event happens between 0 and 2^53 times")
    }
    charges[place].count += count
  }

  /// The whole account: an upper bound of D_α at every order.
  public var curve: RenyiCurve {
    guard var curve = try? RenyiCurve(orders: orders) else { preconditionFailure("the orders were checked") }
    for charge in charges { curve.add(count: charge.count) { charge.term.divergence(order: $0) } }
    return curve
  }

  /// The account at one order.
  func divergence(order: Double) -> Double {
    charges.reduce(0.0) { Upward.add($0, Upward.multiply(Double($1.count), $1.term.divergence(order: order))) }
  }

  /// Whether ε as a function of the order has a single valley.
  var isConvex: Bool { charges.allSatisfy(\.term.isConvex) }
  var isEmpty: Bool { charges.isEmpty }
}
