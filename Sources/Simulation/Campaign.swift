// Many small simulations, each with options that follow from its seed: cohorts, graphs, faults and adversaries of all kinds. One that
// breaks an invariant is named with what replays it.
import Dispatch
import SecAgg
import Synchronization

public struct CampaignResult: Sendable {
  public var runs = 0
  public var sums = 0
  /// Named aborts by code.
  public var aborts: [String: Int] = [:]
  /// By adversary: runs, and how many of them gave a sum.
  public var adversaries: [String: (runs: Int, sums: Int)] = [:]
  public var sparse = 0
  public var events = 0
  /// Seed and broken invariant.
  public var violations: [(seed: UInt64, reason: String)] = []
}

public enum Campaign {
  /// What the run with a seed looks like.
  public static func options(_ seed: UInt64) -> SimulationOptions {
    var random = SeededRandom(seed, "options")
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    var options = SimulationOptions()
    options.seed = seed
    // A sparse run costs as much as thirty small ones.
    let isSparse = seed % 40 == 7
    options.sites = isSparse ? draw(66...72) : draw(0...9) == 0 ? draw(11...20) : draw(3...10)
    options.colluders = isSparse ? draw(1...3) : nil
    options.dimension = draw(1...400)
    options.bits = draw(12...32)
    // Noise in components needs room, and some hundred table entries each: every tenth run.
    if seed % 10 == 3, !isSparse { (options.removesNoise, options.bits) = (true, max(options.bits, 18)) }
    options.pieceBytes = draw(16...600)
    options.faults = FaultLevel(rawValue: [0, 1, 1, 2, 2, 3, 3, 3][draw(0...7)]) ?? .none
    for phase in [Phase.plan, .keys, .shares, .acknowledge, .maskedInput, .consistency, .reveal] where draw(0...9) == 0 {
      options.drops[phase] = Double(draw(1...(isSparse ? 3 : 25))) / 100
    }
    return options
  }

  /// Runs seeds `first` ..< `first + count` on `jobs` threads.
  /// - Parameter progress: called now and then with the number of runs that are done.
  public static func run(
    first: UInt64, count: Int, jobs: Int, progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) -> CampaignResult {
    let result = Mutex(CampaignResult())
    let next = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: max(1, jobs)) { _ in
      while true {
        let index = next.withLock { value in
          defer { value += 1 }
          return value
        }
        guard index < count else { return }
        let one = single(first &+ UInt64(index))
        let done = result.withLock { total in
          add(one, to: &total)
          return total.runs
        }
        if done.isMultiple(of: 20) || done == count { progress(done) }
      }
    }
    return result.withLock { $0 }
  }

  private struct Single: Sendable {
    let seed: UInt64
    let outcome: SimulationOutcome
    let adversary: String?
    let isSparse: Bool
    let events: Int
  }

  private static func single(_ seed: UInt64) -> Single {
    let options = options(seed)
    do {
      let simulation = try Simulation(options)
      let outcome = simulation.run()
      return Single(
        seed: seed, outcome: outcome, adversary: simulation.adversary?.name, isSparse: options.usesSparseGraph,
        events: simulation.eventCount)
    } catch {
      return Single(
        seed: seed, outcome: .violated("the run could not begin: \(error)"), adversary: nil, isSparse: options.usesSparseGraph, events: 0)
    }
  }

  private static func add(_ one: Single, to total: inout CampaignResult) {
    total.runs += 1
    total.events += one.events
    if one.isSparse { total.sparse += 1 }
    var isSum = false
    switch one.outcome {
    case .sum:
      total.sums += 1
      isSum = true
    case .aborted(let code, _): total.aborts[code.rawValue, default: 0] += 1
    case .violated(let reason): total.violations.append((one.seed, reason))
    }
    if let name = one.adversary {
      let before = total.adversaries[name] ?? (0, 0)
      total.adversaries[name] = (before.runs + 1, before.sums + (isSum ? 1 : 0))
    }
  }
}
