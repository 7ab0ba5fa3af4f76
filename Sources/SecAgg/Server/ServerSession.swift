// One attempt at the server: a pure state machine (spec/03-phases.md, "The server"). Dropouts in every phase; ends with the
// sum or with a named reason. Not thread-safe: one owner.
import Sodium

public final class ServerSession {
  /// - Throws: the refusal of a plan that no site would accept.
  public init(plan: RoundPlan, roster: RosterView, signingKey: Ed25519.SigningKey) throws(Refusal) {}
  public private(set) var phase = Phase.plan
  public func start() -> [ServerAction] { [] }
  /// `site` is who the connection proved to be.
  public func receive(_ message: [UInt8], from site: SiteID) -> [ServerAction] { [] }
  /// Pieces of the payload whose header message came before, in order from 0.
  public func receiveInput(chunk: [UInt8], index: Int, of count: Int, from site: SiteID) -> [ServerAction] { [] }
  /// Repeats what the site has not answered.
  public func reconnected(_ site: SiteID) -> [ServerAction] { [] }
  /// The driver gave up on the site: it is dropped from now on.
  public func vanished(_ site: SiteID) -> [ServerAction] { [] }
  /// Whoever has not answered `phase` is dropped; ignored where that phase is over.
  public func deadlinePassed(_ phase: Phase) -> [ServerAction] { [] }
}
