// U1: the sites whose fresh keys everybody has (spec/03-phases.md, phase 1). Site and server build it with the same checks; the
// server's word counts for nothing, because every entry carries its own site's signature over ctx.
import Sodium

struct KeyList: Sendable {
  /// U1, ascending.
  let keyed: [SiteID]
  let keys: [SiteID: KeysBody]
  let messages: [SignedMessage]
  let hash: [UInt8]

  /// - Throws: SA-03, SA-04, SA-05 for a foreign entry, SA-08 for a site outside U0, SA-30 below t, SA-31 for equal keys.
  init(_ messages: [SignedMessage], plan: RoundPlan, context: [UInt8], roster: RosterView) throws(Refusal) {
    var keys: [SiteID: KeysBody] = [:]
    var seen: Set<X25519.PublicKey> = []
    for message in messages {
      guard plan.sites.contains(message.sender) else { throw Refusal(.wrongMembers, "keys of \(message.sender), who was not invited") }
      let body = try message.verified(KeysBody.self, context: context, roster: roster)
      for key in [body.maskKey, body.channelKey] {
        guard seen.insert(key).inserted else {
          throw Refusal(.duplicateKey, "\(message.sender) shows a key that is in the list already", culprit: message.sender)
        }
      }
      keys[message.sender] = body
    }
    guard messages.count >= plan.threshold else {
      throw Refusal(.tooFewKeys, "keys of \(messages.count) sites; \(plan.threshold) are needed")
    }
    keyed = messages.map(\.sender)
    self.keys = keys
    self.messages = messages
    hash = Transcript.keyList(context, messages)
  }
}

extension SignedMessage {
  /// The body after all checks of the frame.
  func verified<Body: MessageBody>(_ type: Body.Type, context: [UInt8], roster: RosterView) throws(Refusal) -> Body {
    let body = try open(type)
    try expect(context: context)
    try verify(roster)
    return body
  }
}
