// One attempt at the server: a pure state machine (spec/03-phases.md, "The server"). A site may vanish in every phase; the
// attempt ends with the sum or with a named reason. Not thread-safe: one owner.
import Masking
import Sodium

public final class ServerSession {
  struct Received {
    let digest: [UInt8]
    /// For evidence; nil where it is long and what counts of it is kept elsewhere.
    let message: SignedMessage?
  }

  public let plan: RoundPlan
  /// ctx.
  public let context: [UInt8]
  let roster: RosterView
  private let signingKey: Ed25519.SigningKey

  /// How unmasking is spread over cores; the driver may set it.
  public var workers = Workers.serial

  /// Where inputs of so many bytes wait until they are whole: in memory, unless the driver says otherwise.
  public var makeSpool: (Int) -> any InputSpool = { MemorySpool(capacity: $0) }

  /// The phase whose answers are awaited.
  public internal(set) var phase = Phase.plan
  var isStarted = false
  /// Sites that were invited and have not been dropped.
  public internal(set) var live: Set<SiteID>
  /// Whom the current phase still waits for, and who has answered it.
  var awaited: Set<SiteID> = []
  var answered: Set<SiteID> = []
  /// Each site's first message of each type: a repetition is ignored, a different one refused.
  var received: [SiteID: [MessageType: Received]] = [:]
  /// The messages that the current phase collects.
  var collected: [SiteID: SignedMessage] = [:]
  /// Keys may come with the acceptance.
  var earlyKeys: [SiteID: SignedMessage] = [:]
  /// Who destroyed its shares unrevealed, in its own signed words.
  var destroyed: [SiteID: SignedMessage] = [:]
  /// The last message to each site, for whoever comes back.
  var lastSent: [SiteID: [UInt8]] = [:]
  /// Who was dropped, when, and why: for the reason of an abort.
  var drops: [SiteID: (phase: Phase, reason: String)] = [:]

  // Sets, as they become fixed.
  /// Of the sparse graph: who accepted, with their commitments.
  var commitments: [SiteID: [UInt8]] = [:]
  var nonceBreaker: SiteID?
  var scope: Scope
  var seenKeys: [X25519.PublicKey: SiteID] = [:]
  var keyList: KeyList?
  var dealt: [SiteID: DealtShares] = [:]
  var envelopes: [SiteID: [[UInt8]]] = [:]
  var dealerList: DealerList?
  var maskSet: MaskSet?
  var survivorSet: SurvivorSet?

  // Inputs: the running sum, and buffers only for those that are still arriving.
  var uploads: [SiteID: Upload] = [:]
  var inputs: [SiteID: SignedMessage] = [:]
  var sum: [[UInt32]]
  var signatures: [SiteID: SignedMessage] = [:]
  /// Checked against the dealers' hashes.
  var reveals: [SiteID: RevealBody] = [:]

  /// - Throws: the refusal of a plan that no site would accept, SA-05 for a key that is not the roster's server key.
  public init(plan: RoundPlan, roster: RosterView, signingKey: Ed25519.SigningKey) throws(Refusal) {
    try plan.validate(against: roster)
    guard signingKey.publicKey == roster.serverKey else {
      throw Refusal(.wrongSender, "the signing key is not the roster's server key")
    }
    self.plan = plan
    context = plan.context
    self.roster = roster
    self.signingKey = signingKey
    live = Set(plan.sites)
    awaited = live
    let graph = MaskGraph(complete: plan)
    scope = Scope(plan: plan, context: context, roster: roster, graph: graph, viewer: nil)
    sum = plan.sections.map { [UInt32](repeating: 0, count: $0.count) }
  }

  /// Sends the plan to U0; once.
  public func start() -> [ServerAction] {
    guard !isStarted else { return [] }
    isStarted = true
    return send(PlanBody(plan: plan), to: plan.sites) + [.phase(.plan, waitingFor: plan.sites)]
  }

  /// Takes a message; `site` is who the connection proved to be. Never traps; a site that breaks a rule is refused and dropped.
  public func receive(_ message: [UInt8], from site: SiteID) -> [ServerAction] {
    guarded(site, message) { () throws(Refusal) in try process(SignedMessage(decoding: message), site) }
  }

