// How the round driver speaks to sites: gRPC in the server, a queue in tests. Frames to one site keep their order.
import Transport
import TransportServer

public protocol SiteHub: Sendable {
  /// Queues a frame and never waits.
  func send(_ frame: ServerFrame, to site: UInt32) throws(TransportError)
  /// Queues a frame as soon as the site's queue has room.
  func sendPaced(_ frame: ServerFrame, to site: UInt32) async throws(TransportError)
  /// Tells a site why it is refused and ends its session.
  func refuse(_ site: UInt32, code: String, reason: String)
}

extension AggregationServer: SiteHub {}

/// Where the driver's deadlines come from; tests hand in one that fires on demand.
public struct TimerSource: Sendable {
  /// Runs the closure once after the duration, unless the returned closure was called before.
  public let schedule: @Sendable (Duration, @escaping @Sendable () async -> Void) -> @Sendable () -> Void

  public init(schedule: @escaping @Sendable (Duration, @escaping @Sendable () async -> Void) -> @Sendable () -> Void) {
    self.schedule = schedule
  }

  public static let wallClock = TimerSource { duration, fire in
    let task = Task {
      guard (try? await Task.sleep(for: duration)) != nil else { return }
      await fire()
    }
    return { task.cancel() }
  }
}
