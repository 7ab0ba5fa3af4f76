// Simulations of whole federations: 300 seeds of all kinds, each adversary by itself, replay, and what the monitor must see.
import SecAgg
import Testing

@testable import Simulation

@Suite struct SeedTests {
  /// The sum is right or the abort has a name; no invariant breaks.
  @Test func threeHundredSeeds() {
    let result = Campaign.run(first: 1, count: 300, jobs: 2)
    for violation in result.violations { Issue.record("seed \(violation.seed): \(violation.reason)") }
    #expect(result.runs == 300 && result.sums > 100)
    // Faults of every kind came up, and did something.
    #expect(result.adversaries.count >= 20 && result.sparse >= 5 && result.aborts.count >= 3)
  }

  @Test func oneSeedIsOneRun() throws {
    for seed in [UInt64(3), 47, 58] {
      let reports = try (0..<2).map { _ in
        let simulation = try Simulation(Campaign.options(seed))
        let outcome = simulation.run()
        return (outcome, simulation.eventCount, simulation.now, simulation.meter.sent, simulation.meter.received)
      }
      #expect(reports[0].0 == reports[1].0 && reports[0].1 == reports[1].1 && reports[0].2 == reports[1].2)
      #expect(reports[0].3 == reports[1].3 && reports[0].4 == reports[1].4)
    }
  }

  /// [NR-04] [NR-05] Noise in components, with every kind of fault, and each adversary of the complete graph: the sum has what must be left.
  @Test func noiseThatIsRemoved() throws {
    var sums = 0
    for (number, name) in (Adversaries.all.map { Optional($0.name) } + Array(repeating: nil, count: 12)).enumerated() {
      if let name, name == "server-two-graphs" || name.hasSuffix("nonce") { continue }
      var options = SimulationOptions()
      (options.sites, options.colluders, options.dimension, options.bits) = (8, 1, 40, 20)
      (options.removesNoise, options.seed, options.adversary) = (true, UInt64(number), name)
      options.faults = name == nil ? FaultLevel(rawValue: number % 3) ?? .none : .none
      if name == nil { options.drops = [[Phase.maskedInput, .consistency, .reveal, .keys][number % 4]: 0.25] }
      let simulation = try Simulation(options)
      let outcome = simulation.run()
      if case .violated(let reason) = outcome { Issue.record("\(name ?? "faults"), seed \(number): \(reason)") }
      if case .sum = outcome { sums += 1 }
      #expect(simulation.isSumCorrect != false)
    }
    #expect(sums > 10)
  }

  @Test(arguments: Adversaries.all.map(\.name)) func everyAdversary(name: String) throws {
    for seed in UInt64(1)...3 {
      var options = SimulationOptions()
      options.sites = name == "server-two-graphs" || name.hasSuffix("nonce") ? 66 : 9
      options.colluders = 2
      options.dimension = 50
      options.seed = seed
      options.adversary = name
      options.faults = seed == 3 ? .network : .none
      let simulation = try Simulation(options)
      let outcome = simulation.run()
      if case .violated(let reason) = outcome { Issue.record("\(name), seed \(seed): \(reason)") }
      #expect(simulation.isSumCorrect != false)
    }
  }

  /// Whoever breaks a rule with a signature of its own is accused, by evidence that holds; the monitor checks that nobody else is.
  @Test(arguments: [
    ("site-bad-envelope", RefusalCode.notAcknowledged), ("site-bad-commitment", .notAcknowledged), ("site-two-keys", .equivocation),
    ("site-weak-key", .weakKey), ("site-both-shares", .bothShares), ("site-wrong-share", .wrongShare), ("site-bad-nonce", .badNonce),
  ])
  func breachesLeaveEvidence(name: String, claim: RefusalCode) throws {
    var options = SimulationOptions()
    options.sites = name.hasSuffix("nonce") ? 66 : 9
    options.colluders = 2
    options.dimension = 50
    options.adversary = name
    let simulation = try Simulation(options)
    if case .violated(let reason) = simulation.run() { Issue.record("\(name): \(reason)") }
    #expect((simulation.monitor.accusations[claim] ?? 0) > 0, "\(simulation.monitor.accusations)")
  }

  @Test func dropoutsOfEveryPhase() throws {
    for phase in [Phase.plan, .keys, .shares, .acknowledge, .maskedInput, .consistency, .reveal] {
      var options = SimulationOptions()
      options.sites = 10
      options.colluders = 1
      options.dimension = 100
      options.drops = [phase: 0.2]
      let simulation = try Simulation(options)
      #expect(simulation.run() == .sum(survivors: phase > .maskedInput ? 10 : 8), "\(phase)")
      #expect(simulation.isSumCorrect == true)
    }
  }

  @Test func impossibleOptionsAreRefusedByName() {
    var options = SimulationOptions()
    options.sites = 66
    options.colluders = 60
    #expect(throws: Refusal.self) { try Simulation(options) }
    options.sites = 129
    options.isSparse = false
    options.colluders = 3
    #expect(throws: Refusal.self) { try Simulation(options) }
  }
}
