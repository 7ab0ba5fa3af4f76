// A site's side of the transport: keeps one session with the server open, connects again when it breaks, and never listens. One `run`,
// one consumer of `events`, any number of senders.
import Logging
import Synchronization
import TLSIdentity

/// Sends frames in order on one session.
public typealias FrameSender = @Sendable (SiteFrame) async throws(TransportError) -> Void

/// The connection of one site to its server, across reconnects.
public final class SiteConnection: Sendable {
  private struct State {
    var outbound: BoundedQueue<SiteFrame>?
    var abort: (@Sendable () -> Void)?
    var isClosing = false
    var hasRun = false
  }

  public let configuration: Configuration
  /// What happens, in order; ends when ``run()`` ends.
  public var events: SiteConnectionEvents { SiteConnectionEvents(queue: queue) }

  let queue: BoundedQueue<SiteConnectionEvent>
  let logger: Logger
  private let state = Mutex(State())
  private let closing = BoundedQueue<Void>(costMax: 1)

  /// - Throws: ``TransportError`` `plaintextNotLoopback`, or `ownCertificateRefused` where this site's certificate is outside its validity.
  public init(_ configuration: Configuration, logger: Logger) throws(TransportError) {
    try configuration.validate()
    self.configuration = configuration
    self.logger = logger
    queue = BoundedQueue(costMax: configuration.limits.inboundBytesMax)
  }

  /// Connects, serves and connects again, until ``close(reason:)``, the server's `finished`, or a failure that no retry can mend.
  /// - Throws: ``TransportError``: what ended it for good.
  public func run() async throws(TransportError) {
    precondition(
      state.withLock { state in
        defer { state.hasRun = true }
        return !state.hasRun
      }, "a SiteConnection runs once")
    defer { queue.finish() }
    var attempt = 0
    var downSince = ContinuousClock.now
    while !state.withLock({ $0.isClosing }) {
      let session = SiteStream(connection: self)
      guard let error = await session.run() else { return }
      if state.withLock({ $0.isClosing }) || Task.isCancelled { return }
      if session.wasWelcomed {
        attempt = 0
        downSince = .now
      }
      attempt += 1
      let delay = configuration.reconnect.delay(attempt: attempt, spread: Double.random(in: -1...1))
      let isLast = !error.isTransient || isOver(since: downSince, with: delay)
      logger.notice("\(error.reason)", metadata: ["code": "\(error.code.rawValue)", "retry": "\(isLast ? "never" : "\(delay)")"])
      queue.force(.disconnected(error, retryIn: isLast ? nil : delay), cost: 1_024)
      if isLast { throw error }
      await pause(delay)
    }
  }

  /// Sends frames on the session that is open now, and on no later one; waits while the session's queue is full.
  ///
  /// A frame that was accepted is lost when the connection breaks: the protocol, not the transport, decides what is sent again.
  /// - Throws: ``TransportError`` `notConnected` while there is no session. The sender throws the same once its session is over,
  ///   `tooLarge` or `malformed` for a frame beyond its limits, `outOfOrder` for a `hello`, which the connection sends by itself.
  public func sender() throws(TransportError) -> FrameSender {
    let endpoint = configuration.endpoint
    @Sendable func notConnected() -> TransportError {
      TransportError(.notConnected, "there is no session with \(endpoint)", hint: "wait for the next connection")
    }
    guard let outbound = state.withLock({ $0.outbound }) else { throw notConnected() }
    return { (frame) async throws(TransportError) in
      try WireCodec.check(frame)
      if case .hello = frame {
        throw TransportError(.outOfOrder, "a hello is sent by the connection itself", hint: "report this as a bug")
      }
      guard await outbound.put(frame, cost: frame.cost) else { throw notConnected() }
    }
  }

  /// Sends one frame on the open session; throws as ``sender()`` does.
  public func send(_ frame: SiteFrame) async throws(TransportError) { try await sender()(frame) }

  /// Says goodbye, sends what is queued (within ``TransportLimits/shutdownGrace``) and ends ``run()``.
  public func close(reason: String) async {
    let outbound = state.withLock { state in
      state.isClosing = true
      return state.outbound
    }
    outbound?.force(.goodbye(reason: WireCodec.shortened(reason)), cost: 1_024)
    outbound?.finish()
    closing.finish()
    // A server that never answers must not keep run() alive.
    Task { [self] in
      try? await Task.sleep(for: configuration.limits.shutdownGrace)
      // Whoever does not take the events any more must not either.
      queue.finish()
      state.withLock { $0.abort }?()
    }
  }

  // MARK: for the sessions

  func opened(_ outbound: BoundedQueue<SiteFrame>) -> Bool {
    state.withLock { state in
      if !state.isClosing { state.outbound = outbound }
      return !state.isClosing
    }
  }

  func canAbort(_ abort: @escaping @Sendable () -> Void) { state.withLock { $0.abort = abort } }

  func closed() {
    state.withLock { state in
      state.outbound = nil
      state.abort = nil
    }
  }

  private func isOver(since start: ContinuousClock.Instant, with delay: Duration) -> Bool {
    guard let limit = configuration.reconnect.giveUpAfter else { return false }
    return start.duration(to: .now) + delay > limit
  }

  /// Waits for the delay, or until the connection is closed.
  private func pause(_ delay: Duration) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await Task.sleep(for: delay) }
      group.addTask { [closing] in _ = await closing.next() }
      await group.next()
      group.cancelAll()
    }
  }
}
