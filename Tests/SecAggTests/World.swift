// All parties of one attempt in one process: a queue of packets, and hooks through which a test drops, alters or invents them.
import Masking
import Sodium
import TestSupport
import Testing

@testable import SecAgg

/// Keys are made once: the tests run thousands of attempts.
enum Keys {
  static let server = key(0xffff)
  static let sites: [SiteID: Ed25519.SigningKey] = {
    Dictionary(uniqueKeysWithValues: (0..<RoundPlan.completeGraphMax + 1).map { (Fixture.site($0), key(UInt16($0))) })
  }()

  private static func key(_ number: UInt16) -> Ed25519.SigningKey {
    let seed = SecretBytes(copying: BLAKE2b.hash([UInt8(number >> 8), UInt8(number & 0xff)]))
    guard let key = try? Ed25519.SigningKey(seed: seed) else { preconditionFailure("a seed has 32 bytes") }
    return key
  }
}

enum Fixture {
  /// Indices with gaps: nothing may depend on 0, 1, 2.
  static func site(_ index: Int) -> SiteID { SiteID(UInt32(3 + 10 * index)) }

  static func sites(_ count: Int) -> [SiteID] { (0..<count).map(site) }

  static func roster(_ count: Int, colluders: Int) -> RosterView {
    RosterView(
      digest: BLAKE2b.hash(Array("roster".utf8)), colluders: colluders,
      siteKeys: Dictionary(uniqueKeysWithValues: sites(count).compactMap { site in Keys.sites[site].map { (site, $0.publicKey) } }),
      serverKey: Keys.server.publicKey)
  }

  static func encoding(_ sites: Int) -> EncodingParameters {
    EncodingParameters(
      sites: sites, samplesReference: 1000,
      scalars: [.weight, .samples, ScalarSpec(name: "box_loss", range: 64, isCount: false)])
  }

  /// `parameters` of 5 coordinates, `statistics` of 3 unless said otherwise.
  static func plan(
    _ count: Int, roster: RosterView, attempt: UInt32 = 1, parameters: Int = 5, statistics: Int = 3, minimumSurvivors: Int? = nil
  ) -> RoundPlan {
    let encoding = encoding(count)
    return RoundPlan(
      job: "garments", round: 7, attempt: attempt, roster: roster, sites: sites(count), minimumSurvivors: minimumSurvivors,
      weightsDigest: BLAKE2b.hash([1]), configurationDigest: BLAKE2b.hash([2]),
      sections: encoding.sections(parameters: parameters, statistics: statistics), mechanism: encoding.encoded())
  }

  /// Uniform ring elements: the masks must cancel for any input.
  static func input(_ plan: RoundPlan, seed: UInt64) -> [[UInt32]] {
    var random = SeededGenerator(seed: seed)
    return plan.sections.map { section in
      (0..<section.count).map { _ in Ring(bits: section.bits).reduce(UInt32(truncatingIfNeeded: random.next())) }
    }
  }

  /// The plain sum, by the obvious loop.
  static func sum(_ inputs: [[[UInt32]]], _ plan: RoundPlan) -> [[UInt32]] {
    plan.sections.enumerated().map { index, section in
      (0..<section.count).map { position in
        var total: UInt64 = 0
        for input in inputs { total += UInt64(input[index][position]) }
        return UInt32(total & (1 << UInt64(section.bits) - 1))
      }
    }
  }
}

final class World {
  enum Packet {
    case toSite(SiteID, [UInt8])
    case toServer(SiteID, [UInt8])
    case chunk(SiteID, [UInt8], index: Int, count: Int)
  }
  enum Outcome {
    case sum(RoundSum)
    case aborted(Refusal)
  }
  enum SiteEnd: Equatable {
    case completed
    case aborted(Refusal)
  }
  /// How a dead site is noticed.
  enum Notice { case vanished, deadline }

  let roster: RosterView
  let plan: RoundPlan
  let server: ServerSession
  var sites: [SiteID: SiteSession] = [:]
  var inputs: [SiteID: [[UInt32]]] = [:]
  var queue: [Packet] = []
  var head = 0

  var outcome: Outcome?
  var ends: [SiteID: SiteEnd] = [:]
  var siteActions: [SiteID: [SiteAction]] = [:]
  var refusals: [(SiteID, Refusal)] = []
  /// Everything that the server and the sites gave out; checked as it comes.
  var evidence: [Evidence] = []
  var accusations: [Evidence] { evidence.filter(\.isAccusation) }
  var dropped: [(SiteID, Phase, String)] = []
  var phases: [Phase] = []
  /// Everything that was sent, in order.
  var log: [(toSite: Bool, site: SiteID, bytes: [UInt8])] = []

