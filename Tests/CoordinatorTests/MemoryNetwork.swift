// A network without a network: frames go from the real round driver to real site drivers through queues, connections break on demand, and
// deadlines fire when a test says so.
import Foundation
import Participant
import Synchronization
import Transport
import TransportServer

@testable import Coordinator

/// Both ends of every connection.
final class MemoryNetwork: SiteHub, Sendable {
  private struct Port {
    var events: AsyncStream<SiteConnectionEvent>.Continuation
    var connection: Int
  }
  private struct State {
    var ports: [UInt32: Port] = [:]
    var connections = 0
    /// Frames to the server that a test wants lost or changed.
    var filter: @Sendable (UInt32, SiteFrame) -> SiteFrame? = { $1 }
    /// Called when a frame has reached the server.
    var afterwards: @Sendable (UInt32, SiteFrame) -> Void = { _, _ in }
    var server: AsyncStream<ServerEvent>.Continuation?
  }
  private let state = Mutex(State())

  /// The events of a server that starts; an earlier one gets no more.
  func serverEvents() -> AsyncStream<ServerEvent> {
    let (stream, continuation) = AsyncStream<ServerEvent>.makeStream()
    state.withLock { $0.server = continuation }
    return stream
  }

  /// Connects a site; its driver reads the stream that comes back.
  func open(_ site: UInt32) -> AsyncStream<SiteConnectionEvent> {
    let (stream, continuation) = AsyncStream<SiteConnectionEvent>.makeStream()
    connect(site, continuation)
    return stream
  }

  private func connect(_ site: UInt32, _ continuation: AsyncStream<SiteConnectionEvent>.Continuation) {
    state.withLock {
      $0.connections += 1
      $0.ports[site] = Port(events: continuation, connection: $0.connections)
      $0.server?.yield(.connected(site))
    }
  }

  /// Breaks a site's connection; with `again`, the same driver is connected anew at once.
  func breakConnection(_ site: UInt32, again: Bool) {
    let lost = TransportError(.connectionLost, "cut by the test", hint: "none")
    let port = state.withLock { state in
      state.server?.yield(.disconnected(site, lost))
      return state.ports.removeValue(forKey: site)
    }
    port?.events.yield(.disconnected(lost, retryIn: again ? .zero : nil))
    if let port, again { connect(site, port.events) } else { port?.events.finish() }
  }

  /// Every site loses the server.
  func breakAll() { for site in state.withLock({ Array($0.ports.keys) }) { breakConnection(site, again: false) } }

  func setFilter(_ filter: @escaping @Sendable (UInt32, SiteFrame) -> SiteFrame?) { state.withLock { $0.filter = filter } }

  func setAfterwards(_ afterwards: @escaping @Sendable (UInt32, SiteFrame) -> Void) { state.withLock { $0.afterwards = afterwards } }

  /// A frame as if the site had sent it.
  func inject(_ frame: SiteFrame, from site: UInt32) { state.withLock { _ = $0.server?.yield(.frame(site, frame)) } }

  /// Frames of one connection: none of them arrives once it has ended.
  func sender(of site: UInt32) throws(TransportError) -> FrameSender {
    let gone = TransportError(.notConnected, "no connection", hint: "none")
    guard let connection = state.withLock({ $0.ports[site]?.connection }) else { throw gone }
    return { [self] (frame) async throws(TransportError) in
      let passed = state.withLock(\.filter)(site, frame)
      let isOpen = state.withLock { state in
        guard state.ports[site]?.connection == connection else { return false }
        if let passed { state.server?.yield(.frame(site, passed)) }
        return true
      }
      if !isOpen { throw gone }
      if let passed { state.withLock(\.afterwards)(site, passed) }
    }
  }

  func send(_ frame: ServerFrame, to site: UInt32) throws(TransportError) {
    let isThere = state.withLock { state in
      guard let port = state.ports[site] else { return false }
      if case .welcome(let job, let configuration) = frame {
        port.events.yield(.connected(job: job, configuration: configuration))
      } else {
        port.events.yield(.frame(frame))
      }
      return true
    }
    if !isThere { throw TransportError(.notConnected, "no connection", hint: "none") }
  }

  func sendPaced(_ frame: ServerFrame, to site: UInt32) async throws(TransportError) { try send(frame, to: site) }

  func refuse(_ site: UInt32, code: String, reason: String) {
    try? send(.refusal(code: code, reason: reason), to: site)
    breakConnection(site, again: false)
  }
}

/// A site's end.
struct MemoryLink: SiteLink {
  let network: MemoryNetwork
  let site: UInt32
  func send(_ frame: SiteFrame) async throws(TransportError) { try await sender()(frame) }
  func sender() throws(TransportError) -> FrameSender { try network.sender(of: site) }
  func close(reason: String) async { network.breakConnection(site, again: false) }
}

/// Deadlines that fire on demand.
final class ManualTimers: Sendable {
  private struct Timer {
    let id: Int
    let duration: Duration
    let fire: @Sendable () async -> Void
  }
  private let state = Mutex<(next: Int, timers: [Timer])>((0, []))

  var source: TimerSource {
    TimerSource { duration, fire in
      let id = self.state.withLock { state in
        state.next += 1
        state.timers.append(Timer(id: state.next, duration: duration, fire: fire))
        return state.next
      }
      return { self.state.withLock { state in state.timers.removeAll { $0.id == id } } }
    }
  }

  /// Fires every timer that was set for this long.
  func fire(_ duration: Duration) async {
    let due = state.withLock { state in
      let due = state.timers.filter { $0.duration == duration }
      state.timers.removeAll { $0.duration == duration }
      return due
    }
    for timer in due { await timer.fire() }
  }
}

/// Keeps what one site sends: copies while it listens, the frames themselves while it holds them back.
final class Relay: Sendable {
  private let network: MemoryNetwork
  private let site: UInt32
  private let state = Mutex<(copies: [SiteFrame], held: [SiteFrame]?)>(([], nil))

  init(_ network: MemoryNetwork, site: UInt32) {
    (self.network, self.site) = (network, site)
    network.setFilter { sender, frame in sender == site ? self.pass(frame) : frame }
  }

  private func pass(_ frame: SiteFrame) -> SiteFrame? {
    state.withLock { state in
      state.copies.append(frame)
      guard state.held != nil else { return frame }
      state.held?.append(frame)
      return nil
    }
  }

  func hold() { state.withLock { $0.held = [] } }

  /// Sends again what was sent before the holding began, then what was held, and holds no more.
  func replayAndRelease() {
    state.withLock { state in
      let held = state.held ?? []
      for frame in state.copies.dropLast(held.count) + held { network.inject(frame, from: site) }
      state.held = nil
    }
  }
}
