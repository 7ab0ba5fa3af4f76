// Every bound of the transport in one place (spec: transport, limits). Both sides enforce them on what they send and on what they get.

/// Sizes of single fields, fixed by the specification.
public enum FieldLimits {
  /// The longest piece of an input or of weights, bytes.
  public static let chunkBytesMax = 1 << 20
  /// The most pieces of one payload.
  public static let chunkCountMax: UInt32 = 16_384
  /// The longest protocol message, bytes.
  public static let messageBytesMax = 4 << 20
  /// The longest job configuration, bytes.
  public static let configurationBytesMax = 1 << 20
  /// The longest job name, bytes of UTF-8.
  public static let jobBytesMax = 256
  /// The longest refusal code, bytes of ASCII.
  public static let codeBytesMax = 32
  /// The longest text for people, bytes of UTF-8.
  public static let reasonBytesMax = 1_024
  /// Digests have exactly this many bytes.
  public static let digestBytes = 32
  /// The longest encoded frame, bytes of protobuf.
  public static let frameBytesMax = 8 << 20
}

/// Memory and time that one connection may take. The defaults serve a few hundred sites on a small machine.
public struct TransportLimits: Sendable, Equatable {
  /// Frames that wait to be sent on one connection, bytes; beyond it a site's `send` waits, and the server drops the site.
  public var outboundBytesMax = 64 << 20
  /// Frames of one peer that were received and not yet taken by the program, bytes; beyond it the stream is not read.
  public var inboundBytesMax = 16 << 20
  /// From the connection to the end of the TLS handshake, and from there to the first frame.
  public var handshakeTimeout: Duration = .seconds(10)
  /// How long one frame may take to be written while the peer does not read.
  public var writeTimeout: Duration = .seconds(60)
  /// HTTP/2 ping after this much silence …
  public var keepaliveInterval: Duration = .seconds(30)
  /// … and the connection is given up when the answer takes longer than this.
  public var keepaliveTimeout: Duration = .seconds(10)
  /// How long a graceful shutdown waits for frames that are still queued.
  public var shutdownGrace: Duration = .seconds(10)
  /// TCP connections that the server holds at once, handshakes included; more are closed at once.
  public var connectionsMax = 4_096

  public init() {}
}
