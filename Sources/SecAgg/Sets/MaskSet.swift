// U2: the dealers whom at least t sites acknowledged, computed by everybody from the signed acknowledgements themselves
// (spec/03-phases.md, phase 2b). Each member of U2 masks with every other, whoever holds whose share.

struct MaskSet: Sendable {
  /// U2, ascending.
  let masked: [SiteID]
  /// Whose shares each acknowledging site holds.
  let held: [SiteID: [SiteID]]
  let messages: [SignedMessage]
  /// H(U2).
  let hash: [UInt8]

  /// - Throws: SA-03, SA-04, SA-05, SA-08, SA-50 where a site saw other messages, SA-51 where U2 is too small.
  init(_ messages: [SignedMessage], dealers: DealerList, plan: RoundPlan, context: [UInt8], roster: RosterView) throws(Refusal) {
    var held: [SiteID: [SiteID]] = [:]
    var votes: [SiteID: Int] = [:]
    for message in messages {
      let body = try MaskSet.acknowledgement(message, dealers: dealers, context: context, roster: roster)
      held[message.sender] = body.dealers
      for dealer in body.dealers { votes[dealer, default: 0] += 1 }
    }
    masked = dealers.dealers.filter { votes[$0, default: 0] >= plan.threshold }
    guard masked.count >= plan.threshold else {
      throw Refusal(.tooFewAcknowledged, "\(masked.count) dealers have \(plan.threshold) acknowledgements; \(plan.threshold) are needed")
    }
    self.held = held
    self.messages = messages
    hash = Transcript.maskSet(context, transcript: dealers.transcript, masked)
  }

  static func acknowledgement(
    _ message: SignedMessage, dealers: DealerList, context: [UInt8], roster: RosterView
  ) throws(Refusal) -> AcknowledgementBody {
    guard dealers.headers[message.sender] != nil else {
      throw Refusal(.wrongMembers, "an acknowledgement of \(message.sender), who dealt no shares")
    }
    let body = try message.verified(AcknowledgementBody.self, context: context, roster: roster)
    guard body.transcript == dealers.transcript else {
      throw Refusal(.transcriptDiffers, "\(message.sender) was shown other messages of phases 1 and 2")
    }
    guard body.dealers.allSatisfy({ dealers.headers[$0] != nil }) else {
      throw Refusal(.wrongMembers, "\(message.sender) acknowledges a site that dealt no shares", culprit: message.sender)
    }
    return body
  }
}
