// The server's side of the transport: listens, lets in the sites of the roster and no others, and carries frames between them and the
// coordinator. It knows nothing of rounds.
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TLSIdentity
import Transport

public final class AggregationServer: Sendable {
  private struct State {
    var server: GRPCServer<HTTP2ServerTransport.Posix>?
    var serving: Task<Void, any Error>?
  }

  public let configuration: Configuration
  /// What the sites do, in order; ends after ``shutdown()``.
  public var events: ServerEvents { ServerEvents(queue: registry.events) }
  /// The sites with an open session.
  public var connectedSites: Set<UInt32> { registry.sites }

  private let registry: SessionRegistry
  private let logger: Logger
  private let state = Mutex(State())

  /// - Throws: ``TransportError`` `plaintextNotLoopback`, `unusableAddress`, or `ownCertificateRefused` for a certificate outside its
  ///   validity.
  public init(_ configuration: Configuration, logger: Logger) throws(TransportError) {
    try configuration.validate()
    self.configuration = configuration
    self.logger = logger
    registry = SessionRegistry(inboundBytesMax: configuration.limits.inboundBytesMax)
  }

  /// Binds and serves in the background.
  /// - Returns: the bound address, with the port that was chosen where 0 was asked for.
  /// - Throws: ``TransportError`` `portInUse` or `unusableAddress`.
  public func start() async throws(TransportError) -> ServerEndpoint {
    let transport = makeTransport()
    let service = SessionService(registry: registry, security: configuration.security, limits: configuration.limits, logger: logger)
    let server = GRPCServer(transport: transport, services: [service])
    let serving = Task { try await server.serve() }
    state.withLock { state in
      precondition(state.server == nil, "an AggregationServer starts once")
      state.server = server
      state.serving = serving
    }
    if let address = try? await transport.listeningAddress {
      let port = address.ipv4?.port ?? address.ipv6?.port ?? configuration.listen.port
      return try ServerEndpoint(host: configuration.listen.host, port: port)
    }
    registry.events.finish()
    switch await serving.result {
    case .success: throw TransportError(.unusableAddress, "\(configuration.listen) could not be listened on", hint: "check the address")
    case .failure(let error): throw describe(error)
    }
  }

  /// Queues a frame for a site and never waits.
  /// - Throws: ``TransportError`` `notConnected`; `tooLarge` or `malformed` for a frame beyond its limits; `slowPeer` when the site's queue
  ///   (``TransportLimits/outboundBytesMax``) is full: the site is then disconnected.
  public func send(_ frame: ServerFrame, to site: UInt32) throws(TransportError) {
    try WireCodec.check(frame)
    guard let session = registry[site] else { throw notConnected(site) }
    switch session.outbound.offer(frame, cost: frame.cost) {
    case .accepted: break
    case .finished: throw notConnected(site)
    case .full:
      let error = TransportError(
        .slowPeer, "site \(site) does not take its frames; \(configuration.limits.outboundBytesMax) bytes wait",
        hint: "its network may be overloaded")
      session.drop(error)
      throw error
    }
  }

  /// Queues a frame as soon as the site's queue has room: for many large ones, such as weights. Same order as ``send(_:to:)``.
  /// - Throws: as ``send(_:to:)``, but for `slowPeer`.
  public func sendPaced(_ frame: ServerFrame, to site: UInt32) async throws(TransportError) {
    try WireCodec.check(frame)
    guard let session = registry[site], await session.outbound.put(frame, cost: frame.cost) else { throw notConnected(site) }
  }

  /// Tells a site why it is refused and ends its session; does nothing for a site that is not connected.
  public func refuse(_ site: UInt32, code: String, reason: String) {
    guard let session = registry[site] else { return }
    session.record(TransportError(.refused, "site \(site) was refused (\(code)): \(reason)", hint: "see the round's record"))
    let clean = code.isEmpty || code.utf8.count > FieldLimits.codeBytesMax ? TransportError.Code.refused.rawValue : code
    session.outbound.force(.refusal(code: clean, reason: WireCodec.shortened(reason)), cost: 1_280)
    session.outbound.finish()
  }

  /// Sends what is queued (within ``TransportLimits/shutdownGrace``), ends every session, frees the port and ends ``events``.
  public func shutdown() async {
    registry.stopAccepting()
    let (server, serving) = state.withLock { ($0.server, $0.serving) }
    await within(configuration.limits.shutdownGrace) { [registry] in await registry.waitUntilEmpty() }
    server?.beginGracefulShutdown()
    await within(configuration.limits.shutdownGrace + .seconds(2)) {
      await withTaskCancellationHandler {
        _ = await serving?.result
      } onCancel: {
        serving?.cancel()
      }
    }
    registry.events.finish()
  }

