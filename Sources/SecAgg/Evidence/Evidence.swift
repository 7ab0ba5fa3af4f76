// Blame that a third party can check (spec/09-evidence.md): signed messages of one attempt that by themselves show which rule their
// signer broke. Nothing in it is secret beyond what the server sees anyway.
import Sodium

public struct Evidence: Hashable, Sendable {
  /// The rule that was broken.
  public let claim: RefusalCode
  /// Who broke it; nil for the server. Of SA-93 the site that is concerned; nil for all of them.
  public let culprit: SiteID?
  /// The plan whose hash is the messages' ctx: its canonical bytes.
  let plan: [UInt8]
  package let messages: [SignedMessage]
  /// What stands behind a hash that one of the messages signs; empty where the claim needs none.
  let preimage: [UInt8]

  /// Longer files are refused unread.
  public static let bytesMax = 16 << 20
  private static let label = Transcript.label("evidence")

  package init(_ claim: RefusalCode, _ culprit: SiteID?, plan: RoundPlan, _ messages: [SignedMessage], preimage: [UInt8] = []) {
    self.claim = claim
    self.culprit = culprit
    self.plan = plan.encoded()
    self.messages = messages
    self.preimage = preimage
  }

  /// - Throws: SA-01, SA-02: nothing is verified yet.
  public init(decoding bytes: [UInt8]) throws(Refusal) {
    guard bytes.count <= Evidence.bytesMax else { throw Refusal(.malformed, "evidence of \(bytes.count) bytes") }
    var reader = ByteReader(bytes)
    guard try reader.fixed(Evidence.label.count) == Evidence.label else { throw Refusal(.malformed, "this is no evidence") }
    guard let claim = RefusalCode(rawValue: try reader.text8()) else { throw Refusal(.malformed, "a claim of an unknown code") }
    self.claim = claim
    let culprit = try reader.site()
    self.culprit = culprit == .server ? nil : culprit
    plan = try reader.block32()
    messages = try reader.list(elementBytesMin: 4 + SignedMessage.bytesMin) { reader throws(Refusal) in try reader.message() }
    preimage = try reader.block32()
    try reader.finish()
  }

  public func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.fixed(Evidence.label)
    writer.text8(claim.rawValue)
    writer.site(culprit ?? .server)
    writer.block32(plan)
    writer.messages(messages)
    writer.block32(preimage)
    return writer.bytes
  }

  /// ctx of the attempt.
  package var context: [UInt8] { Transcript.context(plan) }

  /// "site 3" or "the server".
  public var culpritName: String { culprit.map(\.description) ?? (isAccusation ? "the server" : "the attempt") }

  /// Whether it says that somebody broke a rule; otherwise that an input can be opened by nobody.
  public var isAccusation: Bool { claim != .unopened }
}

/// What evidence shows, once it was checked.
public struct Verdict: Hashable, Sendable {
  public let claim: RefusalCode
  /// nil for the server.
  public let culprit: SiteID?
  public let job: String
  public let round: UInt32
  public let attempt: UInt32
  /// ctx of the attempt.
  public let context: [UInt8]
  /// One sentence.
  public let finding: String
}

extension Evidence {
  /// The whole check, by the roster alone.
  /// - Throws: SA-10 to SA-19 for another roster's plan or one that no site takes, SA-03 to SA-05 for messages that are not the culprit's
  ///   of this attempt, SA-92 where they do not show the breach: such evidence says nothing about anybody.
  public func check(_ roster: RosterView) throws(Refusal) -> Verdict {
    let plan = try RoundPlan(decoding: plan)
    // Its threshold and colluders decide claims: they must be those that every site insists on.
    try plan.validate(against: roster)
    let check = EvidenceCheck(evidence: self, plan: plan, context: plan.context, roster: roster)
    let finding = try check.finding()
    return Verdict(
      claim: claim, culprit: culprit, job: plan.job, round: plan.round, attempt: plan.attempt, context: plan.context,
      finding: "\(culpritName) \(finding)")
  }
}