  /// A piece of the payload whose header message came before; in order from 0, all of one `count`.
  public func receiveInput(chunk: [UInt8], index: Int, of count: Int, from site: SiteID) -> [ServerAction] {
    guarded(site, nil) { () throws(Refusal) in try processChunk(chunk, index: index, of: count, site) }
  }

  /// Repeats what the site has not answered.
  public func reconnected(_ site: SiteID) -> [ServerAction] {
    guard isStarted, plan.invites(site) else { return [] }
    guard live.contains(site) else { return [.refuse(lateness(of: site), to: site)] }
    // A half-sent payload begins anew: the new connection starts with its header.
    uploads[site] = nil
    guard awaited.contains(site) || phase == .done, let message = lastSent[site] else { return [] }
    return [.send(message, to: site)]
  }

  /// The driver gave up on the site: it is dropped from now on. An input that is complete stays in the sum.
  public func vanished(_ site: SiteID) -> [ServerAction] {
    guard isStarted, phase != .done, live.contains(site) else { return [] }
    return drop(site, "the connection was lost (the server's word)") + advance()
  }

  /// Whoever has not answered `phase` is dropped and told; ignored where that phase is over.
  public func deadlinePassed(_ phase: Phase) -> [ServerAction] {
    guard isStarted, phase == self.phase, phase != .done else { return [] }
    var actions: [ServerAction] = []
    for site in awaited.sorted() {
      let refusal = Refusal(.silent, "no answer in phase \(phase) before its deadline")
      actions += send(RefusalBody(refusal), to: [site]) + drop(site, "\(refusal.reason) (the server's word)")
    }
    return actions + advance()
  }

  /// Ends the attempt from outside (the server shuts down, the job is closed).
  public func cancel(_ refusal: Refusal) -> [ServerAction] { phase == .done ? [] : abort(refusal) }

  // MARK: Inside

  private func guarded(_ site: SiteID, _ message: [UInt8]?, _ body: () throws(Refusal) -> [ServerAction]) -> [ServerAction] {
    guard isStarted, plan.invites(site) else {
      return [.refuse(Refusal(.wrongSender, "\(site) was not invited to this attempt"), to: site)]
    }
    if let message, let shown = destroyed(message, site) { return shown }
    guard live.contains(site) else { return [.refuse(lateness(of: site), to: site)] }
    do throws(Refusal) { return try body() } catch {
      let shown = message.map { evidence(of: error, site, $0) } ?? []
      guard phase != .done else { return shown + [.refuse(error, to: site)] }
      if error.code == .badNonce { nonceBreaker = site }
      let named = error.culprit == nil ? Refusal(error.code, error.reason, culprit: site) : error
      return shown + [.refuse(named, to: site)] + drop(site, "\(error.code.rawValue): \(error.reason)") + advance()
    }
  }

  private func lateness(of site: SiteID) -> Refusal {
    let drop = drops[site]
    return Refusal(.late, "dropped in phase \(drop?.phase ?? phase): \(drop?.reason ?? "")")
  }

  func send(_ body: some MessageBody, to sites: [SiteID]) -> [ServerAction] {
    let message = SignedMessage(body, context: context, sender: .server, key: signingKey).bytes
    return sites.map { site in
      lastSent[site] = message
      return .send(message, to: site)
    }
  }

  func drop(_ site: SiteID, _ reason: String) -> [ServerAction] {
    live.remove(site)
    uploads[site] = nil
    lastSent[site] = nil
    drops[site] = (phase, reason)
    awaited.remove(site)
    // What a vanished site sent before counts from its input on.
    if phase < .maskedInput, phase != .graph { answered.remove(site) }
    return [.dropped(site, phase, reason: reason)]
  }

  /// Ends without a sum, tells whoever is left, and names everybody who was dropped on the way.
  func abort(_ refusal: Refusal) -> [ServerAction] {
    let gone = drops.sorted { $0.key < $1.key }
      .map { "\($0.key) in phase \($0.value.phase): \($0.value.reason)" }.joined(separator: "; ")
    let named = gone.isEmpty ? refusal : Refusal(refusal.code, "\(refusal.reason). Dropped: \(gone)", culprit: refusal.culprit)
    let told = send(RefusalBody(named), to: live.sorted())
    phase = .done
    uploads = [:]
    sum = []
    reveals = [:]
    envelopes = [:]
    collected = [:]
    return told + [.aborted(named)]
  }
}
