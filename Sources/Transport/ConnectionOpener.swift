// Opens one connection of a site: TCP, TLS 1.3 with the pinned server certificate and this site's own, HTTP/2 settings; each step with a
// deadline and a typed failure. The gRPC library gets a channel that is ready; it never dials by itself.
import Foundation
import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import TLSIdentity

/// A connection on which the handshake is done.
struct OpenConnection: Sendable {
  let channel: any Channel
  let transport: HTTP2ClientTransport.WrappedChannel
  /// Why the connection failed, if TLS said so later: the server judges this side's certificate last.
  let failure: FirstFailure
}

enum ConnectionOpener {
  static func open(_ configuration: SiteConnection.Configuration, failure: FirstFailure) async throws -> OpenConnection {
    let endpoint = configuration.endpoint
    let tls = try tlsContext(configuration.security)
    let limits = configuration.limits
    let settings = HTTP2ClientTransport.WrappedChannel.Config.defaults { config in
      config.http2.targetWindowSize = TransportTuning.windowBytes
      config.http2.maxFrameSize = TransportTuning.http2FrameBytes
      config.http2.authority = endpoint.host
      config.connection.keepalive = .init(
        time: limits.keepaliveInterval, timeout: limits.keepaliveTimeout, allowWithoutCalls: true)
    }
    let opened = SingleUse<any Channel>()
    do {
      let transport = try await HTTP2ClientTransport.WrappedChannel.wrapping(config: settings) { configure in
        let handshake = HandshakePromise()
        let configured = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
          .connectTimeout(TimeAmount(configuration.connectTimeout))
          .channelOption(.socketOption(.tcp_nodelay), value: 1)
          .connect(host: endpoint.host, port: endpoint.port) { channel in
            let observer = HandshakeObserver(endpoint: endpoint, secure: tls != nil, failure: failure, handshake: handshake)
            return channel.eventLoop.makeCompletedFuture {
              if let tls {
                try channel.pipeline.syncOperations.addHandler(
                  tlsHandler(tls, configuration.security, endpoint: endpoint, failure: failure))
              }
              try channel.pipeline.syncOperations.addHandler(observer)
            }.flatMap { configure(channel) }
          }
        opened.set(configured.channel)
        do {
          try await withDeadline(limits.handshakeTimeout, late: late(endpoint)) { try await handshake.value() }
        } catch {
          if let error = error as? TransportError { failure.record(error) }
          // The library's half-made channel may be dropped only when it is closed: it traps otherwise.
          configured.channel.close(promise: nil)
          try? await configured.channel.closeFuture.get()
          return try withExtendedLifetime(configured) { throw error }
        }
        return configured
      }
      guard let channel = opened.value else { throw CancellationError() }
      return OpenConnection(channel: channel, transport: transport, failure: failure)
    } catch {
      // What the certificate check or the TLS library said explains more than the closed channel that follows from it.
      throw failure.error ?? describe(error, endpoint)
    }
  }

  private static func late(_ endpoint: ServerEndpoint) -> TransportError {
    TransportError(.deadline, "\(endpoint) did not finish the TLS handshake in time", hint: "check that a SecAgg server listens there")
  }

  private static func tlsContext(_ security: SiteSecurity) throws -> NIOSSLContext? {
    guard case .mutualTLS(let credentials, _) = security else { return nil }
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv13
    configuration.certificateVerification = .noHostnameVerification
    configuration.trustRoots = .certificates([])
    configuration.certificateChain = [.certificate(try NIOSSLCertificate(bytes: credentials.certificate.der, format: .der))]
    configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: credentials.keyDER, format: .der))
    configuration.applicationProtocols = ["h2"]
    return try NIOSSLContext(configuration: configuration)
  }

  private static func tlsHandler(
    _ context: NIOSSLContext, _ security: SiteSecurity, endpoint: ServerEndpoint, failure: FirstFailure
  ) throws -> NIOSSLClientHandler {
    guard case .mutualTLS(_, let pinned) = security else { preconditionFailure("a TLS context exists only with mutual TLS") }
    // An IP address cannot stand in the server name indication.
    let name = IPAddress.bytes(endpoint.host) == nil ? endpoint.host : nil
    let verify: NIOSSLCustomVerificationCallback = { chain, promise in
      do throws(TransportError) {
        try PeerVerification.checkServer(chain, pinned: pinned, endpoint: endpoint, now: Date())
        promise.succeed(.certificateVerified)
      } catch {
        failure.record(error)
        promise.succeed(.failed)
      }
    }
    return try NIOSSLClientHandler(context: context, serverHostname: name, customVerificationCallback: verify)
  }

  private static func describe(_ error: any Error, _ endpoint: ServerEndpoint) -> any Error {
    switch error {
    case let error as TransportError: return error
    case is CancellationError: return error
    case let error as NIOConnectionError:
      let causes = error.connectionErrors.map { "\($0.error)" } + [error.dnsAError, error.dnsAAAAError].compactMap { $0.map { "\($0)" } }
      return unreachable(endpoint, causes.first ?? "no address")
    case is ChannelError, is IOError: return unreachable(endpoint, "\(error)")
    default: return TLSFailure.describe(error, endpoint: endpoint, afterHandshake: false)
    }
  }

  private static func unreachable(_ endpoint: ServerEndpoint, _ cause: String) -> TransportError {
    TransportError(
      .unreachable, "no server answers at \(endpoint) (\(cause.prefix(200)))",
      hint: "check the address, that the server runs, and that a firewall lets this machine connect to it")
  }
}
