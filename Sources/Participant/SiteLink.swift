// How a site's driver speaks to its server: gRPC in the client, a queue in tests.
import Transport

public protocol SiteLink: Sendable {
  /// Sends a frame, or throws if there is no session; what was lost is sent again when the server asks for it.
  func send(_ frame: SiteFrame) async throws(TransportError)
  /// Sends on the session that is open now and fails when that one has ended, whatever came after it: what belongs together, a header and
  /// its pieces, never spreads over two connections.
  /// - Throws: ``TransportError`` if there is no session.
  func sender() throws(TransportError) -> FrameSender
  /// Says goodbye and ends the connection for good.
  func close(reason: String) async
}

extension SiteConnection: SiteLink {}
