// A whole federation in one process: the real sessions of all parties, a virtual network and clock, everything from one seed. After
// every event the monitor looks at what left the honest sites.
import Federation
import Participant
import SecAgg
import Sodium

/// One run: a round with up to `attemptsMax` attempts.
public final class Simulation {
  let options: SimulationOptions
  let roster: RosterView
  let serverKey: Ed25519.SigningKey
  let job: JobPlan
  let gate: PolicyGate
  let adversary: (any Adversary)?
  var random: SeededRandom
  var events = EventQueue()
  /// Microseconds.
  var now: UInt64 = 0
  var sites: [SiteID: SimulatedSite] = [:]
  let order: [SiteID]
  /// Sites that vanish in a phase, as the options ask for.
  var doomed: [SiteID: Phase] = [:]

  var session: ServerSession?
  var attempt: UInt32 = 0
  var plans: [RoundPlan] = []
  var excluded: Set<SiteID> = []
  /// Sites that are on their way to the server with a masked input, and those that wait for their turn: inputs are large.
  var uploading: Set<SiteID> = []
  var waitingToUpload: [SiteID] = []
  static let uploadsMax = 4

  public internal(set) var meter = Meter()
  var monitor: Monitor
  public internal(set) var outcome: SimulationOutcome?
  var dropped: [SiteID: Phase] = [:]
  var lastAbort: Refusal?
  var isSumCorrect: Bool?
  var sum: RoundSum?
  var eventCount = 0

  /// - Throws: a refusal where no plan can be made of the options, `SimulationError` for an unknown adversary.
  public init(_ options: SimulationOptions) throws {
    self.options = options
    let seed = options.seed
    func key(_ purpose: String, _ number: UInt64) -> Ed25519.SigningKey {
      var random = SeededRandom(seed, purpose, number)
      guard let key = try? Ed25519.SigningKey(seed: SecretBytes(copying: random.bytes(32))) else {
        preconditionFailure("a seed has 32 bytes")
      }
      return key
    }
    // Indices with gaps: nothing may depend on 0, 1, 2.
    let ids = (0..<options.sites).map { SiteID(UInt32(2 * $0 + 3)) }
    order = ids
    serverKey = key("server", 0)
    for id in ids { sites[id] = SimulatedSite(id: id, key: key("identity", UInt64(id.rawValue))) }
    roster = RosterView(
      digest: BLAKE2b.hash(Array("roster of seed \(seed)".utf8)), colluders: options.colludersOrDefault,
      siteKeys: sites.mapValues { $0.key.publicKey }, serverKey: serverKey.publicKey)
    job = Self.job(options)
    var policy = SitePolicy()
    policy.minimumHonest = 1
    gate = PolicyGate(policy: policy)
    random = SeededRandom(seed, "network")
    adversary = try Adversaries.make(options)
    let colluding = adversary?.colluders(of: ids, options) ?? []
    monitor = Monitor(colluders: colluding)
    doom(ids)
    let first = plan(inviting: ids)
    try first.validate(against: roster)
    for id in ids {
      let arrival = latency()
      events.add(.connected(id), at: arrival)
    }
    events.add(.attemptStarts, at: 1_000_000)
  }

  private static func job(_ options: SimulationOptions) -> JobPlan {
    var job = JobPlan(
      name: "simulation", model: "none", classes: ["none"], imageSize: 32, rounds: 1, parameterCount: options.dimension,
      statisticCount: 0, layoutDigest: BLAKE2b.hash([1]), initialWeightsDigest: BLAKE2b.hash([2]))
    job.quantisation.bits = options.bits
    if options.removesNoise {
      job.training.batchNormRounds = 0
      job.privacy = JobPlan.Privacy(clip: 1, noiseMultiplier: 1, epsilon: 1000, delta: 1e-5, noise: .skellam)
    }
    return job
  }

