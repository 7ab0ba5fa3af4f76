// Jobs whose sums carry noise (spec/12-noised-rounds.md): what comes out, what is paid on both sides, and that nothing is spent beyond it.
import Federation
import Foundation
import Safetensors
import SecAgg
import Synchronization
import Testing
import Transport

@testable import Coordinator
@testable import Participant

@Suite(.timeLimit(.minutes(2))) struct NoisedJobTests {
  private static func privacy(epsilon: Double = 1000) -> JobPlan.Privacy {
    JobPlan.Privacy(clip: 30, noiseMultiplier: 0.1, epsilon: epsilon, delta: 1e-5)
  }

  /// What `count` sums over all five sites cost.
  private static func cost(_ count: Int) throws -> Double {
    let world = try World(privacy: privacy())
    let mechanism = try world.plan().mechanism(kind: .training, sites: 5, samplesReference: 1, shares: 3)
    let charge = PrivacyCharge(mechanism: mechanism.encoded(), shares: 3)
    return PrivacyAccount.epsilon(Array(repeating: charge, count: count), delta: 1e-5)
  }

  /// The plain mean of the sites' models with noise on each parameter; statistics stay what they were.
  private func expectNoisedMean(of sites: [UInt32], idle: Set<UInt32> = [], in event: Event, _ world: World) throws {
    let file = try world.weights(try #require(event.file))
    // Round 2 adds nothing: the trainers hand back the same models, and the mean is what the weights are but for noise.
    let parameters = try file.floats("model.0.conv.weight").map(Double.init)
    let mean = sites.reduce(0) { $0 + (idle.contains($1) ? 0 : Double($1 + 1) / 16) } / Double(sites.count)
    let found = parameters.reduce(0, +) / Double(parameters.count)
    let spread = (parameters.reduce(0) { $0 + ($1 - found) * ($1 - found) } / Double(parameters.count - 1)).squareRoot()
    // z·C for three shares, five or four of them in the sum.
    let expected = 0.1 * 30 * (Double(sites.count) / 3).squareRoot() / Double(sites.count)
    // Five standard errors each: false alarms in a million.
    #expect(abs(found - mean) < 5 * expected / Double(parameters.count).squareRoot())
    #expect(abs(spread / expected - 1) < 5 / (2 * Double(parameters.count)).squareRoot() + 0.03)
    #expect(try file.floats("model.0.bn.running_mean").allSatisfy { $0 == 0 })
    #expect(event.survivors == sites.map(Int.init))
    #expect(event.samples == nil && event.metrics?.isEmpty == true)
  }

  @Test("[ND-05] [ND-08] a noised job has no census, moves by the noised mean, and pays on both sides")
  func aWholeJob() async throws {
    let world = try World(privacy: Self.privacy())
    let tap = EventTap()
    let server = try world.server(rounds: 1, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    let sites = try World.sites.map { try world.start($0) }
    let finished = await tap.next("round_finished")
    #expect(finished.round == 1)
    try expectNoisedMean(of: World.sites, in: finished, world)
    let cost = try Self.cost(1)
    #expect(finished.epsilon == cost)
    #expect(await job.value == .finished)
    for site in sites { #expect(try await site.value == .finished) }
    for site in World.sites {
      let journal = try Journal(directory: world.path("site-\(site)/state"))
      #expect(journal.charges.map(\.round) == [1])
      #expect(PrivacyAccount.epsilon(journal.charges.map(\.charge), delta: 1e-5) == cost)
    }
  }

  /// Whether training fails may depend on the site's images: nobody must see it.
  @Test("[ND-12] a site without an update gives noise alone, and pays for it")
  func aSiteWithoutAnUpdate() async throws {
    let world = try World(privacy: Self.privacy())
    let tap = EventTap()
    let server = try world.server(rounds: 1, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    for site: UInt32 in [3, 4] { try world.setMode("fail", site: site, round: 1) }
    let sites = try World.sites.map { try world.start($0) }
    try expectNoisedMean(of: World.sites, idle: [3, 4], in: await tap.next("round_finished"), world)
    #expect(await job.value == .finished)
    for site in sites { #expect(try await site.value == .finished) }
    #expect(try Journal(directory: world.path("site-4/state")).charges.count == 1)
  }

  @Test("[RF-03] [RF-04] the server takes a charge back where nobody can open the inputs, and a site on the same evidence")
  func refunds() async throws {
    let world = try World(privacy: Self.privacy())
    let tap = EventTap()
    let server = try world.server(rounds: 1, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    // Two signatures over the survivors never arrive in the first attempt: it is paid for, and nobody reveals.
    let lost = Mutex(Set<UInt32>())
    world.network.setFilter { site, frame in
      guard site >= 3, case .message(let bytes) = frame, (try? SignedMessage(decoding: bytes))?.type == .consistency else { return frame }
      return lost.withLock { $0.insert(site).inserted } ? nil : frame
    }
    var sites = try World.sites.map { try world.start($0) }
    for _ in 0..<5 { _ = await tap.next("input_received", round: 1) }
    _ = await tap.next { $0.event == "phase" && $0.phase == "consistency" }
    while lost.withLock({ $0.count }) < 2 { await Task.yield() }
    for site: UInt32 in [3, 4] {
      world.network.breakConnection(site, again: false)
      _ = try await sites[Int(site)].value
      _ = await tap.next("site_disconnected")
    }
    await world.timers.fire(.seconds(10))
    let unopened = await tap.next("unopened", round: 1)
    let evidence = try EvidenceFolder.read(try #require(unopened.file))
    for site: UInt32 in [3, 4] { sites[Int(site)] = try world.start(site) }
    let finished = await tap.next("round_finished", round: 1)
    let cost = try Self.cost(1)
    #expect(finished.attempt == 1 && finished.epsilon == cost)
    #expect(await job.value == .finished)
    for site in sites { _ = try await site.value }
    let verdict = try evidence.check(world.roster)
    let journal = try Journal(directory: world.path("site-0/state"))
    #expect(journal.charges.count == 2 && verdict.culprit == nil && verdict.claim == .unopened)
    try journal.record(.refunded(context: verdict.context))
    #expect(PrivacyAccount.epsilon(journal.charges.map(\.charge), delta: 1e-5) == cost)
    // The server has not forgotten it.
    let copy = try TemporaryFolder()
    try FileManager.default.copyItem(
      atPath: world.path("server/\(AttemptJournal.fileName)"), toPath: copy.path + "/\(AttemptJournal.fileName)")
    #expect(try AttemptJournal(directory: copy.path).charges.count == 1)
  }

  @Test("[ND-11] the job ends where its epsilon is spent") func theJobEndsWhereItsEpsilonIsSpent() async throws {
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

  @Test("[ND-11] a server that was restarted has not forgotten what it spent")
  func aServerThatWasRestartedHasNotForgottenWhatItSpent() async throws {
    let world = try World(privacy: Self.privacy(epsilon: try Self.cost(2) * 1.0001))
    for expected in 1...2 {
      let tap = EventTap()
      let server = try world.server(rounds: 5, tap: tap)
      let events = world.network.serverEvents()
      let job = Task { await server.run(events) }
      let sites = try World.sites.map { try world.start($0) }
      let finished = await tap.next("round_finished")
      let cost = try Self.cost(expected)
      #expect(finished.round == expected && finished.epsilon == cost)
      await server.stop(reason: "restart")
      _ = await job.value
      for site in sites {
        site.cancel()
        _ = try? await site.value
      }
    }
    let server = try world.server(rounds: 5, tap: EventTap())
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    let sites = try World.sites.map { try world.start($0) }
    guard case .failed(let error) = await job.value else {
      Issue.record("a third sum was paid for")
      return
    }
    #expect(error.code == .budgetSpent)
    for site in sites { _ = try? await site.value }
  }

  @Test func aSiteKeepsToItsOwnLimitWhateverTheJobMaySpend() async throws {
    let world = try World(privacy: Self.privacy())
    let tap = EventTap()
    let server = try world.server(rounds: 2, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    var policy = SitePolicy()
    policy.epsilonMax.lifetime = try Self.cost(1) * 1.0001
    let sites = try World.sites.map { try world.start($0, policy: $0 == 4 ? policy : SitePolicy()) }
    try expectNoisedMean(of: World.sites, in: await tap.next("round_finished", round: 1), world)
    let second = await tap.next("round_finished", round: 2)
    #expect(second.survivors == [0, 1, 2, 3])
    #expect(await job.value == .finished)
    for site in sites { _ = try await site.value }
    #expect(try Journal(directory: world.path("site-4/state")).charges.count == 1)
  }
}
