// One attempt at one site: a pure state machine (spec/03-phases.md, "The site"). A message goes in, actions come out. The
// server is not trusted: whatever it says is checked against the other sites' own signatures. Not thread-safe: one owner.
import Masking
import Sodium

public final class SiteSession {
  /// How far the plan got; the later phases are `phase`.
  enum PlanStage { case awaited, considered, accepted }

  /// What was received of one type, and the answer that a repetition gets: identical bytes, nothing computed anew.
  struct Answer {
    /// BLAKE2b of the message.
    let digest: [UInt8]
    /// Where two different ones would be evidence; others may be long, and only their identity counts.
    let message: SignedMessage?
    var actions: [SiteAction]

    init(_ message: SignedMessage, keeps: Bool, actions: [SiteAction] = []) {
      digest = BLAKE2b.hash(message.bytes)
      self.message = keeps ? message : nil
      self.actions = actions
    }
  }

  let site: SiteID
  let identity: Ed25519.SigningKey
  let roster: RosterView
  let minimumHonest: Int
  let random: SiteRandom

  /// How masking is spread over cores; the driver may set it.
  public var workers = Workers.serial

  /// The phase whose next message of the server is awaited.
  public internal(set) var phase = Phase.plan
  public internal(set) var plan: RoundPlan?
  /// ctx, once there is a plan.
  public internal(set) var context: [UInt8]?
  var planStage = PlanStage.awaited
  var answers: [MessageType: Answer] = [:]
  /// The only U3 that may be signed, where the driver says so.
  var onlySurvivors: [SiteID]?

  // Round secrets: in memory only, destroyed as soon as their last use is over.
  var secrets: SiteSecrets?
  var pairs: [SiteID: PairSecrets] = [:]
  var heldShares: HeldShares?
  /// The quantised update, until it is masked.
  var plainInput: [[UInt32]]?
  var isInputProvided = false

  // Public views, as they become fixed.
  var commitmentList: [UInt8]?
  var scope: Scope?
  var ownKeys: SignedMessage?
  /// Settable for the simulator's lying dealers.
  package var ownHeaders: [SignedMessage] = []
  var ownAcknowledgement: SignedMessage?
  var ownInput: SignedMessage?
  var keyList: KeyList?
  var dealerList: DealerList?
  var maskSet: MaskSet?
  var survivorSet: SurvivorSet?

  #if SECAGG_ORACLE
    /// The unmasked input, in test builds only: the sum is compared with the plain sum bit for bit.
    public private(set) var unmaskedInput: [[UInt32]]?
  #endif

  /// - Parameters:
  ///   - site: this site's index in `roster`.
  ///   - identity: the protocol key that the roster names for it.
  ///   - minimumHonest: the site refuses a plan unless so many honest sites are in every sum (t − n_C; SG-09).
  public convenience init(site: SiteID, identity: Ed25519.SigningKey, roster: RosterView, minimumHonest: Int = 3) {
    self.init(site: site, identity: identity, roster: roster, minimumHonest: minimumHonest, random: .system)
  }

  package init(site: SiteID, identity: Ed25519.SigningKey, roster: RosterView, minimumHonest: Int, random: SiteRandom) {
    precondition(roster.siteKeys[site] == identity.publicKey, "the identity is the roster's key of this site")
    self.site = site
    self.identity = identity
    self.roster = roster
    self.minimumHonest = minimumHonest
    self.random = random
  }

  /// The plan in a message, where it is one that the roster's server signed: how a driver sees that a new attempt begins.
  public static func plan(in message: [UInt8], roster: RosterView) -> RoundPlan? {
    guard let message = try? SignedMessage(decoding: message), message.sender == .server,
      let plan = try? message.open(PlanBody.self).plan, (try? message.verify(roster)) != nil,
      message.context == plan.context
    else { return nil }
    return plan
  }

  /// Takes a message of the server. Never traps; a bad message ends the attempt for this site.
  public func receive(_ message: [UInt8]) -> [SiteAction] {
    guard phase != .done else { return [] }
    do throws(Refusal) { return try process(SignedMessage(decoding: message)) } catch {
      return evidence(of: error, message) + abort(error)
    }
  }

  /// Answers `.consider`.
  /// - Parameter survivors: the only U3 that may be signed, where an earlier attempt on the same weights bound the site to it.
  public func accept(onlySurvivors survivors: [SiteID]? = nil) -> [SiteAction] {
    guard phase == .plan, planStage == .considered, let context else { return [] }
    onlySurvivors = survivors
    return acceptPlan(context)
  }

