// A site under a malicious server that signs whatever the input says with its real key, and controls the other sites too: messages of
// scripted attempts in any order, altered outside and inside, left out, repeated, mixed between attempts with other dropouts.
import SecAgg

final class SiteTarget: Target {
  static let name = "site"

  /// What the server sends to one site in an attempt.
  private struct Script {
    let cohort: Cohort
    let victim: SiteID
    let messages: [SignedMessage]
  }

  private let scripts: [Script]

  init() throws {
    var scripts: [Script] = []
    for cohort in [Cohort.complete, .sparse] {
      let victim = cohort.sites[1]
      let base = try World.run(cohort).sent[victim]?.map { try SignedMessage(decoding: $0) } ?? []
      let others = base.first { $0.type == .keyList }.map(Embedded.messages) ?? []
      guard let gone = others.map(\.sender).last(where: { $0 != victim }) else { throw Refusal(.over, "no other site") }
      scripts.append(Script(cohort: cohort, victim: victim, messages: base))
      // Its shares are dealt and its masks are in the sum: its mask key is revealed. And: it is in no set from phase 2 on.
      for phase in [Phase.maskedInput, .acknowledge, .shares] {
        let messages = try World.run(cohort, deaths: [gone: phase]).sent[victim]?.map { try SignedMessage(decoding: $0) } ?? []
        scripts.append(Script(cohort: cohort, victim: victim, messages: messages))
      }
    }
    self.scripts = scripts
  }

  private final class Run {
    let script: Script
    let session: SiteSession
    let flags: UInt8
    var watch = SiteWatch()

    init(_ script: Script, flags: UInt8) {
      (self.script, self.flags) = (script, flags)
      session = script.cohort.session(script.victim)
    }

    func receive(_ bytes: [UInt8]) { perform(session.receive(bytes)) }

    func accept(_ survivors: [SiteID]? = nil) { perform(session.accept(onlySurvivors: survivors)) }

    /// - Parameter isAltered: other integers than those of the script.
    func provide(isAltered: Bool = false) {
      var input = script.cohort.input(script.victim)
      if isAltered { input[0][0] ^= 1 }
      perform(session.provide(input: input))
    }

    func perform(_ actions: [SiteAction]) {
      watch.see(actions)
      for action in actions {
        guard case .consider = action else { continue }
        if flags & 1 == 0 { accept(flags & 4 == 0 ? nil : script.cohort.sites) }
        if flags & 2 == 0 { provide() }
      }
    }
  }

  func run(_ input: [UInt8]) {
    var source = Source(input)
    var chosen = source.below(scripts.count)
    let run = Run(scripts[chosen], flags: source.u8())
    let half = scripts.count / 2
    var next = 0
    for _ in 0..<40 where !source.isAtEnd && run.session.phase != .done {
      let messages = scripts[chosen].messages
      let operation = source.u8()
      switch operation % 16 {
      // The other scripts of the same graph: same plan, other dropouts.
      case 8: chosen = (chosen < half ? 0 : half) + source.below(half)
      case 9: next = source.below(messages.count)
      case 10: next += 1
      case 11: run.accept()
      case 12: run.provide(isAltered: source.u8() & 1 == 1)
      case 13: run.receive(source.altered(messages[source.below(messages.count)].bytes))
      case 14 where source.u8() % 8 == 0: run.perform(run.session.refuse(Refusal(.policy, "the site's own")))
      default:
        guard next < messages.count else { continue }
        let message = messages[next]
        next += 1
        deliver(message, how: operation % 16, run, &source)
      }
    }
    // Whatever happened: a message after the end changes nothing, and never traps.
    run.receive(run.script.messages[0].bytes)
  }

  private func deliver(_ message: SignedMessage, how: UInt8, _ run: Run, _ source: inout Source) {
    let cohort = run.script.cohort
    switch how {
    case 4: run.receive(cohort.sign(message, body: source.altered(message.body)).bytes)
    case 5: run.receive(inner(message, run, &source).bytes)
    case 6:
      run.receive(message.bytes)
      run.receive(message.bytes)
    case 7:
      let type = MessageType(rawValue: source.u8() % 21) ?? message.type
      run.receive(cohort.sign(message, type: type, body: source.take(source.below(200))).bytes)
    default: run.receive(message.bytes)
    }
  }

  /// One of the sites' messages altered and signed again, left out, doubled, or in another's name.
  private func inner(_ message: SignedMessage, _ run: Run, _ source: inout Source) -> SignedMessage {
    let cohort = run.script.cohort
    var list = Embedded.messages(in: message)
    guard !list.isEmpty else { return message }
    let index = source.below(list.count)
    switch source.u8() % 8 {
    case 0: list.remove(at: index)
    case 1: list.swapAt(0, index)
    case 2: list.append(list[index])
    case 3:
      let (old, other) = (list[index], cohort.sites[source.below(cohort.sites.count)])
      list[index] = SignedMessage(type: old.type, body: old.body, context: old.context, sender: other, key: cohort.key(other))
    default: list[index] = cohort.sign(list[index], body: source.altered(list[index].body))
    }
    guard let body = Embedded.replacing(message, list) else { return message }
    return cohort.sign(body, .server)
  }

  func seeds() -> [[UInt8]] {
    var seeds: [[UInt8]] = []
    for (index, script) in scripts.enumerated() {
      let all = [UInt8](repeating: 0, count: script.messages.count)
      seeds.append([UInt8(index), 0] + all)
      // Everything twice, the input late, another dropout halfway; and one altered message of each kind.
      seeds.append([UInt8(index), 0] + all.map { _ in 6 })
      seeds.append([UInt8(index), 2] + Array(all.prefix(5)) + [12, 0] + all)
      seeds.append([UInt8(index), 0] + Array(all.prefix(script.messages.count - 3)) + [8, 1] + all)
      for place in all.indices {
        seeds.append([UInt8(index), 0] + all.prefix(place) + [4, 0, 4, 0, 9, 1] + all)
        seeds.append([UInt8(index), 0] + all.prefix(place) + [5, 1, 4, 0, 4, 0, 9, 1] + all)
      }
    }
    return seeds
  }
}
