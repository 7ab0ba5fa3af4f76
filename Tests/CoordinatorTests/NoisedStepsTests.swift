// Jobs whose trainers noise their steps (spec/13-record-privacy.md): what is summed, who pays how often, and what a site is refused.
import Federation
import Foundation
import Safetensors
import SecAgg
import Testing
import Transport

@testable import Coordinator
@testable import Participant

@Suite(.timeLimit(.minutes(2))) struct NoisedStepsTests {
  private static func privacy(epsilon: Double = 1000) -> JobPlan.Privacy {
    JobPlan.Privacy(
      clip: 1, noiseMultiplier: 1, epsilon: epsilon, delta: 1e-5, records: JobPlan.Privacy.Records(samplingRate: 0.02, lotSize: 16))
  }

  /// What `count` rounds of 50 steps cost.
  private static func cost(_ count: Int) throws -> Double {
    let job = try World(privacy: privacy()).plan()
    return try #require(job.recordMechanism).epsilon(steps: 50 * count, delta: 1e-5)
  }

  /// The plain mean of the sites' models, whatever their counts; statistics stay what they were.
  private func expectMean(of sites: [UInt32], idle: Set<UInt32> = [], from start: Double = 0, in event: Event, _ world: World) throws {
    let file = try world.weights(try #require(event.file))
    let mean = sites.reduce(0) { $0 + (idle.contains($1) ? start : Double($1 + 1) / 16) } / Double(sites.count)
    for value in try file.floats("model.0.conv.weight") { #expect(abs(Double(value) - mean) < 1e-4) }
    #expect(try file.floats("model.0.bn.running_mean").allSatisfy { $0 == 0 })
    #expect(event.survivors == sites.map(Int.init))
    #expect(event.samples == nil && event.metrics?.isEmpty == true)
  }

  @Test("[RP-09] [RP-10] [RP-12] a job with noised steps has no census, moves by the plain mean, and pays on both sides")
  func aWholeJob() async throws {
    let world = try World(privacy: Self.privacy())
    let tap = EventTap()
    let server = try world.server(rounds: 2, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    let sites = try World.sites.map { try world.start($0) }
    for round in 1...2 {
      let finished = await tap.next("round_finished", round: round)
      try expectMean(of: World.sites, in: finished, world)
      let cost = try Self.cost(round)
      #expect(abs((finished.epsilon ?? 0) / cost - 1) < 1e-9)
    }
    #expect(await job.value == .finished)
    for site in sites { #expect(try await site.value == .finished) }
    for site in World.sites {
      #expect(try Journal(directory: world.path("site-\(site)/state")).charges.map(\.round) == [1, 2])
      #expect(states(site, world) == ["optimizer-after-1.state", "optimizer-after-2.state"])
    }
  }

  @Test("[RP-12] momenta of steps that were not paid for are not kept") func unpaidMomenta() async throws {
    let world = try World(privacy: Self.privacy())
    let server = try world.server(rounds: 1, tap: EventTap())
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    // No acknowledgement arrives: the sites train, and no input ever leaves.
    world.network.setFilter { _, frame in
      guard case .message(let bytes) = frame, (try? SignedMessage(decoding: bytes))?.type == .acknowledgement else { return frame }
      return nil
    }
    let sites = try World.sites.map { try world.start($0) }
    while !World.sites.allSatisfy({ world.trainings($0) == 1 && isTrained($0, world) }) { try await Task.sleep(for: .milliseconds(10)) }
    await server.stop(reason: "test")
    _ = await job.value
    for site in sites {
      site.cancel()
      _ = try? await site.value
    }
    for site in World.sites {
      #expect(states(site, world).isEmpty)
      #expect(try Journal(directory: world.path("site-\(site)/state")).charges.isEmpty)
    }
  }

  /// Whether the trainer has left its report.
  private func isTrained(_ site: UInt32, _ world: World) -> Bool {
    let jobs = world.path("site-\(site)/state/jobs")
    return ((try? FileManager.default.subpathsOfDirectory(atPath: jobs)) ?? []).contains { $0.hasSuffix("result.json") }
  }

  /// The momenta that a site kept.
  private func states(_ site: UInt32, _ world: World) -> [String] {
    let jobs = world.path("site-\(site)/state/jobs")
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: jobs)) ?? []
    return names.map { ($0 as NSString).lastPathComponent }.filter { $0.hasPrefix("optimizer-after") }.sorted()
  }

  @Test("[RP-11] a site whose training failed, or whose trainer does not say that it noised, gives an update of zero and pays")
  func aSiteWithoutAnUpdate() async throws {
    let world = try World(privacy: Self.privacy())
    let tap = EventTap()
    let server = try world.server(rounds: 1, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    try world.setMode("fail", site: 3, round: 1)
    try world.setMode("forget", site: 4, round: 1)
    let sites = try World.sites.map { try world.start($0) }
    try expectMean(of: World.sites, idle: [3, 4], in: await tap.next("round_finished"), world)
    #expect(await job.value == .finished)
    for site in sites { #expect(try await site.value == .finished) }
    for site in [3, 4] { #expect(try Journal(directory: world.path("site-\(site)/state")).charges.count == 1) }
  }

  @Test("[RP-09] the job ends where its epsilon is spent") func theJobEnds() async throws {
    let world = try World(privacy: Self.privacy(epsilon: try Self.cost(2) * 1.0001))
    let tap = EventTap()
    let server = try world.server(rounds: 5, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    let sites = try World.sites.map { try world.start($0) }
    for round in 1...2 { _ = await tap.next("round_finished", round: round) }
    guard case .failed(let error) = await job.value else {
      Issue.record("the job went on")
      return
    }
    #expect(error.code == .budgetSpent)
    for site in sites { _ = try await site.value }
  }

  @Test("[RP-09] a site keeps to its own limit, whatever the job may spend") func aSitesOwnLimit() async throws {
    let world = try World(privacy: Self.privacy())
    let tap = EventTap()
    let server = try world.server(rounds: 2, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    var policy = SitePolicy()
    policy.epsilonMax.lifetime = try Self.cost(1) * 1.0001
    let sites = try World.sites.map { try world.start($0, policy: $0 == 4 ? policy : SitePolicy()) }
    _ = await tap.next("round_finished", round: 1)
    #expect(await tap.next("round_finished", round: 2).survivors == [0, 1, 2, 3])
    #expect(await job.value == .finished)
    for site in sites { _ = try await site.value }
    #expect(try Journal(directory: world.path("site-4/state")).charges.count == 1)
  }

  @Test("[RP-09] another attempt with the same training costs nothing; a site that trains again pays again")
  func anotherAttempt() async throws {
    let world = try World(privacy: Self.privacy())
    let tap = EventTap()
    let server = try world.server(rounds: 1, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    for site: UInt32 in [3, 4] { try world.setMode("hang", site: site, round: 1) }
    var sites = try World.sites.map { try world.start($0) }
    for _ in 0..<3 { _ = await tap.next("input_received", round: 1) }
    // The two who hang, and one whose input left already, are gone.
    for site: UInt32 in [2, 3, 4] {
      world.network.breakConnection(site, again: false)
      _ = try await sites[Int(site)].value
      _ = await tap.next("site_disconnected")
    }
    await world.timers.fire(.seconds(10))
    _ = await tap.next("round_aborted", round: 1)
    for site: UInt32 in [2, 3, 4] {
      try world.setMode("ok", site: site, round: 1)
      sites[Int(site)] = try world.start(site)
    }
    let finished = await tap.next("round_finished", round: 1)
    #expect(finished.attempt == 1)
    try expectMean(of: World.sites, in: finished, world)
    let cost = try Self.cost(1)
    #expect(abs((finished.epsilon ?? 0) / cost - 1) < 1e-9)
    #expect(await job.value == .finished)
    for site in sites { _ = try await site.value }
    for (site, paid) in [0: 1, 1: 1, 2: 2, 3: 1, 4: 1] {
      #expect(world.trainings(UInt32(site)) == paid)
      #expect(try Journal(directory: world.path("site-\(site)/state")).charges.count == paid)
    }
  }
}
