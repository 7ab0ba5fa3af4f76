// Inside an attempt: events of the transport go into the protocol's session, what it asks for is carried out, every wait has its deadline.
import Federation
import SecAgg
import Transport
import TransportServer

extension RoundDriver {
  /// How often a site may ask for the weights in one attempt: once, and again after each of a few broken connections.
  private static let weightsRequestsMax = 16
  /// Rules that only a faulty or hostile program breaks: its session is ended. Lateness and silence are no such thing.
  private static let hostile: Set<RefusalCode> = [
    .malformed, .badSignature, .wrongSender, .equivocation, .badInput, .inputDigest, .inputShape, .bothShares, .wrongShare,
  ]

  /// Takes what the transport reports.
  public func handle(_ event: ServerEvent) {
    if case .ended = state { return }
    switch event {
    case .connected(let site): siteConnected(site)
    case .disconnected(let site, let error): siteDisconnected(site, error)
    case .frame(let site, let frame): take(frame, from: site)
    }
  }

  private func siteConnected(_ site: UInt32) {
    guard setup.roster.siteKeys[SiteID(site)] != nil else { return hub.refuse(site, code: "SA-11", reason: "not in the roster") }
    connected.insert(site)
    try? hub.send(.welcome(job: setup.plan.name, configuration: configuration), to: site)
    events.write("site_connected", ["site": .integer(Int(site)), "name": .text(name(site))])
    if case .running(let attempt) = state, attempt.counts(on: site) {
      attempt.graceTimers.removeValue(forKey: site)?()
      perform(attempt.session.reconnected(SiteID(site)), in: attempt)
    } else {
      tryToStart()
    }
  }

  private func siteDisconnected(_ site: UInt32, _ error: TransportError?) {
    guard connected.remove(site) != nil else { return }
    transfers.removeValue(forKey: site)?.task.cancel()
    let reason = error?.reason ?? "the site closed the connection"
    events.write("site_disconnected", ["site": .integer(Int(site)), "name": .text(name(site)), "reason": .text(reason)])
    guard case .running(let attempt) = state, attempt.counts(on: site) else { return }
    let context = attempt.context
    attempt.graceTimers[site] = timers.schedule(setup.settings.reconnectGrace) { [weak self] in
      await self?.graceEnded(site, context: context)
    }
  }

  private func graceEnded(_ site: UInt32, context: [UInt8]) {
    guard case .running(let attempt) = state, attempt.context == context, attempt.graceTimers.removeValue(forKey: site) != nil else {
      return
    }
    perform(attempt.session.vanished(SiteID(site)), in: attempt)
  }

  private func take(_ frame: SiteFrame, from site: UInt32) {
    guard connected.contains(site) else { return }
    if case .weightsRequest(let digest) = frame { return serveWeights(digest, to: site) }
    if case .message(let bytes) = frame, let ended, ServerSession.context(of: bytes) == ended.context {
      // An attempt that is over: that a site's shares are gone still counts, nothing else does.
      guard (try? SignedMessage(decoding: bytes))?.type == .destroyed else { return }
      for case .evidence(let evidence) in ended.session.receive(bytes, from: SiteID(site)) { keep(evidence, ended) }
      return
    }
    guard case .running(let attempt) = state, attempt.plan.sites.contains(SiteID(site)) else { return }
    switch frame {
    case .message(let bytes):
      if let context = ServerSession.context(of: bytes), context != attempt.context, journal.knows(context: context) {
        return logger.debug("\(name(site)) sent a message of an earlier attempt")
      }
      attempt.spoken.insert(site)
      attempt.record.received(bytes.count, from: site)
      perform(attempt.session.receive(bytes, from: SiteID(site)), in: attempt)
    case .inputChunk(let index, let count, let bytes):
      // Pieces name no attempt; without a message of this one before them they follow a header of another.
      guard attempt.spoken.contains(site) else { return }
      attempt.record.received(bytes.count, from: site)
      let actions = attempt.session.receiveInput(chunk: bytes, index: Int(index), of: Int(count), from: SiteID(site))
      let refused = actions.contains { if case .refuse(_, let to) = $0 { to == SiteID(site) } else { false } }
      if index + 1 == count, !refused, attempt.counts(on: site), attempt.record.inputComplete(from: site) {
        write("input_received", attempt, ["site": .integer(Int(site)), "bytes": .integer(attempt.plan.payloadBytes)])
      }
      perform(actions, in: attempt)
    case .goodbye(let reason):
      logger.notice("\(name(site)) leaves the attempt: \(reason)")
      if attempt.counts(on: site) { perform(attempt.session.vanished(SiteID(site)), in: attempt) }
    case .hello, .weightsRequest: break
    }
  }

