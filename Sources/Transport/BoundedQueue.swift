// A queue between tasks with a limit in bytes for each lane (a lane is a site, or the one peer of a client). Invariant: no producer can
// hold more memory than its lane's limit plus one element, and one slow lane never holds up another's admission.
import Synchronization

/// First in, first out over all lanes; any number of producers, one consumer.
package final class BoundedQueue<Element: Sendable>: Sendable {
  package enum Offer: Equatable { case accepted, full, finished }

  private struct Entry {
    var element: Element
    var cost: Int
    var lane: UInt32
  }
  private struct Waiter {
    var id: UInt64
    var entry: Entry
    var continuation: CheckedContinuation<Bool, Never>
  }
  private struct State {
    var entries: [Entry?] = []
    var head = 0
    var held: [UInt32: Int] = [:]
    var waiters: [Waiter] = []
    var consumer: CheckedContinuation<Element?, Never>?
    var finished = false
    var nextID: UInt64 = 0
    var cancelled: Set<UInt64> = []
  }

  private let costMax: Int
  private let state = Mutex(State())

  /// - Parameter costMax: what one lane may hold, in bytes.
  package init(costMax: Int) { self.costMax = costMax }

  /// Adds an element if its lane has room, and never waits.
  package func offer(_ element: Element, cost: Int, lane: UInt32 = 0) -> Offer {
    add(Entry(element: element, cost: cost, lane: lane), force: false)
  }

  /// Adds an element whatever its lane holds; for the few that must not be lost.
  @discardableResult
  package func force(_ element: Element, cost: Int, lane: UInt32 = 0) -> Offer {
    add(Entry(element: element, cost: cost, lane: lane), force: true)
  }

  /// Whether a lane has room for another element.
  package func hasRoom(lane: UInt32) -> Bool { state.withLock { ($0.held[lane] ?? 0) < costMax } }

  /// Adds an element as soon as its lane has room.
  /// - Returns: false when the queue is finished or the task is cancelled.
  package func put(_ element: Element, cost: Int, lane: UInt32 = 0) async -> Bool {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let accepted = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let entry = Entry(element: element, cost: cost, lane: lane)
        var wake: CheckedContinuation<Element?, Never>?
        let result: Bool? = state.withLock { state in
          if state.finished || state.cancelled.remove(id) != nil { return false }
          // Those of the same lane that wait already go first.
          guard self.fits(entry, state), !state.waiters.contains(where: { $0.entry.lane == lane }) else {
            state.waiters.append(Waiter(id: id, entry: entry, continuation: continuation))
            return nil
          }
          wake = self.append(entry, &state)
          return true
        }
        wake?.resume(returning: element)
        if let result { continuation.resume(returning: result) }
      }
    } onCancel: {
      let waiter: Waiter? = state.withLock { state in
        guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
          // Cancelled before it began to wait, or already done.
          state.cancelled.insert(id)
          return nil
        }
        return state.waiters.remove(at: index)
      }
      waiter?.continuation.resume(returning: false)
    }
    state.withLock { _ = $0.cancelled.remove(id) }
    return accepted
  }

  /// The next element; nil when the queue is finished and empty, or the task is cancelled. One consumer at a time.
  package func next() async -> Element? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        var admitted: [Waiter] = []
        let result: Element?? = state.withLock { state in
          if Task.isCancelled { return .some(nil) }
          if let entry = self.takeFirst(&state) {
            admitted = self.admit(lane: entry.lane, &state)
            return entry.element
          }
          if state.finished { return .some(nil) }
          precondition(state.consumer == nil, "a BoundedQueue has one consumer")
          state.consumer = continuation
          return nil
        }
        for waiter in admitted { waiter.continuation.resume(returning: true) }
        if let result { continuation.resume(returning: result) }
      }
    } onCancel: {
      let consumer = state.withLock { state in
        defer { state.consumer = nil }
        return state.consumer
      }
      consumer?.resume(returning: nil)
    }
  }

  /// Takes no more elements; those that are queued are still delivered.
  package func finish() { end(discarding: false) }

  /// Takes no more elements and forgets those that are queued.
  package func discard() { end(discarding: true) }

  private func end(discarding: Bool) {
    let (waiters, consumer) = state.withLock { state in
      state.finished = true
      if discarding {
        state.entries = []
        state.head = 0
        state.held = [:]
      }
      let waiters = state.waiters
      state.waiters = []
      let consumer = state.consumer
      state.consumer = nil
      return (waiters, consumer)
    }
    for waiter in waiters { waiter.continuation.resume(returning: false) }
    // A consumer waits only on an empty queue.
    consumer?.resume(returning: nil)
  }

  private func add(_ entry: Entry, force: Bool) -> Offer {
    var wake: CheckedContinuation<Element?, Never>?
    let offer: Offer = state.withLock { state in
      if state.finished { return .finished }
      if !force, !fits(entry, state) { return .full }
      wake = append(entry, &state)
      return .accepted
    }
    wake?.resume(returning: entry.element)
    return offer
  }

  private func fits(_ entry: Entry, _ state: State) -> Bool {
    let held = state.held[entry.lane] ?? 0
    return held == 0 || held + entry.cost <= costMax
  }

  /// Queues the entry, or hands back the waiting consumer that is to get it.
  private func append(_ entry: Entry, _ state: inout State) -> CheckedContinuation<Element?, Never>? {
    if let consumer = state.consumer {
      state.consumer = nil
      return consumer
    }
    state.entries.append(entry)
    state.held[entry.lane, default: 0] += entry.cost
    return nil
  }

  private func takeFirst(_ state: inout State) -> Entry? {
    guard state.head < state.entries.count, let entry = state.entries[state.head] else { return nil }
    state.entries[state.head] = nil
    state.head += 1
    if state.head == state.entries.count || state.head > 1_024 {
      state.entries.removeFirst(state.head)
      state.head = 0
    }
    let left = (state.held[entry.lane] ?? 0) - entry.cost
    state.held[entry.lane] = left > 0 ? left : nil
    return entry
  }

  /// Moves the waiters of a lane into the room that became free, in their order.
  private func admit(lane: UInt32, _ state: inout State) -> [Waiter] {
    var admitted: [Waiter] = []
    while let index = state.waiters.firstIndex(where: { $0.entry.lane == lane }), fits(state.waiters[index].entry, state) {
      let waiter = state.waiters.remove(at: index)
      state.entries.append(waiter.entry)
      state.held[lane, default: 0] += waiter.entry.cost
      admitted.append(waiter)
    }
    return admitted
  }
}
