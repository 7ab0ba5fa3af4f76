// Sits behind TLS on a site's connection: tells when the handshake is done and keeps the first thing that TLS reports as wrong.
import NIOCore
import NIOSSL
import NIOTLS
import Synchronization

/// Set once, read from anywhere.
final class SingleUse<Value: Sendable>: Sendable {
  private let stored = Mutex<Value?>(nil)
  var value: Value? { stored.withLock { $0 } }
  func set(_ value: Value) { stored.withLock { $0 = $0 ?? value } }
}

/// The outcome of a handshake; the waiting task can be cancelled.
final class HandshakePromise: Sendable {
  private let outcomes = BoundedQueue<Result<Void, TransportError>>(costMax: 1)

  func complete(_ outcome: Result<Void, TransportError>) {
    _ = outcomes.offer(outcome, cost: 1)
    outcomes.finish()
  }
  func value() async throws {
    guard let outcome = await outcomes.next() else { throw CancellationError() }
    try outcome.get()
  }
}

final class HandshakeObserver: ChannelInboundHandler, Sendable {
  typealias InboundIn = NIOAny

  private let endpoint: ServerEndpoint
  private let secure: Bool
  private let failure: FirstFailure
  private let handshake: HandshakePromise
  private let done = Atomic(false)

  init(endpoint: ServerEndpoint, secure: Bool, failure: FirstFailure, handshake: HandshakePromise) {
    self.endpoint = endpoint
    self.secure = secure
    self.failure = failure
    self.handshake = handshake
  }

  func channelActive(context: ChannelHandlerContext) {
    if !secure { complete() }
    context.fireChannelActive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent {
      if negotiated == "h2" {
        complete()
      } else {
        fail(
          TransportError(
            .handshake, "\(endpoint) speaks TLS but not HTTP/2", hint: "check that a SecAgg server listens there, not a web server or proxy"
          ))
        context.close(promise: nil)
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(TLSFailure.describe(error, endpoint: endpoint, afterHandshake: done.load(ordering: .relaxed)))
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(TransportError(.connectionLost, "\(endpoint) closed the connection", hint: "see the server's log for the cause"))
    context.fireChannelInactive()
  }

  private func complete() {
    done.store(true, ordering: .relaxed)
    handshake.complete(.success(()))
  }

  private func fail(_ error: TransportError) {
    failure.record(error)
    handshake.complete(.failure(error))
  }
}
