// Where a server is: host and port, as configuration files write them.
import TLSIdentity

/// A host (name or IP address) and a TCP port.
public struct ServerEndpoint: Sendable, Hashable, CustomStringConvertible {
  /// A DNS name or a numeric IP address, IPv6 without brackets.
  public let host: String
  public let port: Int

  /// - Parameter port: 0 to 65535; 0 only where a server is to choose a free one.
  public init(host: String, port: Int) throws(TransportError) {
    guard (0...65_535).contains(port), (1...253).contains(host.utf8.count), host.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 0x2f })
    else {
      throw TransportError(
        .unusableAddress, "\"\(host.prefix(80)):\(port)\" is no host and port", hint: "write it as host:port, such as 127.0.0.1:7443")
    }
    self.host = host
    self.port = port
  }

  /// Reads `host:port` or `[ipv6]:port`.
  public init(parsing text: String) throws(TransportError) {
    let wrong = TransportError(
      .unusableAddress, "\"\(text.prefix(80))\" is no host and port", hint: "write it as host:port, such as 127.0.0.1:7443 or [::1]:7443")
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else { throw wrong }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      throw wrong
    }
    try self.init(host: host, port: port)
  }

  public var isLoopback: Bool { IPAddress.isLoopback(host) }
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
