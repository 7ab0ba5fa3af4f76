// The server of a simulation: the real session, phase deadlines in virtual time, another attempt when one fails.
import SecAgg

extension Simulation {
  private static let deadline: UInt64 = 60_000_000
  private static let grace: UInt64 = 10_000_000

  func startAttempt() {
    guard outcome == nil, session == nil || session?.phase == .done else { return }
    guard attempt < options.attemptsMax else { return giveUp("all \(options.attemptsMax) attempts failed") }
    let present = order.filter { sites[$0]?.connection != nil && !excluded.contains($0) }
    attempt += 1
    uploading = []
    waitingToUpload = []
    let next = plan(inviting: present)
    do throws(Refusal) {
      let session = try ServerSession(plan: next, roster: roster, signingKey: serverKey)
      session.workers = options.workers
      self.session = session
      plans.append(next)
      monitor.begin(next)
      perform(meter.server(.plan) { session.start() })
    } catch {
      outcome = .aborted(error.code, reason: "\(present.count) sites are there: \(error.reason)")
    }
  }

  private func giveUp(_ reason: String) { outcome = outcome ?? .aborted(lastAbort?.code ?? .over, reason: lastAbort?.reason ?? reason) }

  func receive(_ packet: Packet, from id: SiteID) {
    guard let session else { return }
    if random.happens(options.faults.serverCrash), session.phase != .done { return crashServer() }
    let actions: [ServerAction]
    switch packet {
    case .message(let bytes):
      // What belongs to an attempt before is set aside, as the coordinator does.
      if let context = ServerSession.context(of: bytes), context != session.context, plans.contains(where: { $0.context == context }) {
        return
      }
      adversary?.serverReceived(bytes, from: id, self)
      actions = meter.server(session.phase) { session.receive(bytes, from: id) }
    case .piece(let bytes, let index, let count):
      actions = meter.server(session.phase) { session.receiveInput(chunk: bytes, index: index, of: count, from: id) }
      if index == count - 1 { endUpload(id) }
    case .goodbye: actions = meter.server(session.phase) { session.vanished(id) }
    }
    perform(actions)
  }

  /// The process is gone, and with it the attempt; the sites' connections break.
  private func crashServer() {
    session = nil
    for id in order { disconnect(id) }
    events.add(.serverStarts, at: now + 5_000_000)
  }

  func perform(_ actions: [ServerAction]) {
    for action in actions {
      switch action {
      case .send(let bytes, let id): fromServer(bytes, to: id)
      case .refuse(let refusal, let id):
        // What only a faulty program sends ends the session, as the coordinator does it.
        if refusal.code != .late { disconnect(id) }
      case .phase(let phase, _):
        events.add(.deadline(attempt: attempt, phase), at: now + Self.deadline)
        for (id, doom) in doomed where doom == phase && sites[id]?.connection != nil { vanish(id) }
      case .evidence(let evidence): monitor.accused(evidence, roster, serverIsHonest: adversary?.isServer != true)
      case .dropped(let id, let phase, _): dropped[id] = phase
      case .finished(let sum): finish(sum)
      case .aborted(let refusal): aborted(refusal)
      }
    }
  }

  private func aborted(_ refusal: Refusal) {
    lastAbort = refusal
    if let culprit = refusal.culprit { excluded.insert(culprit) }
    // An honest site is never named as the one who broke a rule, unless its bytes were altered on their way.
    if let culprit = refusal.culprit, options.faults.corrupt == 0, !monitor.colluders.contains(culprit), adversary?.isServer != true {
      monitor.violate("site \(culprit.rawValue) is honest and was named: \(refusal.code.rawValue) \(refusal.reason)")
    }
    events.add(.attemptStarts, at: now + 1_000_000)
  }

  private func finish(_ sum: RoundSum) {
    guard let plan = plans.last else { return }
    self.sum = sum
    let seeds = sum.survivors.compactMap { monitor.inputSeed(of: $0, context: plan.context) }
    guard seeds.count == sum.survivors.count else { return monitor.violate("a survivor whose input nobody saw leave") }
    var expected = SimulatedInput.sum(plan, seeds: seeds)
    let noise = sum.survivors.map { ($0, monitor.noiseRoots(of: $0, context: plan.context)) }
    RemovableComponents.add(noise, missing: plan.sites.count - sum.survivors.count, plan, to: &expected)
    let isRight = expected == sum.sections
    isSumCorrect = isRight
    if !isRight { monitor.violate("a wrong sum over \(sum.survivors.count) sites was released as right") }
    monitor.finished(sum, plan)
    outcome = .sum(survivors: sum.survivors.count)
    adversary?.attemptFinished(self)
  }

  /// Another attempt on the same weights after a sum: only an adversary wants it.
  func startAgain(without site: SiteID) {
    excluded.insert(site)
    outcome = nil
    isSumCorrect = nil
    events.add(.attemptStarts, at: now + 1_000_000)
  }

  /// A connection that broke: the server waits for a while.
  func disconnect(_ id: SiteID) {
    guard let site = sites[id], site.connection != nil else { return }
    site.connection = nil
    endUpload(id)
    events.add(.graceOver(id, connection: site.connections), at: now + Self.grace)
    guard site.isUp, doomed[id] == nil || dropped[id] == nil else { return }
    events.add(.connected(id), at: now + 100_000 + random.next() % 14_000_000)
  }

  /// Gone for good.
  private func vanish(_ id: SiteID) {
    guard let site = sites[id] else { return }
    site.connection = nil
    site.isUp = false
    endUpload(id)
    events.add(.graceOver(id, connection: site.connections), at: now + Self.grace)
  }
}
