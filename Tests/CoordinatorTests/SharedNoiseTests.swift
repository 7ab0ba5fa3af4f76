// Jobs whose noise the sites share and take out again (spec/12), on updates and on sums of gradients (spec/13, "The form distributed"):
// what comes out, how often a site draws and pays, and that the weights take the step that the spec says.
import Federation
import Foundation
import Safetensors
import SecAgg
import Testing
import Transport

@testable import Coordinator
@testable import Participant

@Suite(.timeLimit(.minutes(2))) struct SharedNoiseTests {
  private static func gradients(noise: JobPlan.Privacy.Noise = .skellam, epsilon: Double = 1000) -> JobPlan.Privacy {
    JobPlan.Privacy(
      clip: 2, noiseMultiplier: 0.5, epsilon: epsilon, delta: 1e-5, noise: noise,
      records: .init(samplingRate: 0.25, lotSize: 4, form: .distributed))
  }

  /// Spread and mean of what a round did to the weights.
  private func change(_ event: Event, _ world: World) throws -> (mean: Double, spread: Double) {
    let file = try world.weights(try #require(event.file))
    let values = try file.floats("model.0.conv.weight").map(Double.init)
    let mean = values.reduce(0, +) / Double(values.count)
    return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot())
  }

  @Test("[NR-01] [NR-05] a mean update has the planned noise, whoever drops out", arguments: [5, 4])
  func meanUpdates(survivors: Int) async throws {
    let world = try World(privacy: JobPlan.Privacy(clip: 30, noiseMultiplier: 0.1, epsilon: 1000, delta: 1e-5, noise: .skellam))
    let tap = EventTap()
    let server = try world.server(rounds: 1, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    if survivors == 4 { try world.setMode("hang", site: 4, round: 1) }
    let sites = try World.sites.map { try world.start($0) }
    if survivors == 4 {
      for _ in 0..<4 { _ = await tap.next("input_received", round: 1) }
      world.network.breakConnection(4, again: false)
      _ = try await sites[4].value
      _ = await tap.next("site_disconnected")
      await world.timers.fire(.seconds(10))
    }
    let finished = await tap.next("round_finished")
    let found = try change(finished, world)
    let n = Double(survivors)
    let mean = (1...survivors).reduce(0) { $0 + Double($1) / 16 } / n
    // z·C of assured noise, n/(n − 1) of its variance in all.
    let expected = 0.1 * 30 * (n / (n - 1)).squareRoot() / n
    #expect(abs(found.mean - mean) < 5 * expected / 300.0.squareRoot())
    #expect(abs(found.spread / expected - 1) < 0.25)
    #expect(await job.value == .finished)
    for site in sites.prefix(survivors) { #expect(try await site.value == .finished) }
  }

  @Test("[RP-13] [RP-14] [RP-15] a round is one step along the noised sum, paid for on both sides")
  func steps() async throws {
    let world = try World(privacy: Self.gradients())
    let tap = EventTap()
    let server = try world.server(rounds: 2, tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    let sites = try World.sites.map { try world.start($0) }
    let plan = try world.plan(rounds: 2)
    let charge = try #require(plan.charge(for: try self.plan(plan, world)))
    for round in 1...2 {
      let finished = await tap.next("round_finished", round: round)
      #expect(finished.survivors == [0, 1, 2, 3, 4] && finished.samples == nil && finished.metrics?.isEmpty == true)
      let cost = PrivacyAccount.epsilon(charge, count: round, delta: 1e-5)
      #expect(abs((finished.epsilon ?? 0) / cost - 1) < 1e-9)
    }
    #expect(await job.value == .finished)
    for site in sites { #expect(try await site.value == .finished) }
    for site in World.sites {
      #expect(try Journal(directory: world.path("site-\(site)/state")).charges.map(\.round) == [1, 2])
      #expect(world.trainings(site) == 2)
    }
  }

  private func plan(_ job: JobPlan, _ world: World) throws -> RoundPlan {
    var plan = RoundPlan(
      job: job.name, round: 1, attempt: 0, roster: world.roster, sites: World.sites.map { SiteID($0) },
      weightsDigest: job.initialWeightsDigest, configurationDigest: job.digest, sections: [], mechanism: [])
    plan.mechanism = try job.mechanism(kind: .training, of: plan, samplesReference: 1).encoded()
    return plan
  }

  @Test("[RP-14] the step is the mean sum over the lot, by the schedule's rate") func theStep() async throws {
    let world = try World(privacy: Self.gradients())
    let job = try world.plan(rounds: 2)
    let plan = try plan(job, world)
    guard case .noised(let encoding) = try Mechanism(decoding: plan.mechanism) else {
      Issue.record("a plan without noise")
      return
    }
    #expect(encoding.samplingRate == 0.25 && encoding.clip == 2)
    let layout = WeightsLayout(try SafetensorsFile.read(path: world.path("initial.safetensors")))
    let weights = [Float](repeating: 0.5, count: layout.parameterCount)
    let mean = (0..<layout.parameterCount).map { Double($0) }
    var decaying = job
    (decaying.training.weightDecay, decaying.training.warmupEpochs, decaying.training.finalLearningRateFraction) = (0.1, 0, 0.5)
    let step = decaying.gradientStep(mean: mean, weights: weights, layout: layout, round: 2)
    // Half of the way down to half of the rate.
    let rate = 0.01 * 0.75
    for index in step.indices { #expect(abs(step[index] - -rate * (mean[index] / 4 + 0.1 * 0.5)) < 1e-12) }
    #expect(job.serverMomentum(round: 2) == job.training.momentum)
  }

  @Test("[RP-14] rates rise over a tenth of the rounds at most, and fall along the schedule") func rates() throws {
    var job = try World(privacy: Self.gradients()).plan(rounds: 1000)
    job.training.finalLearningRateFraction = 0.1
    // Three epochs of four rounds.
    #expect(abs(job.learningRate(round: 1) / job.training.learningRate - 1.0 / 12) < 1e-12)
    #expect(job.learningRate(round: 12) > 0.98 * job.training.learningRate)
    job.training.warmupEpochs = 1000
    #expect(job.learningRate(round: 50) < 0.5 * job.training.learningRate)
    #expect(abs(job.learningRate(round: 1000) / job.training.learningRate - 0.1009) < 1e-6)
    job.training.cosine = true
    #expect(abs(job.learningRate(round: 501) / job.training.learningRate - 0.55) < 1e-9)
  }

  /// [RP-15] An attempt that failed after the inputs had come: the next one draws other images, adds other noise and is paid for.
  @Test func anotherAttemptDrawsAgain() async throws {
    let world = try World(privacy: Self.gradients())
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
    _ = await tap.next("round_aborted", round: 1)
    for site: UInt32 in [3, 4] {
      try world.setMode("ok", site: site, round: 1)
      sites[Int(site)] = try world.start(site)
    }
    let finished = await tap.next("round_finished", round: 1)
    #expect(finished.attempt == 1 && finished.survivors == [0, 1, 2, 3, 4])
    #expect(await job.value == .finished)
    for site in sites { _ = try await site.value }
    // Paid for both, by those whose inputs had left; drawn twice.
    for site: UInt32 in 0..<3 {
      #expect(try Journal(directory: world.path("site-\(site)/state")).charges.count == 2)
      #expect(world.trainings(site) == 2)
    }
    #expect(try Journal(directory: world.path("site-4/state")).charges.count == 1)
  }
}
