// Sites for the server's target: the real sessions, whose answers to a history of messages are computed once and remembered, because
// most executions tell them the same.
import SecAgg
import Sodium

final class RememberedSites {
  struct Key: Hashable {
    let site: SiteID
    /// Hash over all messages so far.
    let history: [UInt8]
  }

  private let cohort: Cohort
  private var answers: [Key: [SiteAction]] = [:]
  /// Each site's last session that was asked: where a history goes on from there, nothing is played again.
  private var last: [SiteID: (history: [UInt8], session: SiteSession)] = [:]
  private static let answersMax = 4_000

  init(_ cohort: Cohort) { self.cohort = cohort }

  /// The answer to the last message of a history.
  func answer(_ key: Key, after before: [UInt8], _ messages: [[UInt8]]) -> [SiteAction] {
    if let known = answers[key] { return known }
    let site = key.site
    var session = cohort.session(site)
    var actions: [SiteAction] = []
    if let known = last[site], known.history == before, let message = messages.last {
      session = known.session
      actions = tell(session, site, message)
    } else {
      for message in messages { actions = tell(session, site, message) }
    }
    last[site] = (key.history, session)
    if answers.count >= RememberedSites.answersMax { answers = [:] }
    answers[key] = actions
    return actions
  }

  private func tell(_ session: SiteSession, _ site: SiteID, _ message: [UInt8]) -> [SiteAction] {
    var actions = session.receive(message)
    for action in actions {
      guard case .consider = action else { continue }
      actions += session.accept() + session.provide(input: cohort.input(site))
    }
    return actions
  }

  /// One site of one execution.
  struct Site {
    let id: SiteID
    private var history: [UInt8] = []
    private var messages: [[UInt8]] = []

    init(_ id: SiteID) { self.id = id }

    mutating func receive(_ message: [UInt8], _ sites: RememberedSites) -> [SiteAction] {
      let before = history
      messages.append(message)
      history = BLAKE2b.hash(before + message)
      return sites.answer(Key(site: id, history: history), after: before, messages)
    }
  }
}
