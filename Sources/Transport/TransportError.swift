// Why a connection, a frame or a server start failed: one code a cause, a sentence for people, and what to do next.

/// A failure of the network layer.
public struct TransportError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The causes; the raw value is what the command line prints as `error[TR-01]`, and what a refusal frame carries.
  public enum Code: String, Sendable, CaseIterable {
    /// Nobody answers at that host and port.
    case unreachable = "TR-01"
    /// The server's certificate is not the one that the roster pins, is outside its validity, or names another host.
    case serverIdentity = "TR-02"
    /// The other side refused this party's certificate.
    case ownCertificateRefused = "TR-03"
    /// The TLS or HTTP/2 handshake failed for another reason: perhaps not a SecAgg server.
    case handshake = "TR-04"
    /// The server refused the session; the reason holds its code and words.
    case refused = "TR-05"
    /// A frame or a field beyond its limit.
    case tooLarge = "TR-06"
    /// Bytes that are no frame of this protocol.
    case malformed = "TR-07"
    /// The connection broke.
    case connectionLost = "TR-08"
    /// The other side took longer than agreed.
    case deadline = "TR-09"
    /// Another program listens on that port.
    case portInUse = "TR-10"
    /// An address that cannot be listened on, or no address at all.
    case unusableAddress = "TR-11"
    /// Encryption switched off for an address that is not this machine's own.
    case plaintextNotLoopback = "TR-12"
    /// The other side reads too slowly; its queue is full.
    case slowPeer = "TR-13"
    /// A newer connection of the same site took over.
    case replaced = "TR-14"
    /// There is no open session to send on.
    case notConnected = "TR-15"
    /// The site in `hello` is not the site of the certificate, or not in the roster.
    case siteMismatch = "TR-16"
    /// The other side speaks another version of the transport.
    case version = "TR-17"
    /// A frame that may not stand at this place, such as a second `hello`.
    case outOfOrder = "TR-18"
    /// A payload in pieces does not have the digest that it was announced with.
    case digestMismatch = "TR-19"
    /// The server is shutting down or holds as many connections as it may.
    case unavailable = "TR-20"
  }

  public let code: Code
  /// One sentence: what happened, where.
  public let reason: String
  /// One sentence: what to do about it.
  public let hint: String

  public init(_ code: Code, _ reason: String, hint: String) {
    self.code = code
    self.reason = reason
    self.hint = hint
  }

  /// The process exit status that belongs to it: 65 bad data, 69 unavailable, 75 try again, 77 identity refused, 78 configuration.
  public var exitStatus: Int32 {
    switch code {
    case .tooLarge, .malformed, .version, .outOfOrder, .digestMismatch: 65
    case .unreachable, .portInUse, .notConnected, .unavailable: 69
    case .connectionLost, .deadline, .slowPeer, .replaced: 75
    case .serverIdentity, .ownCertificateRefused, .handshake, .refused, .siteMismatch: 77
    case .unusableAddress, .plaintextNotLoopback: 78
    }
  }

  /// Whether connecting again can help: not after a refusal, a wrong identity or a rule broken.
  public var isTransient: Bool {
    switch code {
    case .unreachable, .connectionLost, .deadline, .unavailable: true
    default: false
    }
  }

  public var description: String { "error[\(code.rawValue)]: \(reason)\nhint: \(hint)" }
}
