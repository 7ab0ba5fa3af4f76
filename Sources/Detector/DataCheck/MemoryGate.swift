// Bounds the memory of work that runs on many threads: each says how much it takes and waits until there is room.
import Foundation

/// Invariant: what has entered is within the bound, or is one piece of work alone.
final class MemoryGate: @unchecked Sendable {
  private let bytesMax: Int
  // Touched with `condition` locked only.
  private let condition = NSCondition()
  private var bytes = 0

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Waits for room for `count` bytes. A thread enters once and leaves before it enters again: two that wait inside would wait forever.
  func enter(_ count: Int) {
    condition.lock()
    defer { condition.unlock() }
    while bytes > 0, bytes + count > bytesMax { condition.wait() }
    bytes += count
  }

  func leave(_ count: Int) {
    condition.lock()
    defer { condition.unlock() }
    bytes -= count
    precondition(bytes >= 0)
    condition.broadcast()
  }
}
