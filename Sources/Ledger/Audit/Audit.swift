// The whole audit of a ledger (spec/15-ledger.md, "Auditing"): files, tree, entries, signatures. It needs no clock and no network, and
// says of each check whether it was made and what came of it.
import Sodium

public struct AuditRequest: Sendable {
  /// The roster that the auditor has from the consortium.
  public var roster: LedgerRoster?
  /// The pinned key; without one the ledger's own first roster is believed.
  public var consortiumKey: Ed25519.PublicKey?
  /// A checkpoint that was seen before, such as a site's.
  public var since: SignedCheckpoint?
  /// Verifies the survivors' signatures.
  public var verifier: SignatureVerifier

  public init(
    roster: LedgerRoster? = nil, consortiumKey: Ed25519.PublicKey? = nil, since: SignedCheckpoint? = nil,
    verifier: @escaping SignatureVerifier = SignatureClaims.inOrder
  ) {
    (self.roster, self.consortiumKey, self.since, self.verifier) = (roster, consortiumKey, since, verifier)
  }
}

/// What became of one check.
public struct CheckResult: Equatable, Sendable {
  public enum Outcome: String, Sendable { case held, failed, notMade }
  public let check: AuditCheck
  public let outcome: Outcome
  public let detail: String
}

public struct AuditReport: Sendable {
  public internal(set) var results: [CheckResult] = []
  /// The first fault in the order of the checks; no index where no single leaf is at fault.
  public internal(set) var firstBad: (index: Int?, fault: AuditFault)?
  public internal(set) var checkpoint: SignedCheckpoint?
  /// What was read before the first bad leaf.
  public internal(set) var state: LedgerState
  /// Entries and tree, where the files are whole.
  public internal(set) var logged: LoggedEntries?
  /// Cosignatures over the newest checkpoint that hold.
  public internal(set) var cosigners: [UInt32] = []

  public var holds: Bool { firstBad == nil }
}

public enum Audit {
  /// A cosignature may be older than the newest leaf by this many seconds: clocks differ.
  static let skewSeconds: UInt64 = 300

  /// - Throws: `.unreadable` where there is no ledger at all.
  public static func run(_ source: some LedgerSource, _ request: AuditRequest) throws(LedgerError) -> AuditReport {
    var report = AuditReport(state: LedgerState(pinnedKey: request.consortiumKey))
    var bytes = try checkpoint(source)
    // A server may be writing: what belongs to a checkpoint that is no more is read again.
    for _ in 0..<5 {
      report = AuditReport(state: LedgerState(pinnedKey: request.consortiumKey))
      var run = AuditRun(request: request, report: report)
      run.log(source, bytes)
      report = run.report
      let newest = try checkpoint(source)
      guard report.firstBad?.fault.cause == .bundle, newest != bytes else { break }
      bytes = newest
    }
    return report
  }

  private static func checkpoint(_ source: some LedgerSource) throws(LedgerError) -> [UInt8] {
    guard let bytes = try source.read(TilePath.checkpoint, bytesMax: SignedNote.bytesMax) else {
      throw LedgerError(.unreadable, "there is no ledger: the file `checkpoint` is missing", hint: "give the ledger's folder")
    }
    return bytes
  }
}

/// One run over one checkpoint.
private struct AuditRun {
  let request: AuditRequest
  var report: AuditReport
  private var failed: [AuditCheck: String] = [:]
  private var details: [AuditCheck: String] = [:]

  init(request: AuditRequest, report: AuditReport) { (self.request, self.report) = (request, report) }

  mutating func log(_ source: some LedgerSource, _ bytes: [UInt8]) {
    defer { conclude() }
    let checkpoint: SignedCheckpoint
    do { checkpoint = try SignedCheckpoint(parsing: bytes) } catch { return fail(AuditFault(.checkpointForm, error.reason)) }
    report.checkpoint = checkpoint
    let point = checkpoint.checkpoint
    details[.checkpoint] = "\(point.origin), \(point.size) entries"
    let logged: LoggedEntries
    do throws(LoggedFault) { logged = try LoggedEntries(source, size: point.size) } catch { return fail(error.fault, at: error.index) }
    details[.tiles] = "\(logged.leaves.count) entries, \(TilePath.all(size: point.size).count) files"
    guard logged.tree.root == point.root else { return fail(AuditFault(.root, "the entries have another root than the checkpoint")) }
    details[.root] = Base64.text(point.root)
    report.logged = logged
    since(logged, checkpoint)
    entries(logged)
    signatures(checkpoint)
  }

  // MARK: the log

  private mutating func since(_ logged: LoggedEntries, _ checkpoint: SignedCheckpoint) {
    guard let since = request.since else { return }
    let old = since.checkpoint
    guard old.origin == checkpoint.checkpoint.origin else {
      return fail(AuditFault(.since, "the checkpoint that was seen before is of the ledger \(old.origin.prefix(120))"))
    }
    guard old.size <= logged.leaves.count else {
      return fail(AuditFault(.since, "the ledger has \(logged.leaves.count) entries; a checkpoint of \(old.size) was seen"))
    }
    guard logged.tree.root(of: old.size) == old.root else {
      return fail(AuditFault(.since, "the first \(old.size) entries are not those that were seen: the ledger has forked"))
    }
    details[.since] = "the first \(old.size) entries are those that were seen"
  }

