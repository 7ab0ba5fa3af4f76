// A Rényi differential privacy curve: an upper bound of D_α at each of a fixed list of orders. What a lifetime budget stores.

/// Upper bounds of the Rényi divergence by order.
public struct RenyiCurve: Equatable, Sendable {
  /// 1.1 … 10.9 by 0.1, 11 … 63, 128, 256, 512, 1024.
  public static let defaultOrders: [Double] =
    (1..<100).map { 1 + Double($0) / 10 } + (11...63).map(Double.init) + [128, 256, 512, 1024]

  /// The largest order that is taken.
  public static let orderMax = 65_536.0

  /// Ascending, each above 1.
  public let orders: [Double]
  /// D_α in nats, one for each order; infinite where nothing is promised.
  public private(set) var values: [Double]

  /// No release yet.
  /// - Throws: `.parameterOutOfRange` for orders that are not ascending in 1 < α ≤ 65,536, or none.
  public init(orders: [Double] = RenyiCurve.defaultOrders) throws(AccountingError) {
    let isAscending = zip(orders, orders.dropFirst()).allSatisfy { $0 < $1 }
    guard let first = orders.first, let last = orders.last, isAscending, first > 1, last <= RenyiCurve.orderMax else {
      throw AccountingError(.parameterOutOfRange, "orders ascend and lie in 1 < order <= \(Int(RenyiCurve.orderMax))")
    }
    self.orders = orders
    values = [Double](repeating: 0, count: orders.count)
  }

  /// A curve that was stored, for instance of a lifetime's budget.
  /// - Throws: `.parameterOutOfRange` for unusable orders, another number of values, or values that are NaN or negative.
  public init(orders: [Double], values: [Double]) throws(AccountingError) {
    try self.init(orders: orders)
    guard values.count == orders.count, values.allSatisfy({ $0 >= 0 }) else {
      throw AccountingError(.parameterOutOfRange, "a curve has one value for each order, none of them negative")
    }
    self.values = values
  }

  /// Both accounts together.
  /// - Throws: `.parameterOutOfRange` where the orders differ.
  public func adding(_ other: RenyiCurve) throws(AccountingError) -> RenyiCurve {
    guard orders == other.orders else { throw AccountingError(.parameterOutOfRange, "curves with different orders do not add up") }
    var sum = self
    for index in values.indices { sum.values[index] = Upward.add(values[index], other.values[index]) }
    return sum
  }

  /// Adds `count` times the divergence that `cost` gives at each order (adaptive composition, Mironov 2017, proposition 1).
  mutating func add(count: Int, _ cost: (Double) -> Double) {
    for (index, order) in orders.enumerated() {
      values[index] = Upward.add(values[index], Upward.multiply(Double(count), cost(order)))
    }
  }
}
