// Whole attempts of spec/vectors: as the server sees them and as one site does, with what each must answer byte for byte.
import Federation
import Foundation
import Participant
import Sodium
import Testing

@testable import SecAgg

@Suite struct ServerRoundTests {
  @Test(arguments: Vector.all("rounds-server")) func attempt(_ it: Vector) throws {
    let roster = try it.roster()
    let key = try Ed25519.SigningKey(seed: it.secret("server_seed"))
    let session = try ServerSession(plan: RoundPlan(decoding: it.bytes("plan")), roster: roster, signingKey: key)
    let earlier = Set(it.byteLists("earlier"))
    var codes: Set<String> = []
    var end: ServerAction?
    for (number, event) in it.parts("events").enumerated() {
      // A message of an earlier attempt of the job is set aside by whoever drives the session.
      if event.has("message"), let context = ServerSession.context(of: event.bytes("message")), earlier.contains(context) { continue }
      let actions = act(event, session)
      // An attempt may end as soon as too few are left for its phase.
      if case .aborted? = actions.last, it.has("aborted"), end == nil {
        end = actions.last
        break
      }
      let then = event.part("then") ?? Vector(name: it.name, fields: [:])
      check(actions, then, "event \(number)", &codes)
      for action in actions {
        switch action {
        case .finished, .aborted: end = action
        default: break
        }
      }
    }
    if let expected = it.part("sum") {
      guard case .finished(let sum) = end else { return #expect(Bool(false), "no sum: \(String(describing: end))") }
      let sections = sum.sections.map { words in words.flatMap { word in withUnsafeBytes(of: word.bigEndian, Array.init) } }
      #expect(sections == expected.byteLists("sections"))
      #expect(sum.survivors == expected.sites("survivors") && sum.revealers == expected.sites("revealers"))
    } else if it.has("aborted") {
      guard case .aborted(let refusal) = end else { return #expect(Bool(false), "no abort: \(String(describing: end))") }
      codes.insert(refusal.code.rawValue)
      #expect(Set([it.text("aborted")]).union(it.codes).contains(refusal.code.rawValue), "\(refusal)")
      if it.has("culprit") { #expect(refusal.culprit == it.site("culprit")) }
    }
    if !it.isGood { #expect(!codes.isDisjoint(with: it.codes), "seen: \(codes.sorted())") }
  }

  private func act(_ event: Vector, _ session: ServerSession) -> [ServerAction] {
    if event.has("start") { return session.start() }
    if event.has("vanished") { return session.vanished(event.site("vanished")) }
    if event.has("deadline") {
      let name = event.text("deadline")
      let phase = Phase.allCases.first { $0.description == (name == "nonces" ? "graph" : name == "masked_input" ? "masked-input" : name) }
      return phase.map(session.deadlinePassed) ?? []
    }
    if event.has("chunk") {
      return session.receiveInput(chunk: event.bytes("chunk"), index: event.int("index"), of: event.int("of"), from: event.site("from"))
    }
    return session.receive(event.bytes("message"), from: event.site("from"))
  }

  private func check(_ actions: [ServerAction], _ then: Vector, _ what: String, _ codes: inout Set<String>) {
    var sent: [(SiteID, [UInt8])] = []
    var refusals: [SiteID] = []
    var refused: [SiteID] = []
    var dropped: Set<SiteID> = []
    for action in actions {
      switch action {
      case .send(let bytes, let site):
        if bytes.count > 1, bytes[1] == MessageType.refusal.rawValue {
          refusals.append(site)
          if let refusal = try? SignedMessage(decoding: bytes).open(RefusalBody.self) { codes.insert(refusal.refusal.code.rawValue) }
        } else {
          sent.append((site, bytes))
        }
      case .refuse(let refusal, let site):
        refused.append(site)
        codes.insert(refusal.code.rawValue)
      case .dropped(let site, _, _): dropped.insert(site)
      default: break
      }
    }
    let expected = then.parts("send")
    #expect(sent.map(\.0) == expected.map { $0.site("to") }, "\(what)")
    for (found, send) in zip(sent, expected) {
      if send.has("message") {
        #expect(found.1 == send.bytes("message"), "\(what) to \(found.0)")
      } else {
        #expect(BLAKE2b.hash(found.1) == send.bytes("blake2b"), "\(what) to \(found.0)")
      }
    }
    #expect(refused == then.parts("refused").map { $0.site("site") }, "\(what)")
    for item in then.parts("refused") where item.has("code") && then.parts("refused").count == 1 {
      #expect(!codes.isEmpty, "\(what)")
    }
    #expect(Set(then.sites("dropped")).isSubset(of: dropped), "\(what)")
    #expect(refusals.sorted() == then.parts("refusals").map { $0.site("to") }.sorted(), "\(what)")
  }
}

@Suite struct SiteRoundTests {
  @Test("[SA-120] [SA-121]", arguments: Vector.all("rounds-site")) func attempt(_ it: Vector) throws {
    let roster = try it.roster()
    let journal = Journal(inMemory: it.parts("records").compactMap(record))
    let random = try randomness(it)
    let session = SiteSession(
      site: it.site("site"), identity: try Ed25519.SigningKey(seed: it.secret("identity")), roster: roster,
      minimumHonest: it.int("honest"), random: random)
    let gate = PolicyGate(policy: SitePolicy())
    for (number, event) in it.parts("events").enumerated() {
      var actions: [SiteAction]
      if event.has("receive") {
        actions = session.receive(event.bytes("receive"))
      } else {
        let words = (event.fields["input"] as? [[Any]] ?? []).map { $0.compactMap { ($0 as? NSNumber)?.uint32Value } }
        actions = session.provide(input: words)
      }
      // Every plan is accepted that the site may accept.
      if case .consider(let plan)? = actions.first {
        do throws(Refusal) {
          let permission = try gate.checkHistory(plan, journal, plan.mechanism, isNoised: PrivacyCharge(plan) != nil)
          actions = session.accept(onlySurvivors: permission.onlySurvivors)
        } catch { actions = session.refuse(error) }
      }
      check(actions, event, it, "event \(number)")
    }
  }

  private func check(_ actions: [SiteAction], _ event: Vector, _ it: Vector, _ what: String) {
    var (records, sent): ([String], [[UInt8]]) = ([], [])
    var refusals: [String] = []
    var payload: [UInt8]?
    var then: String?
    for action in actions {
      switch action {
      case .persist(let record): records.append(name(record))
      case .send(let bytes):
        if let refusal = (try? SignedMessage(decoding: bytes))?.type == .refusal
          ? try? SignedMessage(decoding: bytes).open(RefusalBody.self) : nil
        {
          refusals.append(refusal.refusal.code.rawValue)
        } else {
          sent.append(bytes)
        }
      case .sendInput(let header, let bytes):
        sent.append(header)
        payload = bytes
      case .completed: then = "completed"
      case .aborted(let refusal): then = "aborted \(refusal.code.rawValue)"
      case .consider, .evidence: break
      }
    }
    #expect(records == (event.fields["records"] as? [String] ?? []), "\(what)")
    #expect(sent == event.byteLists("send"), "\(what)")
    #expect(payload == (event.has("payload") ? event.bytes("payload") : nil), "\(what)")
    if event.has("refusal") {
      #expect(refusals.count == 1 && Set([event.text("refusal")]).union(it.codes).contains(refusals[0]), "\(what): \(refusals)")
    } else {
      #expect(refusals.isEmpty, "\(what): \(refusals)")
    }
    let ends = event.has("then") ? Set([event.text("then")]).union(it.isGood ? [] : it.codes.map { "aborted \($0)" }) : []
    #expect(then.map(ends.contains) ?? ends.isEmpty, "\(what): \(then ?? "goes on")")
  }

  private func name(_ record: SiteRecord) -> String {
    switch record {
    case .contextUsed: "context"
    case .inputSent: "input"
    case .survivorsSigned: "survivors"
    case .revealed: "reveal"
    }
  }

  private func record(_ it: Vector) -> JournalEntry? {
    switch it.text("kind") {
    case "context":
      .contextUsed(
        job: it.text("job"), round: UInt32(it.int("round")), attempt: UInt32(it.int("attempt")),
        kind: RoundKind(round: UInt32(it.int("round"))).rawValue, context: it.bytes("context"), weights: it.bytes("weights"))
    case "input": .inputSent(context: it.bytes("context"), digest: it.bytes("digest"))
    case "survivors":
      .survivorsSigned(context: it.bytes("context"), survivors: it.sites("sites").map(\.rawValue), hash: it.bytes("hash"))
    case "reveal": .revealed(context: it.bytes("context"))
    default: nil
    }
  }

  private func randomness(_ it: Vector) throws -> SiteRandom {
    let drawn = try #require(it.part("randomness"))
    let lists = Lists()
    lists.scalars = [
      .maskRoot: [try Scalar(canonical: drawn.bytes("mask_root"))], .selfMaskRoot: [try Scalar(canonical: drawn.bytes("self_root"))],
      .maskCoefficient: try drawn.byteLists("mask_coefficients").map { try Scalar(canonical: $0) },
      .selfMaskCoefficient: try drawn.byteLists("self_coefficients").map { try Scalar(canonical: $0) },
    ]
    let channel = try X25519.SecretKey(derivedFrom: drawn.secret("channel_key"))
    let nonce = drawn.bytes("nonce")
    return SiteRandom(scalar: { lists.next($0) }, channelKey: { channel }, nonce: { nonce })
  }

  private final class Lists: @unchecked Sendable {
    var scalars: [SiteRandom.Use: [Scalar]] = [:]
    func next(_ use: SiteRandom.Use) -> Scalar { scalars[use]?.isEmpty == false ? scalars[use]?.removeFirst() ?? Scalar(0) : Scalar(0) }
  }
}