  private mutating func entries(_ logged: LoggedEntries) {
    for (index, leaf) in logged.leaves.enumerated() {
      do throws(AuditFault) {
        let entry = try LedgerEntry(decoding: leaf)
        report.state.count(.entries)
        try report.state.accept(entry) { logged.tree.root(of: index) }
      } catch {
        verifySignatures()
        return fail(error, at: index)
      }
    }
    verifySignatures()
    if report.state.roster == nil { fail(AuditFault(.roster, "the ledger is empty: it has no roster")) }
  }

  /// A wrong signature on an earlier leaf comes before a fault of a later one.
  private mutating func verifySignatures() {
    let claims = report.state.claims
    guard let first = request.verifier(claims).min() else { return }
    let claim = claims[first]
    fail(AuditFault(.signature, "the signature of site \(claim.site) does not hold over the sets of the round"), at: claim.index)
  }

  // MARK: the newest checkpoint

  private mutating func signatures(_ checkpoint: SignedCheckpoint) {
    guard let newest = report.state.roster else { return }
    if let given = request.roster {
      if given.digest == newest.digest {
        details[.pinnedRoster] = "serial number \(newest.serial)"
      } else {
        fail(AuditFault(.rosterPinned, "the newest roster of the ledger has serial number \(newest.serial), the given one \(given.serial)"))
      }
    }
    let roster = request.roster ?? newest
    logSignature(checkpoint, roster)
    cosignatures(checkpoint, roster)
  }

  private mutating func logSignature(_ checkpoint: SignedCheckpoint, _ roster: LedgerRoster) {
    guard checkpoint.checkpoint.origin == roster.origin else {
      return fail(
        AuditFault(.origin, "the checkpoint is of \(checkpoint.checkpoint.origin.prefix(120)), the roster's ledger is \(roster.origin)"))
    }
    switch checkpoint.logSignature(roster.logKey) {
    case .good: details[.logSignature] = "the log key of \(roster.serverName)"
    case .missing: fail(AuditFault(.logSignature, "the checkpoint has no signature of the roster's log key"))
    case .wrong: fail(AuditFault(.logSignature, "the log's signature does not fit the checkpoint"))
    }
  }

  private mutating func cosignatures(_ checkpoint: SignedCheckpoint, _ roster: LedgerRoster) {
    for site in roster.sites {
      guard let found = checkpoint.cosignature(name: roster.witnessName(site.index), key: site.witnessKey) else { continue }
      guard found.isGood else { return fail(AuditFault(.cosignature, "the cosignature of site \(site.index) does not fit the checkpoint")) }
      guard found.time.addingReportingOverflow(Audit.skewSeconds).partialValue >= report.state.time else {
        return fail(AuditFault(.cosignature, "the cosignature of site \(site.index) is older than the newest entry"))
      }
      report.cosigners.append(site.index)
    }
    guard report.cosigners.count >= roster.quorum else {
      return fail(AuditFault(.quorum, "\(report.cosigners.count) sites cosigned the checkpoint; \(roster.quorum) are needed"))
    }
    details[.cosignatures] = "\(report.cosigners.count) of \(roster.sites.count) sites; \(roster.quorum) are needed"
  }

  // MARK: what came of it

  /// The first fault is the one that is named: checks are made in their order, leaves in theirs.
  private mutating func fail(_ fault: AuditFault, at index: Int? = nil) {
    let check = fault.cause.check
    failed[check] = failed[check] ?? (index.map { "entry \($0): " } ?? "") + "\(fault.cause.rawValue): \(fault.reason)"
    if report.firstBad == nil { report.firstBad = (index, fault) }
  }

  private mutating func conclude() {
    report.results = AuditCheck.allCases.map { check in
      if let reason = failed[check] { return CheckResult(check: check, outcome: .failed, detail: reason) }
      if let reason = whyNotMade(check) { return CheckResult(check: check, outcome: .notMade, detail: reason) }
      return CheckResult(check: check, outcome: .held, detail: details[check] ?? made(check))
    }
  }

  private func made(_ check: AuditCheck) -> String {
    let count = report.state.made[check] ?? 0
    let place = report.firstBad?.index.map { ", up to entry \($0)" } ?? ""
    return count == 0 ? "none" : "\(count) times\(place)"
  }

  private func whyNotMade(_ check: AuditCheck) -> String? {
    if check == .since, request.since == nil { return "no earlier checkpoint was given: a tail that was cut off would not be noticed" }
    if check == .pinnedRoster, request.roster == nil {
      return "no roster and consortium key were given: the ledger's own first roster is believed"
    }
    guard check != .checkpoint, details[check] == nil else { return nil }
    let isReached = check.isOfCheckpoint ? report.state.roster != nil : report.logged != nil
    return isReached ? nil : "not reached"
  }
}

extension AuditCheck {
  var isOfCheckpoint: Bool { [.pinnedRoster, .logSignature, .cosignatures].contains(self) }
}
