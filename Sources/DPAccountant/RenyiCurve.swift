// A Rényi differential privacy curve: an upper bound of D_α at each of a fixed list of orders. What a lifetime budget stores.

/// Upper bounds of the Rényi divergence by order.
public struct RenyiCurve: Equatable, Sendable {
  /// 1.1 … 10.9 by 0.1, 11 … 63, 128, 256, 512, 1024.
  public static let defaultOrders: [Double] =
    (1..<100).map { 1 + Double($0) / 10 } + (11...63).map(Double.init) + [128, 256, 512, 1024]

  /// Ascending, each above 1.
  public let orders: [Double]
  /// D_α in nats, one for each order; infinite where nothing is promised.
  public private(set) var values: [Double]

  /// No release yet.
  /// - Throws: `.parameterOutOfRange` for orders that are not ascending in 1 < α ≤ 65,536, or none.
  public init(orders: [Double] = RenyiCurve.defaultOrders) throws(AccountingError) {
    let isAscending = zip(orders, orders.dropFirst()).allSatisfy { $0 < $1 }
    guard let first = orders.first, let last = orders.last, isAscending, first > 1, last <= SampledGaussian.ordersMax else {
      throw AccountingError(.parameterOutOfRange, "orders ascend and lie in 1 < order <= \(Int(SampledGaussian.ordersMax))")
    }
    self.orders = orders
    values = [Double](repeating: 0, count: orders.count)
  }

  /// Adds `count` times the divergence that `cost` gives at each order (adaptive composition, Mironov 2017, proposition 1).
  mutating func add(count: Int, _ cost: (Double) -> Double) {
    for (index, order) in orders.enumerated() {
      values[index] = Upward.add(values[index], Upward.multiply(Double(count), cost(order)))
    }
  }
}
