// What the coordinator hears from the server half: sites come, speak and go, each site's events in order.
import Transport

/// An event of one site; sites are their permanent indices in the roster.
public enum ServerEvent: Sendable, Equatable {
  /// The site's certificate and hello agree. The first frame to it must be `welcome` (or a refusal).
  case connected(UInt32)
  /// A frame of the site, never `hello`. What it holds keeps the limits of the transport and is otherwise untrusted.
  case frame(UInt32, SiteFrame)
  /// The session is over: nil when it ended as it should.
  case disconnected(UInt32, TransportError?)
}

/// The events of a server; one consumer. A site whose frames are not taken is not read any more (``TransportLimits/inboundBytesMax``).
public struct ServerEvents: AsyncSequence, Sendable {
  public typealias Element = ServerEvent
  public typealias Failure = Never
  let queue: BoundedQueue<ServerEvent>

  public struct AsyncIterator: AsyncIteratorProtocol {
    let queue: BoundedQueue<ServerEvent>
    public mutating func next() async -> ServerEvent? { await queue.next() }
    public mutating func next(isolation actor: isolated (any Actor)?) async -> ServerEvent? { await queue.next() }
  }
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: queue) }
}
