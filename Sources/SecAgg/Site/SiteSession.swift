// One attempt at one site: a pure state machine (spec/03-phases.md, "The site"). A message goes in, actions come out. The
// server is not trusted: whatever it says is checked against the other sites' own signatures. Not thread-safe: one owner.
import Sodium

public final class SiteSession {
  public init(site: SiteID, identity: Ed25519.SigningKey, roster: RosterView, minimumHonest: Int = 3) {}
  public private(set) var phase = Phase.plan
  public private(set) var plan: RoundPlan?
  /// Takes a message of the server.
  public func receive(_ message: [UInt8]) -> [SiteAction] { [] }
  /// Answers `.consider`. `survivors`: the only U3 that may be signed, where an earlier attempt on the same weights bound the site to it.
  public func accept(onlySurvivors survivors: [SiteID]? = nil) -> [SiteAction] { [] }
  /// Answers `.consider`, or ends the attempt at any later time.
  public func refuse(_ refusal: Refusal) -> [SiteAction] { [] }
  /// Hands in the quantised update, one array a section, at any time after `accept`; once.
  public func provide(input sections: [[UInt32]]) -> [SiteAction] { [] }
}