  /// Carries out what the session asks for, in order, as long as its attempt goes on.
  func perform(_ actions: [ServerAction], in attempt: RunningAttempt) {
    guard pay(for: attempt, before: actions) else { return }
    for action in actions {
      guard case .running(let current) = state, current === attempt else { return }
      switch action {
      case .send(let bytes, let site):
        attempt.record.sent(bytes.count, to: site.rawValue)
        // A site that is not connected gets it again when it comes back.
        try? hub.send(.message(bytes), to: site.rawValue)
      case .refuse(let refusal, let site):
        logger.warning("\(name(site.rawValue)) is refused: \(refusal.reason)", metadata: ["code": "\(refusal.code.rawValue)"])
        if Self.hostile.contains(refusal.code) { hub.refuse(site.rawValue, code: refusal.code.rawValue, reason: refusal.reason) }
      case .evidence(let evidence): keep(evidence, attempt)
      case .phase(let phase, let sites): entered(phase, waitingFor: sites, in: attempt)
      case .dropped(let site, let phase, let reason):
        attempt.dropped.insert(site)
        attempt.graceTimers.removeValue(forKey: site.rawValue)?()
        write(
          "site_dropped", attempt,
          [
            "site": .integer(Int(site.rawValue)), "name": .text(name(site.rawValue)), "phase": .text(phase.eventName),
            "reason": .text(reason),
          ])
      case .finished(let sum): finish(attempt, sum)
      case .aborted(let refusal): abort(attempt, refusal)
      }
    }
  }

  private func keep(_ evidence: Evidence, _ attempt: RunningAttempt) {
    do {
      let folder = EvidenceFolder(stateDirectory: setup.stateDirectory)
      guard let kept = try folder.keep(evidence, setup.roster) else {
        return logger.error("\(folder.path(of: evidence)) is full: evidence is not kept")
      }
      try refund(kept.verdict, attempt)
      logger.log(
        level: evidence.isAccusation ? .error : .info, "\(kept.verdict.finding)",
        metadata: ["code": "\(kept.verdict.claim.rawValue)", "evidence": "\(kept.path)"])
      write(
        evidence.isAccusation ? "evidence" : "unopened", attempt,
        [
          "site": kept.verdict.culprit.map { .integer(Int($0.rawValue)) } ?? .null, "code": .text(kept.verdict.claim.rawValue),
          "finding": .text(kept.verdict.finding), "file": .text(kept.path),
        ])
    } catch { logger.error("evidence is not kept: \(error)") }
  }

  private func entered(_ phase: Phase, waitingFor sites: [SiteID], in attempt: RunningAttempt) {
    attempt.record.entered(phase)
    attempt.phaseTimer?()
    attempt.phaseTimer = nil
    write("phase", attempt, ["phase": .text(phase.eventName), "waiting_for": list(sites)])
    guard phase != .done else { return }
    let context = attempt.context
    let deadline = setup.settings.deadline(phase, isCensus: attempt.kind == .census)
    attempt.phaseTimer = timers.schedule(deadline) { [weak self] in await self?.deadlinePassed(phase, context: context) }
  }

  private func deadlinePassed(_ phase: Phase, context: [UInt8]) {
    guard case .running(let attempt) = state, attempt.context == context else { return }
    perform(attempt.session.deadlinePassed(phase), in: attempt)
  }

  private func write(_ event: String, _ attempt: RunningAttempt, _ fields: [String: EventValue]) {
    let all = fields.merging(["round": .integer(Int(attempt.plan.round)), "attempt": .integer(Int(attempt.plan.attempt))]) { $1 }
    events.write(event, all)
  }
}

extension RoundDriver {
  /// Sends the current weights in pieces, off this actor and at the pace of the site; one transfer a site.
  private func serveWeights(_ digest: [UInt8], to site: UInt32) {
    guard digest == weights.digest, transfers[site] == nil else { return }
    if case .running(let attempt) = state {
      attempt.weightsRequests[site, default: 0] += 1
      guard attempt.weightsRequests[site, default: 0] <= Self.weightsRequestsMax else { return }
    }
    transferCount += 1
    let (id, bytes, hub, size) = (transferCount, weights.bytes, hub, setup.settings.chunkBytes)
    let task = Task.detached { [weak self] in
      var sent = 0
      let count = UInt32(Chunking.count(bytes: bytes.count, size: size))
      for index in 0..<count {
        let begin = Int(index) * size
        let piece = Array(bytes[begin..<min(begin + size, bytes.count)])
        do {
          try Task.checkCancellation()
          try await hub.sendPaced(.weightsChunk(digest: digest, index: index, count: count, bytes: piece), to: site)
        } catch {
          break
        }
        sent += piece.count
      }
      await self?.transferEnded(id, site, bytes: sent)
    }
    transfers[site] = (id, task)
  }

  private func transferEnded(_ id: UInt64, _ site: UInt32, bytes: Int) {
    if transfers[site]?.id == id { transfers[site] = nil }
    if case .running(let attempt) = state, attempt.plan.sites.contains(SiteID(site)) { attempt.record.sent(bytes, to: site) }
  }
}
