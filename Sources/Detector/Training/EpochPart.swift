// A part of an epoch. Federated rounds may be shorter than an epoch: sites whose models are averaged more often drift apart less.

/// One of `count` consecutive parts of an epoch's batches.
public struct EpochPart: Equatable, Sendable {
  public static let countMax = 1024
  /// From 0.
  public let number: Int
  public let count: Int

  public static let whole = EpochPart(number: 0, count: 1)

  public init(number: Int, count: Int) {
    precondition((1...Self.countMax).contains(count) && (0..<count).contains(number))
    (self.number, self.count) = (number, count)
  }

  /// The part's batches. All parts together are all batches, each once; of fewer batches than parts, some come more than once, because no
  /// part may be without one.
  func batches(of total: Int) -> Range<Int> {
    let start = number * total / count
    return start..<max((number + 1) * total / count, start + 1)
  }
}
