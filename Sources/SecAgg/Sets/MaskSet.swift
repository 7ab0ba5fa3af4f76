// U2: the dealers whom at least t holders acknowledged (spec/03-phases.md, phase 2b). In the complete graph everybody computes it from
// the signed acknowledgements themselves; in the sparse one a site does so for itself. Members mask with each other, whoever holds
// whose share.

struct MaskSet: Sendable {
  /// U2, ascending.
  let masked: [SiteID]
  /// Whose shares each acknowledging site holds.
  let held: [SiteID: [SiteID]]
  let messages: [SignedMessage]
  /// H(U2).
  let hash: [UInt8]

  /// - Throws: SA-03, SA-04, SA-05, SA-08, SA-50 where a site saw other messages, SA-51 where U2 is too small.
  init(_ messages: [SignedMessage], set: [SiteID]?, dealers: DealerList, _ scope: Scope) throws(Refusal) {
    var held: [SiteID: [SiteID]] = [:]
    var votes: [SiteID: Int] = [:]
    for message in messages {
      let body = try MaskSet.acknowledgement(message, dealers: dealers, scope)
      held[message.sender] = body.dealers
      for dealer in body.dealers { votes[dealer, default: 0] += 1 }
    }
    let threshold = scope.plan.threshold
    if scope.isPartial, let viewer = scope.viewer {
      guard let set else { throw Refusal(.wrongMembers, "no set behind the list of a neighbourhood") }
      guard set.isSortedSubset(of: dealers.dealers) else { throw Refusal(.wrongMembers, "a member of U2 that dealt no shares") }
      guard messages.allSatisfy({ scope.circle.sortedContains($0.sender) }) else {
        throw Refusal(.wrongMembers, "an acknowledgement of a site that is no neighbour")
      }
      guard set.sortedContains(viewer), votes[viewer, default: 0] >= threshold else {
        throw Refusal(.notAcknowledged, "fewer than \(threshold) neighbours acknowledged this site's shares")
      }
      masked = set
    } else {
      guard set == nil else { throw Refusal(.wrongMembers, "a set behind a list that is whole itself") }
      masked = dealers.dealers.filter { votes[$0, default: 0] >= threshold }
    }
    try scope.requireEnough(masked, scope.plan.membersMin, .tooFewAcknowledged, "\(threshold) acknowledgements")
    self.held = held
    self.messages = messages
    hash = Transcript.maskSet(scope.context, transcript: dealers.transcript, masked)
  }

  static func acknowledgement(
    _ message: SignedMessage, dealers: DealerList, _ scope: Scope
  ) throws(Refusal) -> AcknowledgementBody {
    guard dealers.dealers.sortedContains(message.sender) else {
      throw Refusal(.wrongMembers, "an acknowledgement of \(message.sender), who dealt no shares")
    }
    let body = try message.verified(AcknowledgementBody.self, scope)
    guard body.transcript == dealers.transcript else {
      throw Refusal(.transcriptDiffers, "\(message.sender) was shown other messages of phases 1 and 2")
    }
    let holdable = scope.graph.seed == nil ? dealers.dealers : scope.graph.neighbours(of: message.sender)
    guard body.dealers.allSatisfy({ dealers.dealers.sortedContains($0) && holdable.sortedContains($0) }) else {
      throw Refusal(.wrongMembers, "\(message.sender) acknowledges a site that dealt it no shares", culprit: message.sender)
    }
    return body
  }

  /// Whose masks are in the input of `site`: the other members next to it.
  func partners(of site: SiteID, _ graph: MaskGraph) -> [SiteID] {
    graph.seed == nil ? masked.filter { $0 != site } : graph.neighbours(of: site).filter(masked.sortedContains)
  }
}