  /// Which sites vanish in which phase.
  private func doom(_ ids: [SiteID]) {
    var rest = ids.shuffled(using: &random)
    for (phase, fraction) in options.drops.sorted(by: { $0.key < $1.key }) {
      let count = min(rest.count, Int((Double(ids.count) * fraction).rounded()))
      for id in rest.prefix(count) { doomed[id] = phase }
      rest.removeFirst(count)
    }
  }

  func plan(inviting ids: [SiteID]) -> RoundPlan {
    let encoding = job.encoding(kind: .training, sites: ids.count, samplesReference: 1)
    // The sparse graph allows for a tenth of the sites to be missing, or a twentieth where a tenth is too much.
    let isSparse = ids.count >= GraphParameters.sitesMin && options.usesSparseGraph
    let dropouts = [max(1, ids.count / 10), max(1, ids.count / 20)].first {
      GraphParameters.find(sites: ids.count, colluders: roster.colluders, dropouts: $0) != nil
    }
    var plan = RoundPlan(
      job: job.name, round: 1, attempt: attempt, roster: roster, sites: ids,
      minimumSurvivors: isSparse ? dropouts.map { ids.count - $0 } : nil, isSparse: isSparse,
      weightsDigest: job.initialWeightsDigest, configurationDigest: job.digest,
      sections: job.sections(kind: .training, encoding: encoding), mechanism: encoding.encoded())
    guard job.noisesSums, let noised = try? job.mechanism(kind: .training, of: plan, samplesReference: 1) else { return plan }
    (plan.sections, plan.mechanism) = (job.sections(kind: .training, mechanism: noised), noised.encoded())
    return plan
  }

  /// Runs to the end and tells what happened.
  @discardableResult
  public func run() -> SimulationOutcome {
    while let (time, event) = events.next() {
      now = max(now, time)
      eventCount += 1
      handle(event)
      if !monitor.violations.isEmpty { break }
      // A run that neither ends nor stops is a fault of its own.
      if eventCount > Self.eventsMax(options) {
        monitor.violate("the run does not end: \(eventCount) events, attempt \(attempt)")
        break
      }
    }
    if outcome == nil, monitor.violations.isEmpty { monitor.violate("nothing is left to happen, and the round has neither sum nor reason") }
    if let violation = monitor.violations.first { outcome = .violated(violation) }
    return outcome ?? .violated("no outcome")
  }

  private static func eventsMax(_ options: SimulationOptions) -> Int {
    let pieces = options.dimension * 4 / options.pieceBytes + 2
    return 10_000 + options.sites * options.attemptsMax * (400 + 8 * pieces)
  }

  private func handle(_ event: Event) {
    switch event {
    case .connected(let id): connect(id)
    case .graceOver(let id, let connection):
      guard let site = sites[id], site.connections == connection, site.connection == nil, let session else { return }
      perform(meter.server(session.phase) { session.vanished(id) })
    case .toSite(let id, let connection, let bytes):
      guard let site = sites[id], site.connection == connection else { return }
      receive(bytes, at: site)
    case .toServer(let id, let connection, let packet):
      guard sites[id]?.connection == connection else { return }
      receive(packet, from: id)
    case .deadline(let number, let phase):
      guard number == attempt, let session else { return }
      perform(meter.server(session.phase) { session.deadlinePassed(phase) })
    case .trained(let id, let generation, let context):
      guard let site = sites[id], site.generation == generation, site.plan?.context == context else { return }
      site.isTrained = true
      offerUpload(site)
    case .siteStarts(let id):
      sites[id]?.restart()
      events.add(.connected(id), at: now + latency())
    case .serverStarts: events.add(.attemptStarts, at: now + 1_000_000)
    case .attemptStarts: startAttempt()
    }
  }
}

/// How a run ended.
public enum SimulationOutcome: Sendable, Equatable {
  /// The sum over the survivors, compared with the plain sum.
  case sum(survivors: Int)
  /// No sum, and a reason with a name.
  case aborted(RefusalCode, reason: String)
  /// What must never be: the invariant that broke.
  case violated(String)
}

public struct SimulationError: Error, Sendable {
  public let reason: String
}
