// What a site's session asks its driver to do (spec/03-phases.md). The driver carries out a list in order, one at a time.

/// One step for the driver of a `SiteSession`.
public enum SiteAction: Sendable {
  /// A valid plan: check it against the site's own policy and journal, then `accept` or `refuse`.
  case consider(RoundPlan)
  /// A protocol message for the server.
  case send([UInt8])
  /// Must be durable (synced to disk) before the *next* action of the list is carried out.
  case persist(SiteRecord)
  /// The masked input: first the header as a protocol message, then the payload in chunks. A resend repeats identical bytes.
  case sendInput(header: [UInt8], payload: [UInt8])
  /// Signed messages that show a breach by themselves: keep it. The attempt ends right after.
  case evidence(Evidence)
  /// The server closed the attempt with a sum.
  case completed
  /// The attempt is over for this site, whose secrets of it are destroyed.
  case aborted(Refusal)
}

/// What must survive a crash of the site.
public enum SiteRecord: Hashable, Sendable {
  /// This context was accepted: it must never be accepted again.
  case contextUsed(context: [UInt8])
  /// This masked input is about to leave.
  case inputSent(context: [UInt8], digest: [UInt8])
  /// This survivor set is about to be signed: no other may ever be, for this context. `hash` covers U1, U2, U3 and all digests.
  case survivorsSigned(context: [UInt8], survivors: [SiteID], hash: [UInt8])
  /// Shares are about to be revealed for this context.
  case revealed(context: [UInt8])
}
