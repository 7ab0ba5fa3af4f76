// What the server's session asks its driver to do, in order (spec/03-phases.md).

/// One step for the driver of a `ServerSession`.
public enum ServerAction: Sendable {
  case send([UInt8], to: SiteID)
  /// The site broke a rule or came too late: tell it. Where it still took part, a `dropped` follows.
  case refuse(Refusal, to: SiteID)
  /// A phase began; it ends when these have answered or were dropped. The driver starts the phase's deadline.
  case phase(Phase, waitingFor: [SiteID])
  /// Signed messages that show a breach by themselves: keep it, before the culprit is refused or the attempt ends.
  case evidence(Evidence)
  /// From now on the attempt goes on without this site.
  case dropped(SiteID, Phase, reason: String)
  case finished(RoundSum)
  /// The attempt ends without a sum. The sites that are still there have been told.
  case aborted(Refusal)
}

/// The result of an attempt: the sum over the survivors and nothing about any one of them.
public struct RoundSum: Sendable {
  public let context: [UInt8]
  /// One array a section of the plan; integers modulo 2^b.
  public let sections: [[UInt32]]
  /// U0: invited. U1: with keys. U2: dealers that t sites acknowledged. U3: in the sum. U4: revealed. All ascending.
  public let invited: [SiteID]
  public let keyed: [SiteID]
  public let masked: [SiteID]
  public let survivors: [SiteID]
  public let revealers: [SiteID]
  /// Digest of each survivor's masked input.
  public let inputDigests: [SiteID: [UInt8]]
  /// The survivors' signed consistency messages: at least t, all over the same sets.
  public let signatures: [SiteID: [UInt8]]
  /// Digest of `sections`, as sent to the sites.
  public let digest: [UInt8]
}
