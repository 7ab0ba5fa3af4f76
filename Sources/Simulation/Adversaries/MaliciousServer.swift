// A server that runs the real code and lies on the wire, with the real server's key. With it collude as many sites as the roster's n_C
// allows: they follow the protocol, and it knows what they know.
import SecAgg
import Sodium

enum ServerPitfall: String, CaseIterable {
  case bothShares = "server-both-shares"
  case splitSurvivors = "server-split-survivors"
  case splitMasks = "server-split-masks"
  case forgedKeys = "server-forged-keys"
  case shrunkColluders = "server-shrunk-colluders"
  case fewSites = "server-two-sites"
  case otherModels = "server-other-models"
  case differencing = "server-differencing"
  case resend = "server-resend"
  case lateInput = "server-late-input"
  case replay = "server-replay"
  case fewSignatures = "server-few-signatures"
  case swappedEnvelopes = "server-swapped-envelopes"
  case hiddenSites = "server-hidden-sites"
  case twoGraphs = "server-two-graphs"
  case nonsense = "server-nonsense"

  var needsSparse: Bool { self == .twoGraphs }

  var what: String {
    switch self {
    case .bothShares: "asks for the other share of a survivor after it was given one"
    case .splitSurvivors: "shows half of the sites one survivor set and half another"
    case .splitMasks: "withholds acknowledgements from half of the sites, so that they would mask for another set"
    case .forgedKeys: "puts its own keys in the place of the sites'"
    case .shrunkColluders: "proposes fewer colluders, hence a lower threshold, than the roster says"
    case .fewSites: "invites two sites"
    case .otherModels: "shows half of the sites other weights"
    case .differencing: "repeats a round without one site after it had the sum"
    case .resend: "asks for everything twice"
    case .lateInput: "declares a site dead whose input it has"
    case .replay: "repeats messages of an earlier attempt"
    case .fewSignatures: "shows one signature fewer than the threshold"
    case .swappedEnvelopes: "swaps encrypted shares"
    case .hiddenSites: "hides sites from one another"
    case .twoGraphs: "fixes other commitments once it has seen a nonce"
    case .nonsense: "alters what it signs at random"
    }
  }
}

final class MaliciousServer: Adversary {
  let pitfall: ServerPitfall
  private var random: SeededRandom
  private var survivors: [SiteID: [UInt8]] = [:]
  private var old: [(SiteID, [UInt8])] = []
  private var hasFinished = false

  init(_ pitfall: ServerPitfall, seed: UInt64) {
    self.pitfall = pitfall
    random = SeededRandom(seed, "malicious server")
  }

  var name: String { pitfall.rawValue }
  var isServer: Bool { true }

  func colluders(of sites: [SiteID], _ options: SimulationOptions) -> Set<SiteID> {
    Set(sites.shuffled(using: &random).prefix(options.colludersOrDefault))
  }

  func attemptFinished(_ simulation: Simulation) {
    guard pitfall == .differencing, !hasFinished, let sum = simulation.sum,
      let victim = sum.survivors.first(where: { !simulation.monitor.colluders.contains($0) })
    else { return }
    hasFinished = true
    simulation.startAgain(without: victim)
  }

