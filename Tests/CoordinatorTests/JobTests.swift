// Whole jobs: the round driver and five site drivers with their journals and trainers, over a network in memory.
import Federation
import Foundation
import Safetensors
import SecAgg
import Synchronization
import Testing
import Transport

@testable import Coordinator
@testable import Participant

@Suite(.timeLimit(.minutes(2))) struct JobTests {
  /// The weights after a round are the weighted mean of the survivors' models, to the quantisation step.
  /// The trainers hand back the same models in every round, so round 2 adds nothing but what momentum repeats of round 1's step from 0.
  private func expectMean(of sites: [UInt32], in event: Event, _ world: World) throws {
    let file = try world.weights(try #require(event.file))
    let mean = World.mean(sites)
    let expected = event.round == 2 ? mean * (1 + world.momentum) : mean
    let parameters = try file.floats("model.0.conv.weight")
    for value in parameters { #expect(abs(Double(value) - expected) < 1e-4) }
    for value in try file.floats("model.0.bn.running_mean") { #expect(abs(Double(value) - mean) < 1e-3) }
    #expect(try file.int64s("model.0.bn.num_batches_tracked") == [7])
    #expect(event.survivors == sites.map(Int.init))
    #expect(event.samples == sites.map(World.samples).reduce(0, +))
    #expect(abs(try #require(event.metrics?["cls_loss"]) - 2) < 1e-3)
  }

  @Test(arguments: [0, 0.5]) func allSitesAllRounds(momentum: Double) async throws {
    let world = try World(momentum: momentum)
    let tap = EventTap()
    let server = try world.server(tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    let sites = try World.sites.map { try world.start($0) }
    let census = await tap.next("round_finished", round: 0)
    #expect(census.samples == 150)
    #expect(census.file == nil)
    for round in 1...2 { try expectMean(of: World.sites, in: await tap.next("round_finished", round: round), world) }
    #expect(await job.value == .finished)
    for site in sites { #expect(try await site.value == .finished) }
    #expect(await tap.next("job_finished").outcome == "finished")
    let latest = try FileManager.default.destinationOfSymbolicLink(atPath: world.path("server/weights/latest.safetensors"))
    #expect(latest == "round-002.safetensors")
  }

  @Test func aSiteVanishesInTheMiddleAndComesBack() async throws {
    let world = try World()
    let tap = EventTap()
    let server = try world.server(tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    try world.setMode("hang", site: 4, round: 1)
    var sites = try World.sites.map { try world.start($0) }
    for _ in 0..<4 { _ = await tap.next("input_received", round: 1) }
    // Its process dies: the connection breaks, the trainer goes, and with it all secrets of the attempt.
    world.network.breakConnection(4, again: false)
    #expect(try await sites[4].value == .disconnected)
    _ = await tap.next("site_disconnected")
    await world.timers.fire(.seconds(10))
    #expect(await tap.next("site_dropped").site == 4)
    try expectMean(of: [0, 1, 2, 3], in: await tap.next("round_finished", round: 1), world)
    sites[4] = try world.start(4)
    try expectMean(of: World.sites, in: await tap.next("round_finished", round: 2), world)
    #expect(await job.value == .finished)
  }

  /// A connection that breaks and comes back costs nothing: the session lives on, and what was lost is sent again.
  @Test func brokenConnectionsKeepTheSession() async throws {
    let world = try World()
    let tap = EventTap()
    let server = try world.server(rounds: 1, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    let sites = try World.sites.map { try world.start($0) }
    _ = await tap.next("round_started", round: 1)
    for site in World.sites { world.network.breakConnection(site, again: true) }
    _ = await tap.next { $0.event == "phase" && $0.phase == "masked_input" && $0.round == 1 }
    for site in World.sites { world.network.breakConnection(site, again: true) }
    try expectMean(of: World.sites, in: await tap.next("round_finished", round: 1), world)
    #expect(await job.value == .finished)
    for site in sites { #expect(try await site.value == .finished) }
    for site in World.sites { #expect(world.trainings(site) == 1) }
  }

  /// A job of one round with all sites to its end, over whatever the network does.
  private func expectOneRound(_ world: World) async throws {
    let tap = EventTap()
    let server = try world.server(rounds: 1, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    let sites = try World.sites.map { try world.start($0) }
    // A site that is dropped would leave the job waiting for ever: deadlines fire on demand here.
    let event = await tap.next { ($0.event == "round_finished" && $0.round == 1) || $0.event == "site_dropped" }
    try #require(event.event == "round_finished", "site \(event.site ?? -1) was dropped: \(event.reason ?? "")")
    try expectMean(of: World.sites, in: event, world)
    #expect(await job.value == .finished)
    for site in sites { #expect(try await site.value == .finished) }
  }

  /// The connection breaks behind every message of every site, once: behind the input's header too, whose pieces must not follow on the next one.
  @Test func aConnectionMayBreakBehindEveryMessage() async throws {
    let world = try World()
    let seen = Mutex<Set<[UInt8]>>([])
    world.network.setAfterwards { [network = world.network] site, frame in
      guard case .message(let bytes) = frame, seen.withLock({ $0.insert(bytes).inserted }) else { return }
      network.breakConnection(site, again: true)
    }
    try await expectOneRound(world)
    // Acceptance, keys, shares, acknowledgement and header of two rounds at least; nobody is waited for behind its last signature and reveal.
    #expect(seen.withLock(\.count) >= 2 * 5 * World.sites.count)
  }

  /// What is left of transfers that broke off reaches a site that has asked again.
  @Test func piecesOfABrokenTransferOfWeightsAreSetAside() async throws {
    let world = try World()
    world.network.setFilter { [network = world.network] site, frame in
      guard case .weightsRequest(let digest) = frame else { return frame }
      for index: UInt32 in [2, 0, 1] {
        try? network.send(.weightsChunk(digest: digest, index: index, count: 4, bytes: [1, 2, 3]), to: site)
      }
      return frame
    }
    try await expectOneRound(world)
  }

  @Test func aTrainerThatFailsCostsTheSiteThatRoundOnly() async throws {
    let world = try World()
    let tap = EventTap()
    let server = try world.server(tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    try world.setMode("fail", site: 2, round: 1)
    let sites = try World.sites.map { try world.start($0) }
    let dropped = await tap.next("site_dropped", round: 1)
    #expect(dropped.site == 2)
    // What the trainer said stays at the site.
    #expect(dropped.reason?.contains("label") == false)
    try expectMean(of: [0, 1, 3, 4], in: await tap.next("round_finished", round: 1), world)
    try expectMean(of: World.sites, in: await tap.next("round_finished", round: 2), world)
    #expect(await job.value == .finished)
    for site in sites { #expect(try await site.value == .finished) }
  }

  /// Too few are left: the attempt ends with a name, and the next one uses the training that was done.
  @Test func anAttemptThatFailsIsTriedAgain() async throws {
    let world = try World()
    let tap = EventTap()
    let server = try world.server(rounds: 1, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    for site: UInt32 in [3, 4] { try world.setMode("hang", site: site, round: 1) }
    var sites = try World.sites.map { try world.start($0) }
    for _ in 0..<3 { _ = await tap.next("input_received", round: 1) }
    for site: UInt32 in [3, 4] {
      world.network.breakConnection(site, again: false)
      _ = try await sites[Int(site)].value
      _ = await tap.next("site_disconnected")
    }
    await world.timers.fire(.seconds(10))
    let aborted = await tap.next("round_aborted", round: 1)
    #expect(aborted.attempt == 0)
    // [RF-03] The three who are left destroyed their shares: that is n − t + n_C + 1, and nobody's input can be opened.
    let unopened = await tap.next("unopened", round: 1)
    let shown = try EvidenceFolder.read(try #require(unopened.file)).check(world.roster)
    #expect(unopened.site == nil && shown.culprit == nil && shown.claim == .unopened)
    for site: UInt32 in [3, 4] {
      try world.setMode("ok", site: site, round: 1)
      sites[Int(site)] = try world.start(site)
    }
    let finished = await tap.next("round_finished", round: 1)
    #expect(finished.attempt == 1)
    try expectMean(of: World.sites, in: finished, world)
    #expect(await job.value == .finished)
    for site: UInt32 in [0, 1, 2] { #expect(world.trainings(site) == 1) }
  }

  @Test(arguments: [0, 0.5]) func theServerGoesOnAfterARestart(momentum: Double) async throws {
    let world = try World(momentum: momentum)
    try await stoppedInRoundTwo(world)
    try await restarted(world)
  }

  /// The first server's life; it is gone when this returns.
  private func stoppedInRoundTwo(_ world: World) async throws {
    let tap = EventTap()
    let first = try world.server(tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await first.run(events) }
    let sites = try World.sites.map { try world.start($0) }
    _ = await tap.next { $0.event == "round_started" && $0.round == 2 }
    await first.stop(reason: "the test")
    #expect(await job.value == .stopped(reason: "the test"))
    world.network.breakAll()
    for site in sites { #expect(try await site.value == .disconnected) }
  }

  private func restarted(_ world: World) async throws {
    let tap = EventTap()
    let second = try await retry { try world.server(tap: tap) }
    let events = world.network.serverEvents()
    let job = Task { await second.run(events) }
    _ = await tap.next("waiting_for_sites")
    for site in World.sites { _ = try await retry { try world.start(site) } }
    let started = await tap.next("round_started")
    #expect(started.round == 2)
    #expect(started.attempt == 1)
    try expectMean(of: World.sites, in: await tap.next("round_finished", round: 2), world)
    #expect(await job.value == .finished)
  }

  /// The server's process dies and comes back, the sites live on: they connect again, and what they still send of the attempt that is gone
  /// is set aside without blame.
  @Test func leftoversOfAnEarlierAttemptAreSetAside() async throws {
    let world = try World()
    let relay = Relay(world.network, site: 0)
    let sites = try await serverDiesInRoundOne(world)
    relay.hold()
    let tap = EventTap()
    let second = try await retry { try world.server(rounds: 1, tap: tap) }
    let events = world.network.serverEvents()
    let job = Task { await second.run(events) }
    for site in World.sites { world.network.breakConnection(site, again: true) }
    #expect(await tap.next("round_started").attempt == 1)
    relay.replayAndRelease()
    for site in World.sites { try world.setMode("ok", site: site, round: 1) }
    let finished = await tap.next("round_finished", round: 1)
    #expect(finished.attempt == 1)
    try expectMean(of: World.sites, in: finished, world)
    #expect(await job.value == .finished)
    for site in sites { #expect(try await site.value == .finished) }
    for site in World.sites { #expect(world.trainings(site) == 1) }
  }

  private func serverDiesInRoundOne(_ world: World) async throws -> [Task<SiteOutcome, any Error>] {
    let tap = EventTap()
    let first = try world.server(rounds: 1, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await first.run(events) }
    for site in World.sites.dropFirst() { try world.setMode("hold", site: site, round: 1) }
    let sites = try World.sites.map { try world.start($0) }
    #expect(await tap.next("input_received", round: 1).site == 0)
    await first.stop(reason: "killed")
    _ = await job.value
    return sites
  }

  /// What the old process held is free as soon as its last reference goes, which is a matter of other threads.
  private func retry<T>(_ body: () throws -> T) async throws -> T {
    for _ in 0..<1_000_000 {
      do {
        return try body()
      } catch let error as CoordinatorError where error.code == .stateInUse {
        await Task.yield()
      } catch let error as ParticipantError where error.code == .stateInUse {
        await Task.yield()
      }
    }
    return try body()
  }

  @Test func garbageCostsItsSenderTheAttempt() async throws {
    let world = try World()
    let tap = EventTap()
    let server = try world.server(rounds: 1, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    for site in World.sites { try world.setMode("hang", site: site, round: 1) }
    let sites = try World.sites.map { try world.start($0) }
    _ = await tap.next("round_finished", round: 0)
    world.network.setFilter { site, frame in
      guard site == 1, case .message = frame else { return frame }
      return .message([1, 2, 3])
    }
    let dropped = await tap.next("site_dropped", round: 1)
    #expect(dropped.site == 1)
    await server.stop(reason: "enough")
    #expect(await job.value == .stopped(reason: "enough"))
    world.network.breakAll()
    for site in sites { #expect(try await site.value == .disconnected) }
  }

  @Test func tooFewSitesEndTheJobWithAReason() async throws {
    let world = try World()
    let tap = EventTap()
    let server = try world.server(tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    let sites = try World.sites.prefix(4).map { try world.start($0) }
    for _ in sites { _ = await tap.next("site_connected") }
    await world.timers.fire(.seconds(10))
    await world.timers.fire(.seconds(3_600))
    guard case .failed(let error) = await job.value else { return #expect(Bool(false), "the job goes on without sites") }
    #expect(error.code == .tooFewSites)
    for site in sites {
      let outcome = try await site.value
      #expect(outcome != .finished)
    }
  }

  /// A site whose own rules forbid the job leaves it, and says so here and not to the server.
  @Test func aForbiddenJobIsLeft() async throws {
    let world = try World()
    let tap = EventTap()
    let server = try world.server(tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    var policy = SitePolicy()
    policy.models = ["yolov5s"]
    let site = try world.start(0, policy: policy)
    await #expect { _ = try await site.value } throws: { ($0 as? ParticipantError)?.code == .policy }
    await server.stop(reason: "enough")
    _ = await job.value
  }
}
