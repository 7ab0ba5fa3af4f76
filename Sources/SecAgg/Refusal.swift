// Why a party refuses a message, a plan or a whole attempt (spec/03-phases.md lists every code). The number of a code is the
// number of the requirement that was broken. A reason names public things only.

/// A typed refusal. Every abort of an attempt carries one.
public struct Refusal: Error, Hashable, Sendable {
  public let code: RefusalCode
  /// For people; at most `reasonBytesMax` bytes of UTF-8 go over the wire.
  public let reason: String
  /// The site that broke the rule, where that is known from its own signed messages. Silence is the server's word and names no culprit.
  public let culprit: SiteID?

  public static let reasonBytesMax = 1024

  public init(_ code: RefusalCode, _ reason: String, culprit: SiteID? = nil) {
    self.code = code
    self.reason = reason
    self.culprit = culprit
  }
}

public enum RefusalCode: String, CaseIterable, Sendable {
  // Any message
  /// The bytes are not the one encoding of a message: truncated, too long, trailing bytes, unknown type, wrong order.
  case malformed = "SA-01"
  /// Another version of the protocol, another suite, or an extension that this version does not know.
  case unsupported = "SA-02"
  /// The signature is not the sender's.
  case badSignature = "SA-03"
  /// The message belongs to another context: another plan, round, attempt; or a replay.
  case wrongContext = "SA-04"
  /// The sender is not who it must be.
  case wrongSender = "SA-05"
  /// The message is not due in this phase.
  case unexpected = "SA-06"
  /// A second, different message where only one may exist.
  case equivocation = "SA-07"
  /// The message does not fit the sets that were fixed before (unknown members, another order, a missing one).
  case wrongMembers = "SA-08"

  // Phase 0
  case rosterDiffers = "SA-10"
  case badCohort = "SA-11"
  case cohortTooLarge = "SA-12"
  case wrongThreshold = "SA-13"
  case tooFewHonest = "SA-14"
  case wrongColluders = "SA-15"
  case badLayout = "SA-16"
  case wrapBound = "SA-17"
  case badMechanism = "SA-18"
  case badParameters = "SA-19"
  /// The site's own policy forbids the plan.
  case policy = "SA-20"
  /// The site has used this context, or this (job, round, attempt), before.
  case contextUsed = "SA-21"
  /// Too few sites accepted.
  case tooFewAccepted = "SA-22"

  // The sparse graph's seed
  /// A nonce that does not open its site's commitment, or is missing.
  case badNonce = "SA-23"
  /// Nonces that are not those that were committed to.
  case otherNonces = "SA-24"
  /// Keys for another graph.
  case otherGraph = "SA-25"

  // Phase 1
  case tooFewKeys = "SA-30"
  case duplicateKey = "SA-31"
  case weakKey = "SA-32"

  // Phase 2
  case tooFewDealers = "SA-40"
  /// An envelope is not the one that its dealer signed for: whoever carried it altered it.
  case envelopeAltered = "SA-41"
  /// A dealer's commitments are not t points.
  case badCommitments = "SA-42"

  // Phase 2b
  case transcriptDiffers = "SA-50"
  case tooFewAcknowledged = "SA-51"
  case notAcknowledged = "SA-52"

  // Phase 3
  case badInput = "SA-60"
  case inputDigest = "SA-61"
  case inputShape = "SA-62"
  case chunkOrder = "SA-63"
  /// The input was masked for another U2.
  case otherMaskSet = "SA-64"
  /// The sender had been declared a dropout; what it sends is destroyed.
  case late = "SA-65"
  case inputAgain = "SA-66"

  // Phase 4
  case notSubset = "SA-70"
  case excluded = "SA-71"
  case ownDigestAltered = "SA-72"
  case tooFewInputs = "SA-73"
  /// The site may sign one survivor set only, and this is another.
  case otherSurvivors = "SA-74"

  // Phase 5
  case tooFewSignatures = "SA-80"
  case signatureOnOtherSet = "SA-81"
  /// Both shares of one site, or the share of the wrong kind.
  case bothShares = "SA-82"
  case wrongShare = "SA-83"
  case tooFewShares = "SA-84"
  /// The shares of a dealer rebuild something else than what it committed to.
  case wrongDealer = "SA-85"

  // The end
  /// The driver gave up on the site: connection gone or deadline passed. The server's word, without evidence.
  case silent = "SA-90"
  /// The attempt is over.
  case over = "SA-91"
  /// Evidence that does not show what it claims.
  case notShown = "SA-92"
  /// The claim, in evidence that accuses nobody, that an input can be opened by nobody any more.
  case unopened = "SA-93"
}
