// How independent pieces of work are spread over cores. This module starts no threads: a driver hands in the means, and whoever
// hands in nothing gets one piece after the other.

public struct Workers: Sendable {
  /// Runs `body(0)` … `body(count − 1)`, in any order and at the same time, and returns when all are done.
  private let perform: @Sendable (_ count: Int, _ body: @Sendable (Int) -> Void) -> Void

  public init(_ perform: @escaping @Sendable (_ count: Int, _ body: @Sendable (Int) -> Void) -> Void) { self.perform = perform }

  public static let serial = Workers { count, body in
    for index in 0..<count { body(index) }
  }

  public func callAsFunction(_ count: Int, _ body: @Sendable (Int) -> Void) {
    if count == 1 { body(0) } else if count > 1 { perform(count, body) }
  }
}
