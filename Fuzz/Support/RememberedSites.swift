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
  private static let answersMax = 4_000

  init(_ cohort: Cohort) { self.cohort = cohort }

  /// The answer to the last message of a history.
  func answer(_ site: SiteID, _ key: Key, _ messages: [[UInt8]]) -> [SiteAction] {
    if let known = answers[key] { return known }
    let session = cohort.session(site)
    var last: [SiteAction] = []
    for message in messages {
      last = session.receive(message)
      for action in last {
        guard case .consider = action else { continue }
        last += session.accept() + session.provide(input: cohort.input(site))
      }
    }
    if answers.count >= RememberedSites.answersMax { answers = [:] }
    answers[key] = last
    return last
  }

  /// One site of one execution.
  struct Site {
    let id: SiteID
    private var history: [UInt8] = []
    private var messages: [[UInt8]] = []

    init(_ id: SiteID) { self.id = id }

    mutating func receive(_ message: [UInt8], _ sites: RememberedSites) -> [SiteAction] {
      messages.append(message)
      history = BLAKE2b.hash(history + message)
      return sites.answer(id, Key(site: id, history: history), messages)
    }
  }
}
