// Where the server listens, and whom it lets in.
import TLSIdentity
import Transport

/// How sites' connections are protected and who may connect.
public enum ServerSecurity: Sendable {
  /// TLS 1.3 with certificates on both sides. `authorise` gives the site that a certificate belongs to, by its fingerprint and its
  /// `secagg://` name, or nil to refuse it. It runs inside the handshake, on a network thread: it must be quick and thread-safe.
  case mutualTLS(TLSCredentials, authorise: @Sendable (PeerCertificate) -> UInt32?)
  /// None, on an address of this machine only; `authorise` tells whether the site that a hello names is in the roster.
  case plaintextLoopback(authorise: @Sendable (UInt32) -> Bool)
}

extension AggregationServer {
  public struct Configuration: Sendable {
    /// The numeric address and port to listen on (`localhost` is 127.0.0.1); port 0 takes a free one.
    public var listen: ServerEndpoint
    public var security: ServerSecurity
    public var limits = TransportLimits()

    public init(listen: ServerEndpoint, security: ServerSecurity) {
      self.listen = listen
      self.security = security
    }

    /// What can be refused before a socket is opened.
    func validate() throws(TransportError) {
      guard listen.host.lowercased() == "localhost" || IPAddress.bytes(listen.host) != nil else {
        throw TransportError(
          .unusableAddress, "\(listen.host) is no numeric address to listen on", hint: "use 0.0.0.0 for every interface, or one address")
      }
      switch security {
      case .plaintextLoopback:
        guard listen.isLoopback else {
          throw TransportError(
            .plaintextNotLoopback, "encryption is off, and \(listen) is not this machine alone",
            hint: "switch encryption on (encryption: true), or listen on 127.0.0.1")
        }
      case .mutualTLS(let credentials, _):
        do {
          try credentials.certificate.checkValidity()
        } catch {
          throw TransportError(.ownCertificateRefused, error.reason, hint: error.hint)
        }
      }
    }
  }
}
