// One attempt in progress: the protocol's session, what was measured of it, and the deadlines that are set. Owned by the round driver.
import Federation
import SecAgg

final class RunningAttempt {
  let plan: RoundPlan
  let context: [UInt8]
  let mechanism: Mechanism
  let session: ServerSession
  var record = AttemptRecord()
  var dropped: Set<SiteID> = []
  /// Sites that have sent a message of this attempt. What comes before it on their streams is left over from another one.
  var spoken: Set<UInt32> = []
  var weightsRequests: [UInt32: Int] = [:]
  /// Its sum is paid for.
  var isCharged = false
  var phaseTimer: (@Sendable () -> Void)?
  var graceTimers: [UInt32: @Sendable () -> Void] = [:]

  var kind: RoundKind { RoundKind(round: plan.round) }

  init(plan: RoundPlan, mechanism: Mechanism, session: ServerSession) {
    self.plan = plan
    context = plan.context
    self.mechanism = mechanism
    self.session = session
  }

  /// Whether the attempt still counts on this site.
  func counts(on site: UInt32) -> Bool { plan.sites.contains(SiteID(site)) && !dropped.contains(SiteID(site)) }

  func cancelTimers() {
    phaseTimer?()
    phaseTimer = nil
    for cancel in graceTimers.values { cancel() }
    graceTimers = [:]
  }
}
