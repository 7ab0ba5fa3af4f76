// One site's stream on the server: hello first and in time, the site of the certificate and no other, then frames in both directions until
// either side ends it. Whatever breaks a rule is told why, in a refusal, before the stream ends.
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import TLSIdentity
import Transport

struct SessionService: Secagg_V1_Aggregation.SimpleServiceProtocol {
  let registry: SessionRegistry
  let security: ServerSecurity
  let limits: TransportLimits
  let logger: Logger

  func session(
    request: RPCAsyncSequence<Secagg_V1_SiteFrame, any Error>, response: RPCWriter<Secagg_V1_ServerFrame>, context: ServerContext
  ) async throws {
    let session = Session(outboundBytesMax: limits.outboundBytesMax)
    let peer: UInt32?
    do {
      peer = try certifiedSite(context)
    } catch {
      logger.warning("\(error.reason)", metadata: ["peer": "\(context.remotePeer)", "code": "\(error.code.rawValue)"])
      throw RPCError(code: .unauthenticated, message: error.reason)
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await write(session, to: response) }
      group.addTask {
        // What keeps running after this has said hello.
        guard (try? await Task.sleep(for: limits.handshakeTimeout)) != nil, session.site == nil else { return }
        session.refuse(TransportError(.deadline, "no hello came in time", hint: "check the client's version"))
      }
      group.addTask {
        do {
          try await read(request, session, peer: peer)
          session.outbound.finish()
        } catch {
          refuse(session, error)
        }
      }
      // The writer ends when the queue is finished and empty, or the site is gone: both end the session.
      _ = await session.ended.next()
      group.cancelAll()
    }
    if let site = session.site { registry.close(session, site: site) }
    if let error = session.error {
      logger.notice("\(error.reason)", metadata: ["peer": "\(context.remotePeer)", "code": "\(error.code.rawValue)"])
    }
  }

  /// The site that the connection's certificate speaks for; nil where there are no certificates.
  private func certifiedSite(_ context: ServerContext) throws(TransportError) -> UInt32? {
    guard case .mutualTLS(_, let authorise) = security else { return nil }
    guard let shown = (context.transportSpecific as? HTTP2ServerTransport.Posix.Context)?.peerCertificate,
      let certificate = try? PeerCertificate(shown), let site = authorise(certificate)
    else {
      throw TransportError(.siteMismatch, "a connection without a certificate of the roster", hint: "check the roster")
    }
    return site
  }

  private func read(
    _ request: RPCAsyncSequence<Secagg_V1_SiteFrame, any Error>, _ session: Session, peer: UInt32?
  ) async throws {
    var site: UInt32?
    for try await wire in request {
      let frame = try WireCodec.decode(wire)
      if let site {
        if case .hello = frame { throw TransportError(.outOfOrder, "site \(site) sent a second hello", hint: "check the client's version") }
        try await registry.deliver(frame, from: site, on: session)
      } else {
        let named = try check(hello: frame, peer: peer)
        try registry.open(session, site: named)
        session.opened(by: named)
        site = named
      }
    }
  }

  private func check(hello frame: SiteFrame, peer: UInt32?) throws(TransportError) -> UInt32 {
    guard case .hello(let site, let version) = frame else {
      throw TransportError(.outOfOrder, "the first frame is no hello", hint: "check the client's version")
    }
    guard version == transportProtocolVersion else {
      throw TransportError(
        .version, "the client speaks version \(version) of the transport, this server \(transportProtocolVersion)",
        hint: "run the same release on both sides")
    }
    if let peer, peer != site {
      throw TransportError(
        .siteMismatch, "the certificate belongs to site \(peer), the hello names site \(site)", hint: "check the site's configuration")
    }
    if case .plaintextLoopback(let authorise) = security, !authorise(site) {
      throw TransportError(.siteMismatch, "site \(site) is not in the roster", hint: "check the site's configuration")
    }
    return site
  }

  private func write(_ session: Session, to response: RPCWriter<Secagg_V1_ServerFrame>) async {
    defer { session.ended.finish() }
    while let frame = await session.outbound.next() {
      do {
        if case .finished = frame { session.complete() }
        let wire = try WireCodec.encode(frame)
        try await withDeadline(limits.writeTimeout, late: Self.slow) { try await response.write(wire) }
      } catch {
        session.record((error as? TransportError) ?? Self.lost("\(error)"))
        session.outbound.discard()
        return
      }
      switch frame {
      case .refusal, .finished:
        session.outbound.discard()
        return
      default: break
      }
    }
  }

  /// Why reading stopped, put into a refusal. A site that is gone gets none, and its queue is dropped.
  private func refuse(_ session: Session, _ error: any Error) {
    switch error {
    case let error as TransportError: session.refuse(error)
    case let error as RPCError where error.code == .invalidArgument:
      session.refuse(
        TransportError(.malformed, "bytes that are no frame of this protocol", hint: "check that both sides run the same version"))
    case let error as RPCError where error.code == .resourceExhausted:
      session.refuse(
        TransportError(.tooLarge, "a frame of more than \(FieldLimits.frameBytesMax) bytes", hint: "check the client's version"))
    default:
      session.drop(Self.lost("\(error)"))
    }
  }

  private static let slow = TransportError(.slowPeer, "the site reads too slowly", hint: "its network may be overloaded")
  private static func lost(_ why: String) -> TransportError {
    TransportError(.connectionLost, "the connection of the site broke: \(why.prefix(300))", hint: "it will connect again")
  }
}
