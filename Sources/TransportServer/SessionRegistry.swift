// Who is connected. Invariant: at most one live session a site; a newer one replaces the older, and the coordinator hears of the end of the
// one before it hears of the beginning of the other, and nothing of the older after that.
import Synchronization
import Transport

/// One stream of one site on the server.
final class Session: Sendable {
  let outbound: BoundedQueue<ServerFrame>
  /// Finished when nothing more is written.
  let ended = BoundedQueue<Void>(costMax: 1)
  private let cause = FirstFailure()
  private let completed = Mutex(false)
  private let named = Mutex<UInt32?>(nil)

  /// The site that the hello named, once that was accepted.
  var site: UInt32? { named.withLock { $0 } }
  func opened(by site: UInt32) { named.withLock { $0 = site } }

  init(outboundBytesMax: Int) { outbound = BoundedQueue(costMax: outboundBytesMax) }

  /// Why it ended, where it did not end as it should.
  var error: TransportError? { cause.error }
  /// The job is over: from here on the site may leave as it likes.
  func complete() { completed.withLock { $0 = true } }
  func record(_ error: TransportError) {
    if !completed.withLock({ $0 }) { cause.record(error) }
  }

  /// Ends the session at once, whatever is still queued or being written.
  func drop(_ error: TransportError) {
    record(error)
    outbound.discard()
    ended.finish()
  }

  /// Tells the site why and ends the session behind that.
  func refuse(_ error: TransportError) {
    record(error)
    outbound.force(.refusal(code: error.code.rawValue, reason: WireCodec.shortened(error.reason)), cost: 1_280)
    outbound.finish()
  }
}

final class SessionRegistry: Sendable {
  private struct State {
    var sessions: [UInt32: Session] = [:]
    var accepts = true
    /// Waiting for the last session to go.
    var drained: [CheckedContinuation<Void, Never>] = []
  }

  let events: BoundedQueue<ServerEvent>
  private let state = Mutex(State())
  /// What a connect or disconnect counts for in its site's share of the event queue: a site that reconnects in a loop fills only its own.
  private static let eventCost = 4_096

  init(inboundBytesMax: Int) { events = BoundedQueue(costMax: inboundBytesMax) }

  var sites: Set<UInt32> { state.withLock { Set($0.sessions.keys) } }
  subscript(site: UInt32) -> Session? { state.withLock { $0.sessions[site] } }

  func open(_ session: Session, site: UInt32) throws(TransportError) {
    guard events.hasRoom(lane: site) else {
      throw TransportError(.unavailable, "site \(site) has too much that waits to be handled", hint: "connect again later")
    }
    let accepted = state.withLock { state in
      guard state.accepts else { return false }
      if let older = state.sessions[site] {
        let error = TransportError(
          .replaced, "another connection of site \(site) took over", hint: "run one client a site; stop the other one")
        older.refuse(error)
        events.force(.disconnected(site, error), cost: Self.eventCost, lane: site)
      }
      state.sessions[site] = session
      events.force(.connected(site), cost: Self.eventCost, lane: site)
      return true
    }
    guard accepted else { throw TransportError(.unavailable, "the server is shutting down", hint: "connect again later") }
  }

  /// Hands a frame on; waits while the site's share of the queue is full.
  func deliver(_ frame: SiteFrame, from site: UInt32, on session: Session) async throws(TransportError) {
    guard state.withLock({ $0.sessions[site] === session }), await events.put(.frame(site, frame), cost: frame.cost, lane: site) else {
      throw session.error ?? TransportError(.notConnected, "the session of site \(site) is over", hint: "connect again")
    }
  }

  func close(_ session: Session, site: UInt32) {
    let drained: [CheckedContinuation<Void, Never>] = state.withLock { state in
      guard state.sessions[site] === session else { return [] }
      state.sessions[site] = nil
      events.force(.disconnected(site, session.error), cost: Self.eventCost, lane: site)
      guard state.sessions.isEmpty, !state.accepts else { return [] }
      defer { state.drained = [] }
      return state.drained
    }
    for continuation in drained { continuation.resume() }
  }

  /// Takes no more sessions and lets the open ones send what is queued.
  func stopAccepting() {
    let sessions = state.withLock { state in
      state.accepts = false
      return Array(state.sessions.values)
    }
    for session in sessions { session.outbound.finish() }
  }

  /// Returns when no session is left (after ``stopAccepting()``) or the task is cancelled.
  func waitUntilEmpty() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDone = state.withLock { state in
          if state.sessions.isEmpty || Task.isCancelled { return true }
          state.drained.append(continuation)
          return false
        }
        if isDone { continuation.resume() }
      }
    } onCancel: {
      let drained = state.withLock { state in
        defer { state.drained = [] }
        return state.drained
      }
      for continuation in drained { continuation.resume() }
    }
  }
}
