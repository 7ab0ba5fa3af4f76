// What a site may do only once, kept on disk before it is done: contexts used, the input and the survivor set of each, reveals, the
// newest roster, the first weights of each job (spec: durable state). Every `record` is on the disk when it returns, and refuses what
// would contradict an earlier entry, so that a restart, a replay or a lying server cannot make a site do it twice.
import Federation

/// A site's journal. Not thread-safe: the site's driver owns it.
public final class Journal {
  /// The file's name inside the state directory.
  public static let fileName = "journal"
  private static let magic = "secagg-journal1\n"

  /// A survivor set and the hash that was signed for it.
  public struct SignedSet: Equatable, Sendable {
    public let survivors: [UInt32]
    public let hash: [UInt8]
  }

  /// What is known of one used context.
  public struct Attempt: Equatable, Sendable {
    public let job: String
    public let round: UInt32
    public let attempt: UInt32
    public let kind: UInt8
    public let weights: [UInt8]
    public fileprivate(set) var input: [UInt8]?
    public fileprivate(set) var survivors: SignedSet?
    public fileprivate(set) var isRevealed = false
    public fileprivate(set) var charge: PrivacyCharge?
    public fileprivate(set) var isRefunded = false
  }

  /// The first weights and the configuration of a job.
  public struct Pin: Equatable, Sendable {
    public let weights: [UInt8]
    public let configuration: [UInt8]
  }

  private var file: RecordFile?
  private var isInMemory = false
  private var attempts: [[UInt8]: Attempt] = [:]
  private var pins: [String: Pin] = [:]
  public private(set) var highestRosterSerial: UInt64 = 0
  private var payments: [(context: [UInt8], payment: Payment)] = []
  /// What this site has paid for, over all jobs, in the order of payment; what was taken back is not among it.
  public var charges: [Payment] { payments.filter { attempts[$0.context]?.isRefunded != true }.map(\.payment) }
  public typealias Payment = (job: String, round: UInt32, charge: PrivacyCharge)
  /// Bytes of a half-written last entry that a crash left and that were cut; 0 otherwise.
  public var tornBytes: Int { file?.tornBytes ?? 0 }

  /// Opens or creates `directory/journal` and reads it.
  /// - Throws: ``ParticipantError`` `stateInUse`, `journalDamaged` or `file`.
  public init(directory: String) throws(ParticipantError) {
    let path = directory + "/" + Self.fileName
    do {
      file = try RecordFile(path: path, magic: Self.magic) { bytes in
        guard let entry = JournalEntry(encoded: bytes), contradiction(of: entry) == nil else {
          throw RecordFileError(.corrupted, "\(path) holds an entry that this program cannot have written")
        }
        apply(entry)
      }
    } catch {
      throw Self.wrapped(error)
    }
  }

  /// A journal in memory that begins with the entries of one before, for the simulator: its sites crash and start again.
  package init(inMemory entries: [JournalEntry]) {
    isInMemory = true
    for entry in entries { apply(entry) }
  }

  /// Makes an entry durable. An entry that is there already, or follows from what is there, costs nothing.
  /// - Throws: ``ParticipantError`` `journalForbids` if it contradicts an earlier entry, `file` if it could not be written; in both
  ///   cases what it was to permit must not happen.
  public func record(_ entry: JournalEntry) throws(ParticipantError) {
    if isKnown(entry) { return }
    if let reason = contradiction(of: entry) {
      throw ParticipantError(.journalForbids, reason, hint: "nothing is wrong at this site: it does not do twice what may be done once")
    }
    if isInMemory { return apply(entry) }
    guard let file else { throw ParticipantError(.file, "the journal is not open", hint: "restart the client") }
    do {
      try file.append(entry.encoded)
    } catch {
      throw Self.wrapped(error)
    }
    apply(entry)
  }

  /// What is known of a context; nil if it was never used.
  public func attempt(context: [UInt8]) -> Attempt? { attempts[context] }

  /// The first weights and the configuration that `job` began with.
  public func pin(job: String) -> Pin? { pins[job] }

  /// Whether this (job, round, attempt) was accepted before, under whatever context.
  public func isUsed(job: String, round: UInt32, attempt: UInt32) -> Bool {
    attempts.values.contains { $0.job == job && $0.round == round && $0.attempt == attempt }
  }

  /// The highest round of `job` for which shares were revealed.
  public func lastRevealedRound(job: String) -> UInt32? {
    attempts.values.filter { $0.job == job && $0.isRevealed }.map(\.round).max()
  }

  /// Whether an input of this kind, on these weights, ever left.
  public func hasSentInput(weights: [UInt8], kind: UInt8) -> Bool {
    attempts.values.contains { $0.kind == kind && $0.weights == weights && $0.input != nil }
  }

