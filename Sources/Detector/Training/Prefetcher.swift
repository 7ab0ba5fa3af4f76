// Items made ahead on a thread of their own while the network trains on the one before (double buffering).
// Invariant: item i is always the result of `make(i)`, in order, so the thread changes the time and never the result.

import Foundation

/// A bounded queue that one thread fills and one thread empties.
public final class Prefetcher<Item: Sendable>: @unchecked Sendable {
  // Invariant: all mutable state is touched with `condition` locked.
  private let condition = NSCondition()
  private var ready: [Result<Item, any Error>] = []
  private var remaining: Int
  private var isStopped = false
  private let depth: Int
  /// Makes an item when so many remain, on the caller's thread: used where no thread could be started.
  private var direct: ((Int) throws -> Item)?

  /// - Parameters:
  ///   - count: items in all.
  ///   - depth: items that may wait, at least 1.
  ///   - make: called for 0 ..< count in order, on the filling thread; an error ends the sequence.
  public init(count: Int, depth: Int = 2, make: @escaping @Sendable (Int) throws -> Item) {
    precondition(count >= 0 && depth >= 1)
    remaining = count
    self.depth = depth
    guard count > 0 else { return }
    // The thread keeps the queue alive until it ends: after the last item, an error, or `stop`.
    let started = Self.detach {
      for index in 0..<count {
        let result = Result { try make(index) }
        guard self.put(result), case .success = result else { return }
      }
    }
    if !started { direct = { try make(count - $0) } }
  }

  /// Starts a thread; false where the system has none left, which Foundation's `Thread` would not tell.
  private static func detach(_ body: @escaping @Sendable () -> Void) -> Bool {
    let box = Unmanaged.passRetained(ThreadBody(body))
    #if canImport(Glibc)
      var thread = pthread_t()
      let status = pthread_create(
        &thread, nil,
        { context in
          if let context { Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().body() }
          return nil
        }, box.toOpaque())
      guard status == 0 else {
        box.release()
        return false
      }
      pthread_detach(thread)
    #else
      Thread { box.takeRetainedValue().body() }.start()
    #endif
    return true
  }

  /// Waits for room; false when nobody wants items any more.
  private func put(_ result: Result<Item, any Error>) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while ready.count >= depth && !isStopped { condition.wait() }
    guard !isStopped else { return false }
    ready.append(result)
    condition.broadcast()
    return true
  }

  /// The next item, nil after the last.
  /// - Throws: what `make` threw for this item; the sequence is over then.
  public func next() throws -> Item? {
    condition.lock()
    defer { condition.unlock() }
    guard remaining > 0 else { return nil }
    if let direct {
      defer { remaining -= 1 }
      return isStopped ? nil : try direct(remaining)
    }
    while ready.isEmpty && !isStopped { condition.wait() }
    guard !isStopped else { return nil }
    let result = ready.removeFirst()
    remaining -= 1
    if case .failure = result { remaining = 0 }
    condition.broadcast()
    return try result.get()
  }

  /// Ends the filling thread after its present item. A consumer that does not take all items must call it.
  public func stop() {
    condition.lock()
    isStopped = true
    condition.broadcast()
    condition.unlock()
  }
}

/// What a thread runs, as something that C can carry.
private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
