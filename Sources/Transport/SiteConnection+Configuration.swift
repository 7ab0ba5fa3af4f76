// How a site reaches its server, and how long it tries.
import Foundation
import TLSIdentity

/// How a site's connection is protected.
public enum SiteSecurity: Sendable {
  /// TLS 1.3 with this site's certificate; the server must show exactly the certificate that the roster pins.
  case mutualTLS(TLSCredentials, server: PeerCertificate)
  /// None, to an address of this machine only.
  case plaintextLoopback
}

/// Growing, scattered delays between attempts, so that a thousand sites do not all come back in the same instant.
public struct ReconnectPolicy: Sendable, Equatable {
  /// The delay after the first failure.
  public var initial: Duration = .milliseconds(500)
  /// The longest delay.
  public var max: Duration = .seconds(30)
  /// What the delay grows by from one failure to the next.
  public var multiplier = 1.6
  /// Each delay is spread by up to this fraction, either way.
  public var jitter = 0.2
  /// Give up when no session has been open for this long; nil tries for ever. Zero gives up at the first failure.
  public var giveUpAfter: Duration? = .seconds(300)

  public init() {}

  /// The delay before attempt `attempt` (1 after the first failure).
  /// - Parameter spread: uniform in −1…1; handed in so that tests are exact.
  public func delay(attempt: Int, spread: Double) -> Duration {
    let ceiling = max / .seconds(1)
    let grown = initial / .seconds(1) * pow(multiplier, Double(Swift.max(attempt, 1) - 1))
    // Not a number where zero meets infinity: the ceiling then.
    let seconds = grown < ceiling ? grown : ceiling
    return .seconds(Swift.max(0, seconds * (1 + jitter * Swift.min(1, Swift.max(-1, spread)))))
  }
}

extension SiteConnection {
  public struct Configuration: Sendable {
    public var endpoint: ServerEndpoint
    /// This site's permanent index in the roster.
    public var site: UInt32
    public var security: SiteSecurity
    public var limits = TransportLimits()
    public var reconnect = ReconnectPolicy()
    /// For the TCP connection, name look-up included.
    public var connectTimeout: Duration = .seconds(10)
    /// From the handshake to the server's welcome.
    public var welcomeTimeout: Duration = .seconds(30)

    public init(endpoint: ServerEndpoint, site: UInt32, security: SiteSecurity) {
      self.endpoint = endpoint
      self.site = site
      self.security = security
    }

    /// What can be refused before anything is sent.
    func validate() throws(TransportError) {
      switch security {
      case .plaintextLoopback:
        guard endpoint.isLoopback else {
          throw TransportError(
            .plaintextNotLoopback, "encryption is off, and \(endpoint) is not this machine", hint: "switch encryption on: encryption: true")
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

/// What happens on a site's connection, in order.
public enum SiteConnectionEvent: Sendable, Equatable {
  /// The server accepted a new session: the job's name and configuration. Whatever the protocol wants repeated is to be sent again.
  case connected(job: String, configuration: [UInt8])
  /// Everything behind the welcome.
  case frame(ServerFrame)
  /// A connection or an attempt failed; `retryIn` nil: given up, and `run` throws the same.
  case disconnected(TransportError, retryIn: Duration?)
}

/// The events of a connection; one consumer. What is not taken holds the server back (``TransportLimits/inboundBytesMax``).
public struct SiteConnectionEvents: AsyncSequence, Sendable {
  public typealias Element = SiteConnectionEvent
  public typealias Failure = Never
  let queue: BoundedQueue<SiteConnectionEvent>

  public struct AsyncIterator: AsyncIteratorProtocol {
    let queue: BoundedQueue<SiteConnectionEvent>
    public mutating func next() async -> SiteConnectionEvent? { await queue.next() }
    public mutating func next(isolation actor: isolated (any Actor)?) async -> SiteConnectionEvent? { await queue.next() }
  }
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: queue) }
}
