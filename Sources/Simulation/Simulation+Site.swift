// A site of a simulation carries out what its session asks for, in order, each record before what follows it; it may crash between any two.
import Federation
import Participant
import SecAgg

extension Simulation {
  func receive(_ bytes: [UInt8], at site: SimulatedSite) {
    if let plan = SiteSession.plan(in: bytes, roster: roster), plan.context != site.plan?.context {
      let next = SiteSession(
        site: site.id, identity: site.key, roster: roster, minimumHonest: minimumHonest(plan),
        random: .seeded(options.seed, site: site.id, attempt: plan.attempt, generation: site.generation))
      next.workers = options.workers
      guard site.journal.attempt(context: plan.context) == nil else {
        // A context from before a restart gets its refusal and touches nothing.
        let actions = next.receive(bytes)
        return perform(actions, site, next, plan)
      }
      _ = site.session?.refuse(Refusal(.over, "another attempt began"))
      site.session = next
      site.plan = plan
      site.isTrained = false
      site.isProvided = false
      let actions = meter.site(.plan) { next.receive(bytes) }
      return perform(actions, site, next, plan)
    }
    guard let session = site.session, let plan = site.plan, session.phase != .done else {
      if site.session == nil { fromSite(.goodbye, site) }
      return
    }
    let actions = meter.site(session.phase) { session.receive(bytes) }
    perform(actions, site, session, plan)
    offerUpload(site)
  }

  /// What the simulated sites insist on: three honest ones, or what so few sites can have.
  private func minimumHonest(_ plan: RoundPlan) -> Int {
    max(1, min(3, RoundPlan.threshold(sites: options.sites, colluders: roster.colluders) - roster.colluders))
  }

  private func perform(_ actions: [SiteAction], _ site: SimulatedSite, _ session: SiteSession, _ plan: RoundPlan) {
    for action in actions {
      if random.happens(options.faults.siteCrash), !monitor.colluders.contains(site.id) { return crash(site) }
      switch action {
      case .consider(let plan): consider(plan, site, session)
      case .persist(let record):
        guard site.persist(record, job: job) else {
          // What the record was to permit must not happen.
          let words = session.refuse(Refusal(.policy, "the site's journal does not permit it"))
          for case .send(let bytes) in words { send(bytes, site) }
          return
        }
      case .send(let bytes): send(bytes, site)
      case .sendInput(let header, let payload): sendInput(header, payload, site, plan)
      case .evidence(let evidence): monitor.accused(evidence, roster, serverIsHonest: adversary?.isServer != true)
      case .completed, .aborted: endUpload(site.id)
      }
      if case .persist(.contextUsed) = action {
        events.add(
          .trained(site.id, generation: site.generation, context: plan.context), at: now + 1_000_000 + random.next() % 3_000_000)
      }
    }
  }

  private func consider(_ plan: RoundPlan, _ site: SimulatedSite, _ session: SiteSession) {
    let actions: [SiteAction]
    do throws(Refusal) {
      let kept = site.kept.flatMap { $0.round == plan.round && $0.weights == plan.weightsDigest ? $0.mechanism : nil }
      let permission = try gate.consider(plan, job: job, journal: site.journal, keptMechanism: kept, minute: 720)
      actions = meter.site(.plan) { session.accept(onlySurvivors: permission.onlySurvivors) }
    } catch {
      actions = session.refuse(error)
    }
    perform(actions, site, session, plan)
  }

  private func send(_ bytes: [UInt8], _ site: SimulatedSite) {
    monitor.siteSends(bytes, site)
    fromSite(.message(bytes), site)
  }

  /// The update is there and the session has its U2: the upload may begin, when it is its turn.
  func offerUpload(_ site: SimulatedSite) {
    guard site.isTrained, !site.isProvided, let session = site.session, session.phase == .maskedInput, site.connection != nil,
      !waitingToUpload.contains(site.id)
    else { return }
    waitingToUpload.append(site.id)
    pumpUploads()
  }

  private func pumpUploads() {
    while uploading.count < Self.uploadsMax, !waitingToUpload.isEmpty {
      let id = waitingToUpload.removeFirst()
      guard let site = sites[id], let session = site.session, let plan = site.plan, session.phase == .maskedInput, !site.isProvided,
        site.isTrained
      else { continue }
      site.isProvided = true
      uploading.insert(id)
      let kept = site.kept.flatMap { $0.mechanism == plan.mechanism && $0.weights == plan.weightsDigest ? $0 : nil }
      // Training again in another process, or for another mechanism, gives other integers.
      let draw = SeededRandom.draw(options.seed, "input", UInt64(id.rawValue), UInt64(site.generation), UInt64(plan.sites.count))
      let input = kept ?? .init(round: plan.round, weights: plan.weightsDigest, mechanism: plan.mechanism, seed: draw)
      site.kept = input
      let roots = SiteRandom.noiseRoots(
        options.seed, site: id, attempt: plan.attempt, generation: site.generation, count: plan.removableComponents)
      monitor.provides(site, plan, seed: input.seed, noiseRoots: roots)
      let words = SimulatedInput.sections(plan, seed: input.seed)
      let actions = meter.site(.maskedInput) { session.provide(input: words) }
      perform(actions, site, session, plan)
    }
  }

  func endUpload(_ id: SiteID) {
    waitingToUpload.removeAll { $0 == id }
    guard uploading.remove(id) != nil else { return }
    // Without faults nothing is sent twice, and a thousand kept inputs would be gigabytes.
    if options.faults == .none { sites[id]?.session?.forgetInput() }
    pumpUploads()
  }

  private func sendInput(_ header: [UInt8], _ payload: [UInt8], _ site: SimulatedSite, _ plan: RoundPlan) {
    monitor.siteSendsInput(header, payload, site, plan)
    fromSite(.message(header), site)
    let count = (payload.count + options.pieceBytes - 1) / options.pieceBytes
    for index in 0..<count {
      let piece = Array(payload[index * options.pieceBytes..<min((index + 1) * options.pieceBytes, payload.count)])
      fromSite(.piece(piece, index: index, count: count), site)
    }
  }

  private func crash(_ site: SimulatedSite) {
    disconnect(site.id)
    site.crash()
    events.add(.siteStarts(site.id), at: now + 1_000_000 + random.next() % 20_000_000)
  }
}