  private func within(_ limit: Duration, _ body: @escaping @Sendable () async -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask(operation: body)
      group.addTask { try? await Task.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
  }

  private func notConnected(_ site: UInt32) -> TransportError {
    TransportError(.notConnected, "site \(site) is not connected", hint: "it connects again by itself")
  }

  private func describe(_ error: any Error) -> TransportError {
    var cause: any Error = error
    while let wrapped = (cause as? RuntimeError)?.cause ?? (cause as? RPCError)?.cause { cause = wrapped }
    let listen = configuration.listen
    if let system = cause as? IOError {
      switch system.errnoCode {
      case EADDRINUSE:
        return TransportError(
          .portInUse, "another program listens on \(listen)",
          hint: "stop it (ss -ltnp shows which), or choose another port; 0 takes a free one")
      case EACCES:
        return TransportError(
          .unusableAddress, "\(listen) may not be listened on", hint: "ports below 1024 need rights; choose a higher one")
      case EADDRNOTAVAIL:
        return TransportError(.unusableAddress, "\(listen.host) is no address of this machine", hint: "use 0.0.0.0 for every interface")
      default: break
      }
    }
    return TransportError(.unusableAddress, "\(listen) could not be listened on: \(cause)", hint: "check the address")
  }
}

extension AggregationServer {
  private func makeTransport() -> HTTP2ServerTransport.Posix {
    let limits = configuration.limits
    let count = ConnectionCount(max: limits.connectionsMax)
    let logger = logger
    var isSecure = false
    var security = HTTP2ServerTransport.Posix.TransportSecurity.plaintext
    if case .mutualTLS(let credentials, let authorise) = configuration.security {
      isSecure = true
      security = Self.mutualTLS(credentials, authorise: authorise, logger: logger)
    }
    let secure = isSecure
    let host = configuration.listen.host.lowercased() == "localhost" ? "127.0.0.1" : configuration.listen.host
    let port = configuration.listen.port
    return .http2NIOPosix(
      address: host.contains(":") ? .ipv6(host: host, port: port) : .ipv4(host: host, port: port),
      transportSecurity: security,
      config: .defaults { config in
        config.http2.targetWindowSize = TransportTuning.windowBytes
        config.http2.maxFrameSize = TransportTuning.http2FrameBytes
        // A site needs one stream; a second one is for the moment in which it replaces the first.
        config.http2.maxConcurrentStreams = 4
        config.rpc.maxRequestPayloadSize = FieldLimits.frameBytesMax
        config.connection.maxGraceTime = limits.shutdownGrace
        config.connection.maxIdleTime = .seconds(60)
        config.connection.keepalive = .init(
          time: limits.keepaliveInterval, timeout: limits.keepaliveTimeout,
          clientBehavior: .init(minPingIntervalWithoutCalls: .seconds(5), allowWithoutCalls: true))
        config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
          ConnectionGuard.install(on: channel, count: count, secure: secure, limits: limits, logger: logger)
        }
      })
  }

  /// The pin decides, not a chain: the handshake fails unless the certificate is valid now and belongs to a site.
  private static func mutualTLS(
    _ credentials: TLSCredentials, authorise: @escaping @Sendable (PeerCertificate) -> UInt32?, logger: Logger
  ) -> HTTP2ServerTransport.Posix.TransportSecurity {
    .mTLS(
      certificateChain: [.bytes(credentials.certificate.der, format: .der)],
      privateKey: .bytes(credentials.keyDER, format: .der)
    ) { tls in
      tls.requireALPN = true
      tls.trustRoots = .certificates([])
      tls.clientCertificateVerification = .noHostnameVerification
      tls.customVerificationCallback = { chain, promise in
        do {
          let leaf = try PeerVerification.leaf(chain)
          try leaf.checkValidity(at: Date())
          guard authorise(leaf) != nil else {
            logger.warning("the certificate \(leaf.fingerprint) of \(leaf.name) belongs to no site of the roster")
            return promise.succeed(.failed)
          }
          promise.succeed(.certificateVerified(VerificationMetadata(nil)))
        } catch {
          logger.warning("a client certificate is refused: \(error)")
          promise.succeed(.failed)
        }
      }
    }
  }
}
