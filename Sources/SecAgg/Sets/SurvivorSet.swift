// U3: the sites whose masked inputs are in the sum, with the digests that they signed (spec/03-phases.md, phase 4). The hash of
// this set is what survivors sign, once; t signatures over one hash are what opens the shares.

struct SurvivorSet: Sendable {
  /// U3, ascending.
  let survivors: [SiteID]
  let digests: [SiteID: [UInt8]]
  let messages: [SignedMessage]
  /// H(ctx, U1, U2, U3, all input digests).
  let hash: [UInt8]

  /// - Throws: SA-03, SA-04, SA-05, SA-62, SA-64, SA-70 for an input that cannot be in the sum, SA-73 below max(t, m_min).
  init(
    _ messages: [SignedMessage], keyed: [SiteID], maskSet: MaskSet, plan: RoundPlan, context: [UInt8], roster: RosterView
  ) throws(Refusal) {
    var digests: [SiteID: [UInt8]] = [:]
    for message in messages {
      digests[message.sender] = try SurvivorSet.header(message, maskSet: maskSet, plan: plan, context: context, roster: roster).digest
    }
    guard messages.count >= plan.inputsMin else {
      throw Refusal(.tooFewInputs, "inputs of \(messages.count) sites; \(plan.inputsMin) are needed")
    }
    survivors = messages.map(\.sender)
    self.digests = digests
    self.messages = messages
    hash = Transcript.survivors(
      context, keyed: keyed, maskSet: maskSet.hash, masked: maskSet.masked, survivors: survivors,
      digests: survivors.compactMap { digests[$0] })
  }

  static func header(
    _ message: SignedMessage, maskSet: MaskSet, plan: RoundPlan, context: [UInt8], roster: RosterView
  ) throws(Refusal) -> InputHeaderBody {
    guard maskSet.masked.contains(message.sender) else {
      throw Refusal(.notSubset, "an input of \(message.sender), with whom nobody shares masks")
    }
    let header = try message.verified(InputHeaderBody.self, context: context, roster: roster)
    guard header.maskSet == maskSet.hash else {
      throw Refusal(.otherMaskSet, "\(message.sender) masked its input for another set of sites")
    }
    guard header.payloadBytes == UInt64(plan.payloadBytes) else {
      throw Refusal(.inputShape, "an input of \(header.payloadBytes) bytes; the plan's has \(plan.payloadBytes)", culprit: message.sender)
    }
    return header
  }
}