  /// The survivor sets for which shares were revealed, of this kind and on these weights. A second release of the same may differ from
  /// the first only in nothing: whoever was in one sum and not in the other would be laid open.
  public func revealedSets(weights: [UInt8], kind: UInt8) -> Set<[UInt32]> {
    Set(attempts.values.filter { $0.isRevealed && $0.kind == kind && $0.weights == weights }.compactMap { $0.survivors?.survivors })
  }
}

extension Journal {
  private func isKnown(_ entry: JournalEntry) -> Bool {
    switch entry {
    case .rosterSeen(let serial): serial == highestRosterSerial
    case .jobPinned(let job, let weights, let configuration): pins[job] == Pin(weights: weights, configuration: configuration)
    case .contextUsed: false
    case .inputSent(let context, let digest): attempts[context]?.input == digest
    case .survivorsSigned(let context, let survivors, let hash):
      attempts[context]?.survivors == SignedSet(survivors: survivors, hash: hash)
    case .revealed(let context): attempts[context]?.isRevealed ?? false
    case .charged(let context, let charge): attempts[context]?.charge == charge
    case .refunded(let context): attempts[context]?.isRefunded ?? false
    }
  }

  /// Why the entry may not follow what is there; nil if it may.
  private func contradiction(of entry: JournalEntry) -> String? {
    switch entry {
    case .rosterSeen(let serial):
      return serial < highestRosterSerial ? "roster \(serial) is older than roster \(highestRosterSerial), which was seen before" : nil
    case .jobPinned(let job, _, _):
      return pins[job] == nil ? nil : "job \"\(job)\" began with other weights or another configuration"
    case .contextUsed(let job, let round, let attempt, _, let context, _):
      let used = attempts[context] != nil || isUsed(job: job, round: round, attempt: attempt)
      return used ? "attempt \(attempt) of round \(round) of job \"\(job)\" was accepted before" : nil
    case .inputSent(let context, _):
      guard let attempt = attempts[context] else { return "an input for a context that was never accepted" }
      return attempt.input == nil ? nil : "another input left for this context before"
    case .survivorsSigned(let context, _, _):
      guard let attempt = attempts[context], attempt.input != nil else { return "survivors of an attempt without an input from here" }
      return attempt.survivors == nil ? nil : "another survivor set was signed for this context before"
    case .revealed(let context):
      return attempts[context]?.survivors == nil ? "a reveal without a signed survivor set" : nil
    case .charged(let context, _):
      guard let attempt = attempts[context], attempt.input == nil else {
        return "a charge for a context that was never accepted, or too late"
      }
      return attempt.charge == nil ? nil : "another charge for this context before"
    case .refunded(let context): return refundProblem(context)
    }
  }

  /// Why nothing can be taken back for a context; nil if its charge can.
  private func refundProblem(_ context: [UInt8]) -> String? {
    guard let attempt = attempts[context], let charge = attempt.charge else { return "this site paid nothing for that attempt" }
    // What was learnt in noised steps goes on in the trainer's momenta and in later attempts, whoever opens this one.
    return charge.isOfTraining ? "what was paid for is a training, not this attempt's sum" : nil
  }

  private func apply(_ entry: JournalEntry) {
    switch entry {
    case .rosterSeen(let serial): highestRosterSerial = serial
    case .jobPinned(let job, let weights, let configuration): pins[job] = Pin(weights: weights, configuration: configuration)
    case .contextUsed(let job, let round, let attempt, let kind, let context, let weights):
      attempts[context] = Attempt(job: job, round: round, attempt: attempt, kind: kind, weights: weights)
    case .inputSent(let context, let digest): attempts[context]?.input = digest
    case .survivorsSigned(let context, let survivors, let hash):
      attempts[context]?.survivors = SignedSet(survivors: survivors, hash: hash)
    case .revealed(let context): attempts[context]?.isRevealed = true
    case .charged(let context, let charge):
      attempts[context]?.charge = charge
      if let attempt = attempts[context] { payments.append((context, (attempt.job, attempt.round, charge))) }
    case .refunded(let context): attempts[context]?.isRefunded = true
    }
  }

  private static func wrapped(_ error: any Error) -> ParticipantError {
    guard let error = error as? RecordFileError else {
      return ParticipantError(.file, "the journal failed: \(error)", hint: "check the disk")
    }
    switch error.code {
    case .locked:
      return ParticipantError(.stateInUse, error.reason, hint: "another secagg-client runs with this state directory; stop it first")
    case .corrupted, .foreign:
      return ParticipantError(
        .journalDamaged, error.reason,
        hint: "do not delete it: without it this site could reveal a round twice; restore the file, or enroll with new keys")
    case .inputOutput:
      return ParticipantError(.file, error.reason, hint: "check the disk's space and the directory's permissions")
    }
  }
}
