// Sits on every TCP connection of the server: how many there may be, how long a handshake may take, TLS 1.3 and nothing older (the gRPC
// library accepts 1.2), and a log line with the cause of every refused handshake.
import Logging
import NIOCore
import NIOSSL
import NIOTLS
import Synchronization
import Transport

/// Counts open connections.
final class ConnectionCount: Sendable {
  private let open = Atomic(0)
  let max: Int
  init(max: Int) { self.max = max }

  func enter() -> Bool {
    if open.add(1, ordering: .relaxed).newValue <= max { return true }
    leave()
    return false
  }
  func leave() { open.subtract(1, ordering: .relaxed) }
}

final class ConnectionGuard: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  private let count: ConnectionCount
  private let secure: Bool
  private let timeout: TimeAmount
  private let logger: Logger
  private var timer: Scheduled<Void>?
  private var isDone = false
  private var isCounted = true

  init(count: ConnectionCount, secure: Bool, timeout: TimeAmount, logger: Logger) {
    self.count = count
    self.secure = secure
    self.timeout = timeout
    self.logger = logger
  }

  /// Adds the guard right behind TLS; called on the channel's event loop.
  static func install(
    on channel: any Channel, count: ConnectionCount, secure: Bool, limits: TransportLimits, logger: Logger
  ) -> EventLoopFuture<Void> {
    guard count.enter() else {
      logger.warning(
        "more than \(count.max) connections: one is closed at once", metadata: ["peer": "\(channel.remoteAddress.map { "\($0)" } ?? "?")"])
      // Not a failed future: the library would drop a half-made channel, and that traps.
      channel.close(promise: nil)
      return channel.eventLoop.makeSucceededVoidFuture()
    }
    return channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      let guardian = ConnectionGuard(count: count, secure: secure, timeout: TimeAmount(limits.handshakeTimeout), logger: logger)
      if secure {
        let tls = try pipeline.handler(type: NIOSSLServerHandler.self)
        try pipeline.addHandler(guardian, position: .after(tls))
        try pipeline.addHandler(LingeringClose(), position: .before(tls))
      } else {
        try pipeline.addHandler(guardian, position: .first)
      }
    }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    guard secure else { return }
    let channel = context.channel
    timer = context.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { release() }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted? = event as? TLSUserEvent {
      timer?.cancel()
      isDone = true
      let version = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self).tlsVersion
      guard version == .tlsv13 else {
        logger.warning("a connection with a TLS version before 1.3 is refused", metadata: ["peer": "\(peer(context))"])
        context.close(promise: nil)
        return
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if secure, !isDone {
      logger.notice("a TLS handshake failed: \("\(error)".prefix(300))", metadata: ["peer": "\(peer(context))"])
    }
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    release()
    context.fireChannelInactive()
  }

  private func peer(_ context: ChannelHandlerContext) -> String { context.remoteAddress.map { "\($0)" } ?? "?" }

  private func release() {
    timer?.cancel()
    if isCounted { count.leave() }
    isCounted = false
  }
}

/// Holds a close back for a moment in which the peer's bytes are read and dropped. Without it, the bytes that a client sent behind its
/// refused certificate make the kernel reset the connection, and the alert that says why is lost.
final class LingeringClose: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer

  private var isClosing = false
  private static let linger = TimeAmount.milliseconds(500)

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if !isClosing { context.fireChannelRead(data) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if isClosing, case .inputClosed? = event as? ChannelEvent { return context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .all, !isClosing, context.channel.isActive else { return context.close(mode: mode, promise: promise) }
    isClosing = true
    let channel = context.channel
    let loop = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.close(mode: .output, promise: nil)
    context.read()
    context.eventLoop.scheduleTask(in: Self.linger) {
      if channel.isActive { loop.value.close(mode: .all, promise: promise) } else { promise?.succeed(()) }
    }
  }
}