  func fromServer(_ bytes: [UInt8], to site: SiteID, _ simulation: Simulation) -> [[UInt8]] {
    let lie = { (body: any MessageBody) in simulation.serverMessage(body) }
    let isHalf = site.rawValue / 2 % 2 == 0
    let victim = simulation.order.first { !simulation.monitor.colluders.contains($0) }
    switch pitfall {
    case .bothShares:
      if let body = bytes.body(SurvivorsBody.self) {
        survivors[site] = lie(SurvivorsBody(headers: body.headers.dropLast(), whole: body.whole))
      }
      return bytes.messageType == .signatureList ? [bytes] + [survivors[site], bytes].compactMap { $0 } : [bytes]
    case .splitSurvivors:
      guard isHalf, let body = bytes.body(SurvivorsBody.self) else { return [bytes] }
      return [lie(SurvivorsBody(headers: body.headers.dropLast(), whole: body.whole.map { without($0) }))]
    case .splitMasks:
      guard isHalf, let body = bytes.body(AcknowledgementListBody.self) else { return [bytes] }
      let kept = Array(body.acknowledgements.dropLast(2))
      return [lie(AcknowledgementListBody(acknowledgements: kept, set: body.set.map { $0.dropLast() }))]
    case .forgedKeys:
      guard let body = bytes.body(KeyListBody.self) else { return [bytes] }
      return [lie(KeyListBody(keys: body.keys.map { forged($0, site, simulation) }, set: body.set))]
    case .shrunkColluders, .fewSites, .otherModels: return [changedPlan(bytes, isHalf, simulation) ?? bytes]
    case .differencing: return [bytes]
    case .resend: return [bytes, bytes]
    case .lateInput:
      guard site != victim, let victim, let body = bytes.body(SurvivorsBody.self), body.whole == nil else { return [bytes] }
      return [lie(SurvivorsBody(headers: body.headers.filter { $0.sender != victim }))]
    case .replay:
      let again = old.filter { $0.0 == site }.map(\.1)
      old.append((site, bytes))
      return again.isEmpty ? [bytes] : [again[Int(random.next() % UInt64(again.count))], bytes]
    case .fewSignatures:
      guard let body = bytes.body(SignatureListBody.self), let plan = simulation.plans.last else { return [bytes] }
      return [lie(SignatureListBody(signatures: Array(body.signatures.prefix(plan.threshold - 1))))]
    case .swappedEnvelopes:
      guard let body = bytes.body(ShareDeliveryBody.self) else { return [bytes] }
      return [lie(ShareDeliveryBody(headers: body.headers, envelopes: body.envelopes.reversed(), set: body.set))]
    case .hiddenSites:
      guard let body = bytes.body(KeyListBody.self), let last = body.keys.last(where: { $0.sender != site }) else { return [bytes] }
      return [lie(KeyListBody(keys: body.keys.filter { $0 != last }, set: body.set?.filter { $0 != last.sender }))]
    case .twoGraphs:
      guard bytes.messageType == .graphCommitments else { return [bytes] }
      return [bytes, lie(GraphCommitmentsBody(hash: random.bytes(32)))]
    case .nonsense: return random.happens(0.1) ? [altered(bytes, simulation) ?? bytes] : [bytes]
    }
  }

  private func without(_ whole: SurvivorsBody.Whole) -> SurvivorsBody.Whole {
    .init(sites: whole.sites.dropLast(), digests: whole.digests.dropLast())
  }

  private func forged(_ message: SignedMessage, _ site: SiteID, _ simulation: Simulation) -> SignedMessage {
    guard message.sender != site, let body = try? message.open(KeysBody.self) else { return message }
    let key = X25519.SecretKey().publicKey
    let mine = KeysBody(maskKey: key, channelKey: body.channelKey, graphSeed: body.graphSeed)
    return SignedMessage(mine, context: message.context, sender: message.sender, key: simulation.serverKey)
  }

  /// The plan as it is not.
  private func changedPlan(_ bytes: [UInt8], _ isHalf: Bool, _ simulation: Simulation) -> [UInt8]? {
    guard var plan = bytes.body(PlanBody.self)?.plan else { return nil }
    switch pitfall {
    case .shrunkColluders:
      plan.colluders = 0
      plan.threshold = RoundPlan.threshold(sites: plan.sites.count, colluders: 0)
    case .fewSites: plan.sites = Array(plan.sites.prefix(2))
    default:
      guard isHalf else { return nil }
      plan.weightsDigest[0] ^= 1
    }
    return SignedMessage(PlanBody(plan: plan), context: plan.context, sender: .server, key: simulation.serverKey).bytes
  }

  private func altered(_ bytes: [UInt8], _ simulation: Simulation) -> [UInt8]? {
    guard let message = try? SignedMessage(decoding: bytes), !message.body.isEmpty else { return nil }
    var body = message.body
    body[Int(random.next() % UInt64(body.count))] ^= 1 << UInt8(random.next() & 7)
    return SignedMessage(type: message.type, body: body, context: message.context, sender: .server, key: simulation.serverKey).bytes
  }
}

extension Simulation {
  /// A message in the server's name for the attempt that runs.
  func serverMessage(_ body: any MessageBody) -> [UInt8] {
    SignedMessage(body, context: plans.last?.context ?? [], sender: .server, key: serverKey).bytes
  }
}