  /// The phase whose answer a site does not give any more; it is dead from then on.
  var deathPhase: [SiteID: Phase] = [:]
  /// Dying in the input phase: after this many pieces.
  var piecesBeforeDeath = 0
  var notice = Notice.vanished
  /// Bytes of a piece of the payload.
  var pieceBytes = 7
  /// Inputs are handed in only when nothing else is left to do.
  var providesLate = false
  var toSite: (SiteID, MessageType?, [UInt8]) -> [[UInt8]] = { _, _, bytes in [bytes] }
  var toServer: (SiteID, MessageType?, [UInt8]) -> [[UInt8]] = { _, _, bytes in [bytes] }
  var consider: (SiteID, SiteSession) -> [SiteAction] = { _, session in session.accept() }
  /// Replaces a site's payload before it is cut into pieces.
  var payload: (SiteID, [UInt8]) -> [UInt8] = { _, payload in payload }

  init(
    _ count: Int, colluders: Int? = nil, attempt: UInt32 = 1, minimumHonest: Int? = nil, minimumSurvivors: Int? = nil,
    parameters: Int = 5, statistics: Int = 3, edit: (inout RoundPlan) -> Void = { _ in }
  ) throws {
    // Small cohorts leave room for few colluders: n_C = 1 from five sites on.
    let colluders = colluders ?? (count >= 5 ? 1 : 0)
    roster = Fixture.roster(count, colluders: colluders)
    var plan = Fixture.plan(
      count, roster: roster, attempt: attempt, parameters: parameters, statistics: statistics, minimumSurvivors: minimumSurvivors)
    edit(&plan)
    self.plan = plan
    server = try ServerSession(plan: plan, roster: roster, signingKey: Keys.server)
    for (index, site) in Fixture.sites(count).enumerated() {
      guard let key = Keys.sites[site] else { continue }
      sites[site] = SiteSession(
        site: site, identity: key, roster: roster, minimumHonest: minimumHonest ?? min(3, plan.honestMin))
      inputs[site] = Fixture.input(plan, seed: UInt64(100 + index))
    }
  }

  /// Runs until nothing moves any more; dead sites are noticed whenever the queue is empty.
  func run() {
    perform(server.start())
    while outcome == nil {
      drain()
      if outcome == nil, !noticeStall() { break }
    }
    drain()
  }

  func drain() {
    while let packet = next() { deliver(packet) }
  }

  func next() -> Packet? {
    guard head < queue.count else {
      queue.removeAll()
      head = 0
      return nil
    }
    head += 1
    return queue[head - 1]
  }

  /// Whether there was anything to notice.
  private func noticeStall() -> Bool {
    if providesLate {
      providesLate = false
      for site in sites.keys.sorted() { provide(site) }
      if !queue.isEmpty { return true }
    }
    let silent = server.expected.filter { !server.hasAnswered($0) }
    guard !silent.isEmpty else { return false }
    switch notice {
    case .vanished: for site in silent { perform(server.vanished(site)) }
    case .deadline: perform(server.deadlinePassed(server.phase))
    }
    return true
  }

  func deliver(_ packet: Packet) {
    switch packet {
    case .toSite(let site, let bytes): perform(sites[site]?.receive(bytes) ?? [], at: site)
    case .toServer(let site, let bytes): perform(server.receive(bytes, from: site))
    case .chunk(let site, let bytes, let index, let count):
      perform(server.receiveInput(chunk: bytes, index: index, of: count, from: site))
    }
  }

  func perform(_ actions: [ServerAction]) {
    for action in actions {
      switch action {
      case .send(let bytes, let site):
        log.append((true, site, bytes))
        for altered in toSite(site, type(of: bytes), bytes) { queue.append(.toSite(site, altered)) }
      case .refuse(let refusal, let site): refusals.append((site, refusal))
      case .evidence(let shown): take(shown)
      case .phase(let phase, _): phases.append(phase)
      case .dropped(let site, let phase, let reason): dropped.append((site, phase, reason))
      case .finished(let sum): outcome = .sum(sum)
      case .aborted(let refusal): outcome = .aborted(refusal)
      }
    }
  }

