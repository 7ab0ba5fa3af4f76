// The server among sites of which any may break any rule with its real key: messages in any order, altered and signed again, repeated, in
// another's name; pieces of inputs altered; connections lost and found; deadlines at any time. If it finishes, its sum is the plain sum.
import SecAgg

struct ServerTarget: Target {
  static let name = "server"
  private let complete = RememberedSites(.complete)
  /// 65 sites on a ring: a hundred times as slow.
  private let sparse = RememberedSites(.sparse)

  func run(_ input: [UInt8]) {
    let isSparse = ServerRun.isSparse(input)
    ServerRun(isSparse ? .sparse : .complete, isSparse ? sparse : complete)?.run(input)
  }

  func seeds() -> [[UInt8]] {
    // Messages that do not exist behind the round, until the input is one that gets the sparse graph.
    let longer = (0..<UInt16.max).lazy.map { [ServerRun.sparseFlag, 4, 7, UInt8($0 >> 8), 7, UInt8($0 & 255)] }
    let sparse = longer.first(where: ServerRun.isSparse)
    return ServerRun.seeds + (sparse.map { [$0] } ?? [])
  }
}

/// One execution.
private final class ServerRun {
  private enum Packet {
    case message([UInt8])
    case piece([UInt8], index: Int, count: Int)
  }

  private let cohort: Cohort
  private let remembered: RememberedSites
  private let server: ServerSession
  private var sites: [SiteID: RememberedSites.Site] = [:]
  private var pending: [SiteID: [Packet]] = [:]
  private var last: [SiteID: [UInt8]] = [:]
  /// Whose input is not what the script says, or who showed keys that are not its own.
  private var poisoned: Set<SiteID> = []
  private var dead: Set<SiteID> = []
  private var outcomes = 0

  init?(_ cohort: Cohort, _ remembered: RememberedSites) {
    guard let server = try? ServerSession(plan: cohort.plan, roster: cohort.roster, signingKey: cohort.serverKey) else { return nil }
    (self.cohort, self.remembered, self.server) = (cohort, remembered, server)
    for site in cohort.sites { sites[site] = RememberedSites.Site(site) }
  }

  /// The first byte of an input from which on it asks for the sparse graph.
  static let sparseFlag: UInt8 = 0xfc