  /// Answers `.consider`, or ends the attempt at any later time.
  public func refuse(_ refusal: Refusal) -> [SiteAction] { phase == .done ? [] : abort(refusal) }

  /// Hands in the quantised update: one array a section, every word below 2^b. At any time after `accept`, once: y is fixed.
  public func provide(input sections: [[UInt32]]) -> [SiteAction] {
    guard phase != .done else { return [] }
    do throws(Refusal) {
      guard let plan, planStage == .accepted else { throw Refusal(.unexpected, "an input before the plan was accepted") }
      guard !isInputProvided else { throw Refusal(.inputAgain, "the input of an attempt is given once") }
      guard sections.count == plan.sections.count,
        zip(sections, plan.sections).allSatisfy({ $0.count == $1.count && Ring(bits: $1.bits).contains($0) })
      else { throw Refusal(.badInput, "the input does not have the plan's sections") }
      isInputProvided = true
      plainInput = sections
      #if SECAGG_ORACLE
        unmaskedInput = sections
      #endif
      return try sendInputIfReady()
    } catch { return abort(error) }
  }

  /// The driver will not be asked for the input again: its bytes may go.
  package func forgetInput() {
    answers[.acknowledgementList]?.actions = []
    #if SECAGG_ORACLE
      unmaskedInput = nil
    #endif
  }

  /// Whose shares of `dealer` there can be, once the graph is known.
  package func holders(of dealer: SiteID) -> [SiteID]? { scope?.graph.holders(of: dealer) }

  // MARK: Inside

  private func process(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    guard message.sender == .server else { throw Refusal(.wrongSender, "a message that does not name the server as its sender") }
    if let context { try message.expect(context: context) }
    try message.verify(roster)
    if message.type == .refusal { return end(try message.open(RefusalBody.self).refusal) }
    guard let due = message.type.awaitedPhase else { throw Refusal(.unexpected, "a \(message.type.name) message is never for a site") }
    if let answer = answers[message.type] {
      guard answer.digest == BLAKE2b.hash(message.bytes) else {
        throw Refusal(.equivocation, "the server signed two different \(message.type.name) messages for one attempt")
      }
      return answer.actions
    }
    guard due == phase, due != .plan || planStage == .awaited else {
      throw Refusal(.unexpected, "a \(message.type.name) message in phase \(phase)")
    }
    let actions = try handle(message)
    // What was journalled is not journalled again when the same message comes again.
    let repeated = actions.filter { if case .persist = $0 { false } else if case .consider = $0 { false } else { true } }
    let keeps = message.type.isSaidOnce(isSparse: plan?.isSparse ?? true)
    answers[message.type] = answers[message.type] ?? Answer(message, keeps: keeps, actions: repeated)
    return actions
  }

  private func handle(_ message: SignedMessage) throws(Refusal) -> [SiteAction] {
    switch message.type {
    case .plan: return try receivePlan(message)
    case .graphCommitments: return try receiveCommitments(message)
    case .graphNonces: return try receiveNonces(message)
    case .keyList: return try receiveKeys(message)
    case .shareDelivery: return try receiveShares(message)
    case .acknowledgementList: return try receiveAcknowledgements(message)
    case .survivors: return try receiveSurvivors(message)
    case .signatureList: return try receiveSignatures(message)
    case .closed: return try receiveClosed(message)
    default: throw Refusal(.unexpected, "a \(message.type.name) message is never for a site")
    }
  }

  func sign(_ body: some MessageBody, _ context: [UInt8]) -> SignedMessage {
    SignedMessage(body, context: context, sender: site, key: identity)
  }

  /// Ends the attempt and tells the server why.
  func abort(_ refusal: Refusal) -> [SiteAction] {
    let none = [UInt8](repeating: 0, count: SignedMessage.contextBytes)
    return [.send(sign(RefusalBody(refusal), context ?? none).bytes)] + end(refusal)
  }

  private func end(_ refusal: Refusal) -> [SiteAction] {
    // Whoever holds shares, and showed none of them, says that they are gone (RF-01).
    let isUnrevealed = planStage == .accepted && phase < .reveal && plan?.isSparse == false
    phase = .done
    destroySecrets()
    let statement = isUnrevealed ? context.map { [SiteAction.send(sign(DestroyedBody(), $0).bytes)] } ?? [] : []
    return statement + [.aborted(refusal)]
  }

  func destroySecrets() {
    secrets = nil
    pairs = [:]
    heldShares = nil
    // In place: whoever else holds the update answers for its own copy.
    for index in (plainInput ?? []).indices { plainInput?[index].withUnsafeMutableBufferPointer { $0.update(repeating: 0) } }
    plainInput = nil
    answers = [:]
  }
}