  /// [EV-05] Whoever reads it again finds it as it was, and true.
  private func take(_ shown: Evidence) {
    evidence.append(shown)
    #expect(throws: Never.self) {
      let read = try Evidence(decoding: shown.encoded())
      #expect(read == shown)
      let verdict = try read.check(roster)
      #expect(verdict.claim == shown.claim && verdict.culprit == shown.culprit && verdict.round == plan.round)
    }
  }

  func perform(_ actions: [SiteAction], at site: SiteID) {
    siteActions[site, default: []] += actions
    for action in actions {
      switch action {
      case .consider:
        guard let session = sites[site] else { continue }
        perform(consider(site, session), at: site)
        if !providesLate { provide(site) }
      case .send(let bytes): fromSite(site, bytes)
      case .persist: break
      case .sendInput(let header, let payload): sendInput(site, header, payload)
      case .evidence(let shown): take(shown)
      case .completed: ends[site] = .completed
      case .aborted(let refusal): ends[site] = .aborted(refusal)
      }
    }
  }

  private func provide(_ site: SiteID) {
    guard let session = sites[site], let input = inputs[site], session.phase != .done else { return }
    perform(session.provide(input: input), at: site)
  }

  private func isAlive(_ site: SiteID, for bytes: [UInt8]) -> Bool {
    guard let death = deathPhase[site] else { return true }
    guard let due = type(of: bytes)?.duePhase else { return false }
    return due < death
  }

  private func fromSite(_ site: SiteID, _ bytes: [UInt8]) {
    guard isAlive(site, for: bytes) else { return }
    log.append((false, site, bytes))
    for altered in toServer(site, type(of: bytes), bytes) { queue.append(.toServer(site, altered)) }
  }

  private func sendInput(_ site: SiteID, _ header: [UInt8], _ payload: [UInt8]) {
    let isDying = deathPhase[site] == .maskedInput && piecesBeforeDeath > 0
    guard isAlive(site, for: header) || isDying else { return }
    log.append((false, site, header))
    for altered in toServer(site, type(of: header), header) { queue.append(.toServer(site, altered)) }
    let bytes = self.payload(site, payload)
    let count = (bytes.count + pieceBytes - 1) / pieceBytes
    for index in 0..<count where !isDying || index < piecesBeforeDeath {
      let piece = Array(bytes[index * pieceBytes..<min((index + 1) * pieceBytes, bytes.count)])
      queue.append(.chunk(site, piece, index: index, count: count))
    }
  }

  func type(of bytes: [UInt8]) -> MessageType? { bytes.count > 1 ? MessageType(rawValue: bytes[1]) : nil }

  // MARK: What tests ask

  var sum: RoundSum? { if case .sum(let sum) = outcome { sum } else { nil } }
  var abortCode: RefusalCode? { if case .aborted(let refusal) = outcome { refusal.code } else { nil } }

  func code(_ site: SiteID) -> RefusalCode? { if case .aborted(let refusal) = ends[site] { refusal.code } else { nil } }
  func codes() -> Set<RefusalCode> { Set(sites.keys.compactMap(code)) }

  func plainSum(_ survivors: [SiteID]) -> [[UInt32]] { Fixture.sum(survivors.compactMap { inputs[$0] }, plan) }

  /// A message in the server's name.
  func serverMessage(_ body: some MessageBody) -> [UInt8] {
    SignedMessage(body, context: plan.context, sender: .server, key: Keys.server).bytes
  }

  /// A message in a site's name, by the site's own key.
  func siteMessage(_ body: some MessageBody, _ site: SiteID) -> SignedMessage {
    guard let key = Keys.sites[site] else { preconditionFailure("a site of the fixture") }
    return SignedMessage(body, context: plan.context, sender: site, key: key)
  }
}

extension Channel {
  /// The envelope from a dealer's own secret key: what `PairSecrets` computes in two steps.
  static func seal(
    _ plaintext: borrowing SecretBytes, from dealer: SiteID, to holder: SiteID, own: X25519.SecretKey, peer: X25519.PublicKey,
    context: [UInt8]
  ) throws -> [UInt8] {
    let shared = try own.sharedSecret(with: peer)
    let key = key(shared, from: dealer, to: holder, dealerKey: own.publicKey, holderKey: peer, context: context)
    return seal(plaintext, from: dealer, to: holder, key: key, context: context)
  }
}