  /// One of 256 inputs that ask for the sparse graph gets it (by FNV-1a of its bytes): what libFuzzer changes in one goes on with the
  /// complete graph, or the slow attempts would be all that runs.
  static func isSparse(_ input: [UInt8]) -> Bool {
    guard let first = input.first, first >= sparseFlag else { return false }
    return input.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } >> 32 & 255 == 0
  }

  static let seeds: [[UInt8]] = {
    let round: [UInt8] = [4]
    var seeds: [[UInt8]] = [[0], [1, 4]]
    for site: UInt8 in 0..<2 {
      // Before each step one site dies, vanishes, comes back, says something altered or twice.
      for steps in 0..<7 {
        let before = [UInt8](repeating: 15, count: steps)
        seeds.append([0] + before + [14, site] + round)
        seeds.append([0] + before + [8, site] + round)
        seeds.append([0] + before + [10, site] + round)
        seeds.append([0] + before + [5, site, 0, 4, 0, 40, 1] + round)
        seeds.append([0] + before + [0, site, 11, site] + round)
        seeds.append([0] + before + [6, site, 3, 0, 1] + round)
        seeds.append([0] + before + [9, 0] + round)
        seeds.append([0] + before + [13, site, 0, 9, 9, 9] + round)
      }
    }
    return seeds
  }()

  /// The first byte says which graph it is, and whether everybody who is left answers at the end.
  func run(_ input: [UInt8]) {
    var source = Source(input)
    let isCutOff = source.u8() & 1 == 1
    perform(server.start())
    for _ in 0..<64 where !source.isAtEnd && server.phase != .done { step(&source) }
    if isCutOff { return }
    for _ in 0..<16 where outcomes == 0 {
      settle()
      if outcomes == 0 { perform(server.deadlinePassed(server.phase)) }
    }
    require(outcomes == 1, "an attempt without an end, or with two")
  }

  private func step(_ source: inout Source) {
    let operation = source.u8() % 16
    if operation == 4 { return settle() }
    if operation == 15 { return once() }
    if operation == 9 {
      let asked = Phase(rawValue: Phase.RawValue(source.u8() % 10)) ?? server.phase
      return perform(server.deadlinePassed(source.u8() & 1 == 0 ? server.phase : asked))
    }
    let site = cohort.sites[source.below(cohort.sites.count)]
    switch operation {
    case 5: alter(site, &source)
    case 6: piece(site, &source)
    case 7: _ = pop(site)
    case 8: perform(server.vanished(site))
    case 10: perform(server.reconnected(site))
    case 11: if let message = last[site] { perform(server.receive(message, from: site)) }
    case 12:
      let other = cohort.sites[source.below(cohort.sites.count)]
      poisoned.formUnion([site, other])
      if let packet = pop(site) { deliver(packet, from: other) }
    case 13: invent(site, &source)
    case 14:
      dead.insert(site)
      pending[site] = nil
    default: if let packet = pop(site) { deliver(packet, from: site) }
    }
  }

  /// Every site's next packet.
  private func once() {
    for site in cohort.sites { if let packet = pop(site) { deliver(packet, from: site) } }
  }

  private func settle() {
    for _ in 0..<100 where pending.values.contains(where: { !$0.isEmpty }) { once() }
  }

  private func pop(_ site: SiteID) -> Packet? {
    guard let packet = pending[site]?.first else { return nil }
    pending[site]?.removeFirst()
    return packet
  }

  private func deliver(_ packet: Packet, from site: SiteID) {
    switch packet {
    case .message(let bytes):
      last[site] = bytes
      perform(server.receive(bytes, from: site))
    case .piece(let bytes, let index, let count):
      perform(server.receiveInput(chunk: bytes, index: index, of: count, from: site))
    }
  }

  private func alter(_ site: SiteID, _ source: inout Source) {
    guard let packet = pop(site) else { return }
    guard case .message(let bytes) = packet, let message = try? SignedMessage(decoding: bytes) else {
      pending[site]?.insert(packet, at: 0)
      return piece(site, &source)
    }
    if [.keys, .inputHeader].contains(message.type) { poisoned.insert(site) }
    var altered = cohort.sign(message, body: source.altered(message.body))
    let inner = Embedded.messages(in: message)
    if !inner.isEmpty, source.u8() & 1 == 1 {
      var list = inner
      let index = source.below(list.count)
      list[index] = cohort.sign(list[index], body: source.altered(list[index].body))
      if let body = Embedded.replacing(message, list) { altered = cohort.sign(body, site) }
    }
    last[site] = altered.bytes
    perform(server.receive(altered.bytes, from: site))
  }

  private func piece(_ site: SiteID, _ source: inout Source) {
    poisoned.insert(site)
    guard case .piece(let bytes, var index, var count)? = pending[site]?.first else { return }
    pending[site]?.removeFirst()
    let kind = source.u8()
    if kind & 1 == 1 { index = source.below(300) }
    if kind & 2 == 2 { count = source.u16() - 2 }
    let piece = kind & 4 == 4 ? source.altered(bytes) : bytes
    perform(server.receiveInput(chunk: piece, index: index, of: count, from: site))
  }

  /// Bytes that no script contains, signed or not.
  private func invent(_ site: SiteID, _ source: inout Source) {
    poisoned.insert(site)
    let type = MessageType(rawValue: source.u8())
    let body = source.take(source.below(200))
    guard let type else { return perform(server.receive(body, from: site)) }
    let message = SignedMessage(type: type, body: body, context: cohort.context, sender: site, key: cohort.key(site))
    perform(server.receive(message.bytes, from: site))
  }

  private func perform(_ actions: [ServerAction]) {
    for action in actions {
      switch action {
      case .send(let bytes, let site):
        guard let answers = sites[site]?.receive(bytes, remembered) else { fatalError("a message to \(site), who is no site") }
        if !dead.contains(site) { for answer in answers { queue(answer, site) } }
      case .finished(let sum):
        outcomes += 1
        check(sum)
      case .aborted: outcomes += 1
      case .refuse, .evidence, .phase, .dropped: break
      }
    }
    require(outcomes <= 1, "an attempt with two ends")
    require((outcomes == 1) == (server.phase == .done), "an end that is none")
  }

  private func queue(_ answer: SiteAction, _ site: SiteID) {
    switch answer {
    case .send(let bytes): pending[site, default: []].append(.message(bytes))
    case .sendInput(let header, let payload):
      let middle = payload.count / 2
      pending[site, default: []] += [
        .message(header), .piece(Array(payload[..<middle]), index: 0, count: 2), .piece(Array(payload[middle...]), index: 1, count: 2),
      ]
    default: break
    }
  }

  private func check(_ sum: RoundSum) {
    let plan = cohort.plan
    for (small, large) in [
      (sum.keyed, sum.invited), (sum.masked, sum.keyed), (sum.survivors, sum.masked), (sum.revealers, sum.survivors),
    ] {
      require(Set(small).isSubset(of: large) && small == small.sorted(), "the sets do not contain each other")
    }
    require(sum.survivors.count >= plan.minimumSurvivors && sum.survivors.count >= plan.threshold, "a sum of too few")
    require(sum.signatures.count >= plan.threshold && sum.revealers.count >= plan.threshold, "a sum without t sites' consent")
    require(sum.sections.map(\.count) == plan.sections.map(\.count), "a sum of another shape")
    if poisoned.isDisjoint(with: sum.survivors) {
      require(sum.sections == cohort.plainSum(sum.survivors), "the sum is not the plain sum")
    }
  }
}
