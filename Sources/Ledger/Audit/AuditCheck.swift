// The checks that an audit lists, in the order in which they are made, and which causes belong to which.

public enum AuditCheck: String, CaseIterable, Sendable {
  case checkpoint, tiles, root, since
  case entries, times, attachments, rosters, jobs, plans, replay, weights, survivors, charges, budget, order, signatures, revealed, released
  case epsilon, aborts, refunds, closing
  case pinnedRoster = "pinned_roster"
  case logSignature = "log_signature"
  case cosignatures

  /// What holds where the check is passed.
  public var claim: String {
    switch self {
    case .checkpoint: "the checkpoint is well formed"
    case .tiles: "entries and tiles are there and agree"
    case .root: "the entries have the checkpoint's root"
    case .since: "the log continues the checkpoint that was seen before"
    case .entries: "every leaf is the canonical form of a known entry"
    case .times: "time does not go back"
    case .attachments: "long values are whole and used"
    case .rosters: "every roster is signed, newer, and agreed to by a quorum of the sites before"
    case .jobs: "every job says what its record says, and is opened once"
    case .plans: "every plan keeps the protocol's rules and its job's noise"
    case .replay: "no attempt and no released round comes twice"
    case .weights: "every round starts from the weights of the one before"
    case .survivors: "U0, U1, U2 and U3 are each a part of the one before, and large enough"
    case .charges: "every charge counts the noise that is assured, no more"
    case .budget: "no reservation exceeds its job's epsilon"
    case .order: "every release has its reservation"
    case .signatures: "a quorum of survivors signed the sets and input digests of every release"
    case .revealed: "enough survivors revealed"
    case .released: "threshold, bits, clip and noise are as planned"
    case .epsilon: "every epsilon is what the accountant computes, at the job's delta"
    case .aborts: "refusals and aborts fit what was reserved"
    case .refunds: "nothing is refunded without a certificate"
    case .closing: "closed jobs state what they reserved, released and cost"
    case .pinnedRoster: "the newest roster is the one that was given"
    case .logSignature: "the server signed the checkpoint as this log"
    case .cosignatures: "a quorum of sites cosigned the checkpoint"
    }
  }
}

extension Cause {
  public var check: AuditCheck {
    switch self {
    case .checkpointForm: .checkpoint
    case .bundle, .tile: .tiles
    case .root: .root
    case .since: .since
    case .origin, .logSignature: .logSignature
    case .cosignature, .quorum: .cosignatures
    case .leafLength, .notCanonical, .schema: .entries
    case .time: .times
    case .attachment: .attachments
    case .roster, .rosterAgreement, .rosterOrder: .rosters
    case .rosterPinned: .pinnedRoster
    case .jobRecord, .jobOrder: .jobs
    case .plan, .planOfJob: .plans
    case .replay: .replay
    case .survivors: .survivors
    case .charge: .charges
    case .order: .order
    case .released: .released
    case .signatureCount, .signature: .signatures
    case .revealed: .revealed
    case .weights: .weights
    case .epsilonRound, .epsilonTotal, .delta: .epsilon
    case .budget: .budget
    case .refund: .refunds
    case .aborted: .aborts
    case .closing: .closing
    }
  }
}
