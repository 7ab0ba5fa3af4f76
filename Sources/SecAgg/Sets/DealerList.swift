// The dealers of phase 2 and what each signed about its shares (spec/03-phases.md). Its transcript hash is what sites compare
// through their acknowledgements: a server that shows two versions of phases 1 and 2 is caught there.

struct DealerList: Sendable {
  /// Ascending, a subset of U1.
  let dealers: [SiteID]
  let headers: [SiteID: ShareHeaderBody]
  let messages: [SignedMessage]
  let transcript: [UInt8]

  /// - Throws: SA-03, SA-04, SA-05, SA-08, SA-40 below t, SA-50 where a dealer saw other keys.
  init(_ messages: [SignedMessage], keyList: KeyList, plan: RoundPlan, context: [UInt8], roster: RosterView) throws(Refusal) {
    var headers: [SiteID: ShareHeaderBody] = [:]
    for message in messages {
      headers[message.sender] = try DealerList.header(message, keyList: keyList, context: context, roster: roster)
    }
    guard messages.count >= plan.threshold else {
      throw Refusal(.tooFewDealers, "shares of \(messages.count) sites; \(plan.threshold) are needed")
    }
    dealers = messages.map(\.sender)
    self.headers = headers
    self.messages = messages
    transcript = Transcript.phases1And2(context, keys: keyList.messages, headers: messages)
  }

  static func header(
    _ message: SignedMessage, keyList: KeyList, context: [UInt8], roster: RosterView
  ) throws(Refusal) -> ShareHeaderBody {
    guard keyList.keys[message.sender] != nil else { throw Refusal(.wrongMembers, "shares of \(message.sender), whose keys nobody has") }
    let header = try message.verified(ShareHeaderBody.self, context: context, roster: roster)
    guard header.keyList == keyList.hash else {
      throw Refusal(.transcriptDiffers, "\(message.sender) dealt its shares over another list of keys")
    }
    guard header.entries.map(\.holder) == keyList.keyed else {
      throw Refusal(.wrongMembers, "\(message.sender) did not deal to exactly the sites with keys", culprit: message.sender)
    }
    return header
  }

  func entry(dealer: SiteID, holder: SiteID) -> ShareHeaderBody.Entry? {
    headers[dealer]?.entries.first { $0.holder == holder }
  }
}
