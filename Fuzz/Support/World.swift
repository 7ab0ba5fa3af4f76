// One attempt that runs as the protocol says, with dropouts: where the scripts and the seeds of the state machines come from.
import SecAgg

final class World {
  let cohort: Cohort
  /// The phase whose answer a site does not give any more.
  let deaths: [SiteID: Phase]
  /// Every message, in order.
  private(set) var log: [[UInt8]] = []
  /// What the server sent to each site.
  private(set) var sent: [SiteID: [[UInt8]]] = [:]
  private(set) var sum: RoundSum?
  private var isOver = false
  private let server: ServerSession
  private var sites: [SiteID: SiteSession] = [:]
  private var queue: [(site: SiteID, bytes: [UInt8], toSite: Bool)] = []
  private var payloads: [SiteID: [UInt8]] = [:]

  private init(_ cohort: Cohort, deaths: [SiteID: Phase]) throws {
    (self.cohort, self.deaths) = (cohort, deaths)
    server = try ServerSession(plan: cohort.plan, roster: cohort.roster, signingKey: cohort.serverKey)
    for site in cohort.sites { sites[site] = cohort.session(site) }
  }

  /// - Throws: where the attempt does not end with the plain sum: then there is nothing to fuzz.
  static func run(_ cohort: Cohort, deaths: [SiteID: Phase] = [:]) throws -> World {
    let world = try World(cohort, deaths: deaths)
    world.perform(world.server.start())
    while !world.isOver {
      while !world.queue.isEmpty { world.deliver(world.queue.removeFirst()) }
      if !world.isOver { world.perform(world.server.deadlinePassed(world.server.phase)) }
    }
    while !world.queue.isEmpty { world.deliver(world.queue.removeFirst()) }
    guard let sum = world.sum, sum.sections == cohort.plainSum(sum.survivors) else { throw Refusal(.over, "the world has no sum") }
    return world
  }

  private func deliver(_ packet: (site: SiteID, bytes: [UInt8], toSite: Bool)) {
    log.append(packet.bytes)
    if packet.toSite {
      sent[packet.site, default: []].append(packet.bytes)
      if let session = sites[packet.site] { perform(session.receive(packet.bytes), packet.site, session) }
    } else {
      perform(server.receive(packet.bytes, from: packet.site))
      guard MessageType(rawValue: packet.bytes[1]) == .inputHeader, let payload = payloads[packet.site] else { return }
      perform(server.receiveInput(chunk: payload, index: 0, of: 1, from: packet.site))
    }
  }

  private func perform(_ actions: [ServerAction]) {
    for action in actions {
      switch action {
      case .send(let bytes, let site): queue.append((site, bytes, true))
      case .finished(let sum): (self.sum, isOver) = (sum, true)
      case .aborted: isOver = true
      default: break
      }
    }
  }

  private func perform(_ actions: [SiteAction], _ site: SiteID, _ session: SiteSession) {
    for action in actions {
      switch action {
      case .consider: perform(session.accept() + session.provide(input: cohort.input(site)), site, session)
      case .send(let bytes): send(bytes, site)
      case .sendInput(let header, let payload):
        payloads[site] = payload
        send(header, site)
      default: break
      }
    }
  }

  private func send(_ bytes: [UInt8], _ site: SiteID) {
    if let death = deaths[site], let due = MessageType(rawValue: bytes[1])?.duePhase, due >= death { return }
    queue.append((site, bytes, false))
  }
}
