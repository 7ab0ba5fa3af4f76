// U1: the sites whose fresh keys are known (spec/03-phases.md, phase 1). Site and server build it with the same checks; the
// server's word counts for nothing, because every entry carries its own site's signature over ctx.
import Sodium

struct KeyList: Sendable {
  /// U1, ascending.
  let keyed: [SiteID]
  /// Of everybody whose message is seen.
  let keys: [SiteID: KeysBody]
  let messages: [SignedMessage]
  /// H[key-list-hash]; H[keyed-set] in the sparse graph.
  let hash: [UInt8]

  /// - Throws: SA-03, SA-04, SA-05 for a foreign entry, SA-08 for a site outside U0, SA-25 for another graph's, SA-30 for too few,
  ///   SA-31 for equal keys.
  init(_ messages: [SignedMessage], set: [SiteID]?, _ scope: Scope) throws(Refusal) {
    var keys: [SiteID: KeysBody] = [:]
    var seen: Set<X25519.PublicKey> = []
    for message in messages {
      guard scope.plan.invites(message.sender) else { throw Refusal(.wrongMembers, "keys of \(message.sender), who was not invited") }
      let body = try message.verified(KeysBody.self, scope)
      guard (body.graphSeed == nil) == (scope.graph.seed == nil) else {
        throw Refusal(.malformed, "the keys of \(message.sender) are of another kind of graph", culprit: message.sender)
      }
      guard body.graphSeed == scope.graph.seed else {
        throw Refusal(.otherGraph, "\(message.sender) showed its keys for another graph")
      }
      for key in [body.maskKey, body.channelKey] {
        guard seen.insert(key).inserted else {
          throw Refusal(.duplicateKey, "\(message.sender) shows a key that is in the list already", culprit: message.sender)
        }
      }
      keys[message.sender] = body
    }
    keyed = try scope.set(senders: messages.map(\.sender), stated: set, within: scope.plan.sites)
    try scope.requireEnough(keyed, scope.plan.membersMin, .tooFewKeys, "keys")
    self.keys = keys
    self.messages = messages
    hash =
      if let seed = scope.graph.seed { Transcript.keyedSet(scope.context, seed: seed, keyed) } else {
        Transcript.keyList(scope.context, messages)
      }
  }

  /// Whom a dealer shares its secrets with.
  func holders(of dealer: SiteID, _ graph: MaskGraph) -> [SiteID] {
    graph.seed == nil ? keyed : graph.holders(of: dealer).filter(keyed.sortedContains)
  }
}

extension SignedMessage {
  /// The body after all checks of the frame.
  func verified<Body: MessageBody>(_ type: Body.Type, _ scope: Scope) throws(Refusal) -> Body {
    let body = try open(type)
    try expect(context: scope.context)
    try verify(scope.roster)
    return body
  }
}
