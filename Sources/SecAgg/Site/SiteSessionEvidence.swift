// From a refusal at a site to evidence (spec/09-evidence.md): against the server, which vouches for what its lists hold, or against
// the site whose message a list shows.

extension SiteSession {
  /// Evidence of what is wrong with a message of the server, if a third party can see it too.
  func evidence(of refusal: Refusal, _ bytes: [UInt8]) -> [SiteAction] {
    guard let plan, let message = try? SignedMessage(decoding: bytes), message.sender == .server else { return [] }
    func claim(_ culprit: SiteID?, _ messages: [SignedMessage]) -> Evidence { Evidence(refusal.code, culprit, plan: plan, messages) }
    let candidates: [Evidence]
    switch refusal.code {
    case .malformed, .badSignature, .wrongContext, .wrongSender: candidates = [claim(nil, [message])]
    case .equivocation: candidates = answers[message.type]?.message.map { [claim(nil, [$0, message])] } ?? []
    case .duplicateKey, .weakKey, .badCommitments, .inputShape:
      candidates = ((try? message.entries()) ?? []).map { claim($0.sender, [$0]) } + [claim(nil, [message])]
    default: candidates = []
    }
    return candidates.first { (try? $0.check(roster)) != nil }.map { [.evidence($0)] } ?? []
  }
}
