// Items made ahead on threads of their own while the network trains on the ones before. Invariant: item i is always the result of
// `make(i)`, and items come in order, so the number of threads changes the time and never the result.

import Foundation

/// A bounded queue that a few threads fill and one thread empties.
public final class Prefetcher<Item: Sendable>: @unchecked Sendable {
  // Invariant: all mutable state is touched with `condition` locked.
  private let condition = NSCondition()
  /// Made and not yet taken, by number.
  private var ready: [Int: Result<Item, any Error>] = [:]
  /// The next item to be made, and the next to be taken.
  private var nextToMake = 0
  private var nextToTake = 0
  /// One past the last item; an item that failed is the last.
  private var end: Int
  private var isStopped = false
  /// Items that may be ready or in the making.
  private let room: Int
  private let make: @Sendable (Int) throws -> Item
  /// Where no thread could be started, items are made on the caller's.
  private var isDirect = false

  /// - Parameters:
  ///   - count: items in all.
  ///   - depth: items that may wait, at least 1; those in the making come on top.
  ///   - workers: threads that make items, at least 1.
  ///   - make: called once for each of 0 ..< count, on the filling threads; an error ends the sequence at its item.
  public init(count: Int, depth: Int = 2, workers: Int = 1, make: @escaping @Sendable (Int) throws -> Item) {
    precondition(count >= 0 && depth >= 1 && workers >= 1)
    end = count
    room = depth + workers
    self.make = make
    // The threads keep the queue alive until they end: after the last item, an error, or `stop`.
    var started = 0
    for _ in 0..<min(workers, count) where Self.detach({ self.fill() }) { started += 1 }
    isDirect = started == 0
  }

  private func fill() {
    while let number = take() {
      let result = Result { try make(number) }
      condition.lock()
      ready[number] = result
      if case .failure = result { end = min(end, number + 1) }
      condition.broadcast()
      condition.unlock()
    }
  }

  /// The number of the next item to make, once there is room for it; nil when no more are wanted.
  private func take() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    while nextToMake < end && nextToMake >= nextToTake + room && !isStopped { condition.wait() }
    guard nextToMake < end, !isStopped else { return nil }
    nextToMake += 1
    return nextToMake - 1
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

  /// The next item, nil after the last.
  /// - Throws: what `make` threw for this item; the sequence is over then.
  public func next() throws -> Item? {
    condition.lock()
    defer { condition.unlock() }
    guard nextToTake < end, !isStopped else { return nil }
    if isDirect {
      nextToTake += 1
      do { return try make(nextToTake - 1) } catch {
        end = nextToTake
        throw error
      }
    }
    while ready[nextToTake] == nil && !isStopped { condition.wait() }
    guard !isStopped, let result = ready.removeValue(forKey: nextToTake) else { return nil }
    nextToTake += 1
    condition.broadcast()
    return try result.get()
  }

  /// Ends the filling threads after their present items. A consumer that does not take all items must call it.
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
