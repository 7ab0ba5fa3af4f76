// What a ledger says, leaf by leaf (spec/15-ledger.md, "Entries"). A leaf holds what cannot be computed from leaves before it, and the few
// figures that people read, which every auditor computes again. Nothing of a single site but its index, its dropping out and its refusals;
// no timing of a site, no number of its records.

public struct LedgerEntry: Equatable, Sendable {
  /// Seconds since 1970, by the server's clock; never before the entry above.
  public let time: UInt64
  public let body: Body

  public enum Body: Equatable, Sendable {
    case attachment(Attachment)
    case rosterChanged(RosterChanged)
    case jobOpened(JobOpened)
    case roundReserved(RoundReserved)
    case roundReleased(RoundReleased)
    case roundAborted(RoundAborted)
    case refused(SiteRefused)
    case refund(Refund)
    case jobClosed(JobClosed)
  }

  public init(time: UInt64, _ body: Body) { (self.time, self.body) = (time, body) }

  /// Longest leaf in bytes: what an entry bundle of tlog-tiles can hold.
  public static let bytesMax = 65_535
}

/// A part of a value that is too long for the leaf that it belongs to.
public struct Attachment: Equatable, Sendable {
  /// H of the whole value.
  public let digest: [UInt8]
  /// From 0.
  public let part: Int
  public let parts: Int
  public let bytes: [UInt8]
}

/// The first leaf, and whenever the consortium signed another roster.
public struct RosterChanged: Equatable, Sendable {
  /// The record that the consortium signed (spec/02).
  public let roster: Blob
  public let signature: [UInt8]
  /// Of a quorum of the sites before (`SiteSignatures`) over `RosterChange`; none on the first leaf.
  public let cosignatures: Blob

  public init(roster: Blob, signature: [UInt8], cosignatures: Blob) {
    (self.roster, self.signature, self.cosignatures) = (roster, signature, cosignatures)
  }
}

/// What privacy is of: one site's whole update, or one record of a site; or there is no noise, and then no guarantee.
public enum PrivacyUnit: String, Sendable, CaseIterable {
  case none
  case site
  case record
}

/// A bound on privacy loss as a leaf has it.
public struct LeafBudget: Equatable, Sendable {
  public let epsilon: LeafDecimal
  public let delta: LeafDecimal
  public init(epsilon: LeafDecimal, delta: LeafDecimal) { (self.epsilon, self.delta) = (epsilon, delta) }
}

public struct JobOpened: Equatable, Sendable {
  public let job: String
  /// The job's configuration record (spec/02).
  public let record: Blob
  public let rosterSerial: Int
  public let rosterDigest: [UInt8]
  public let unit: PrivacyUnit
  /// nil without noise.
  public let budget: LeafBudget?
  /// The server's policy: no plan of the job asks for fewer inputs than this.
  public let survivorsMin: Int

  public init(
    job: String, record: Blob, rosterSerial: Int, rosterDigest: [UInt8], unit: PrivacyUnit, budget: LeafBudget?, survivorsMin: Int
  ) {
    (self.job, self.record, self.rosterSerial, self.rosterDigest) = (job, record, rosterSerial, rosterDigest)
    (self.unit, self.budget, self.survivorsMin) = (unit, budget, survivorsMin)
  }
}

/// What an attempt costs, before anybody is asked for what opens its sum.
public struct LeafCharge: Equatable, Sendable {
  /// The plan's mechanism, or that of a trainer's steps.
  public let mechanism: [UInt8]
  /// Noise shares in the sum that nobody who sees it knows; for steps, how many steps.
  public let shares: Int
  public init(mechanism: [UInt8], shares: Int) { (self.mechanism, self.shares) = (mechanism, shares) }
}

public struct RoundReserved: Equatable, Sendable {
  public let context: [UInt8]
  /// The plan whose hash the context is (spec/02).
  public let plan: Blob
  /// What stands behind ctx in H[survivor-set] (spec/01): U1, H[mask-set], U2, U3 and the digests of the masked inputs.
  public let survivors: Blob
  /// nil without noise.
  public let charge: LeafCharge?

  public init(context: [UInt8], plan: Blob, survivors: Blob, charge: LeafCharge?) {
    (self.context, self.plan, self.survivors, self.charge) = (context, plan, survivors, charge)
  }
}

public struct RoundReleased: Equatable, Sendable {
  public let context: [UInt8]
  /// `consistency` of a quorum of the survivors (`SiteSignatures`).
  public let signatures: Blob
  /// U4 as a list of sites (spec/01).
  public let revealed: Blob
  public let sumDigest: [UInt8]
  /// Of the weights after this round.
  public let weightsDigest: [UInt8]
  /// The plan's t and b, and the job's clip where there is noise.
  public let threshold: Int
  public let bits: Int
  public let clip: LeafDecimal?
  public let noise: ReleasedNoise?
  public let cost: ReleasedCost?
}

/// The noise that is assured: of one sum in squared grid steps of its plan, or of one step of a trainer.
public struct ReleasedNoise: Equatable, Sendable {
  /// Shares or steps, as in the charge.
  public let shares: Int
  /// A whole number or a fraction "p/q" in lowest terms: shares · σ² of a sum, σ² of a step.
  public let variance: String
}

public struct ReleasedCost: Equatable, Sendable {
  /// This round alone.
  public let round: LeafDecimal
  /// Everything of the job that was reserved and not refunded.
  public let total: LeafBudget
}

public struct RoundAborted: Equatable, Sendable {
  public let context: [UInt8]
  public let job: String
  public let round: Int
  public let attempt: Int
  public let phase: Phase
  /// Of spec/03, "Refusals".
  public let code: String
  /// Whom the server names; nil for nobody.
  public let site: UInt32?

  public enum Phase: String, Sendable, CaseIterable {
    case plan, graph, keys, shares, acknowledge
    case maskedInput = "masked-input"
    case consistency, reveal
  }

  public init(context: [UInt8], job: String, round: Int, attempt: Int, phase: Phase, code: String, site: UInt32?) {
    (self.context, self.job, self.round, self.attempt) = (context, job, round, attempt)
    (self.phase, self.code, self.site) = (phase, code, site)
  }
}

/// A site refused an attempt; its words stay with it, the code is here.
public struct SiteRefused: Equatable, Sendable {
  public let context: [UInt8]
  public let site: UInt32
  public let code: String
  public init(context: [UInt8], site: UInt32, code: String) { (self.context, self.site, self.code) = (context, site, code) }
}

/// A reserved attempt whose inputs can be opened by nobody.
public struct Refund: Equatable, Sendable {
  public let context: [UInt8]
  /// Evidence of the claim SA-93 for every site (spec/09).
  public let certificate: Blob
  public init(context: [UInt8], certificate: Blob) { (self.context, self.certificate) = (context, certificate) }
}

public struct JobClosed: Equatable, Sendable {
  public let job: String
  public let reserved: Int
  public let released: Int
  /// nil without noise.
  public let total: LeafBudget?
}
