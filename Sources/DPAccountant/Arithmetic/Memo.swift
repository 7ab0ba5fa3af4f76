// Values that are computed once and shared: pure functions of their key, so that it does not matter who computes them.
import Foundation

final class Memo<Key: Hashable & Sendable, Value: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var known: [Key: Value] = [:]

  /// The known value of `key`, or what `compute` gives; two threads may compute the same value.
  func value(_ key: Key, _ compute: () -> Value) -> Value {
    if let value = lock.withLock({ known[key] }) { return value }
    let value = compute()
    lock.withLock { known[key] = value }
    return value
  }
}
