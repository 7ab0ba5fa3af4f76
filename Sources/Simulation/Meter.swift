// What each phase costs whom: the processor time of the real code and the bytes on the virtual wires.
import SecAgg

public struct Meter: Sendable {
  public struct Cost: Sendable {
    public var seconds = 0.0
    public var bytes = 0
    public var messages = 0
  }

  /// By phase: what the server computed and sent, and what all sites together did.
  public private(set) var server: [Phase: Cost] = [:]
  public private(set) var sites: [Phase: Cost] = [:]
  /// Bytes of each site, both ways.
  public private(set) var sent: [SiteID: Int] = [:]
  public private(set) var received: [SiteID: Int] = [:]
  private let clock = ContinuousClock()

  mutating func server<Result>(_ phase: Phase, _ work: () -> Result) -> Result {
    let start = clock.now
    let result = work()
    server[phase, default: Cost()].seconds += (clock.now - start) / .seconds(1)
    return result
  }

  mutating func site<Result>(_ phase: Phase, _ work: () -> Result) -> Result {
    let start = clock.now
    let result = work()
    sites[phase, default: Cost()].seconds += (clock.now - start) / .seconds(1)
    return result
  }

  mutating func serverSent(_ bytes: Int, _ phase: Phase, to site: SiteID) {
    server[phase, default: Cost()].bytes += bytes
    server[phase, default: Cost()].messages += 1
    received[site, default: 0] += bytes
  }

  mutating func siteSent(_ bytes: Int, _ phase: Phase, from site: SiteID) {
    sites[phase, default: Cost()].bytes += bytes
    sites[phase, default: Cost()].messages += 1
    sent[site, default: 0] += bytes
  }
}
