// What the server must still know after it was killed: which attempts it began (no context is used twice), what the census said, and
// which rounds ended with which weights. A round counts as ended only after its weights are on the disk; this record follows them.
import Federation
import Foundation

/// The durable course of one job. Owned by the round driver.
public final class AttemptJournal {
  public static let fileName = "attempts.journal"
  private static let magic = "secagg-attempts\n"

  public enum Entry: Equatable, Sendable {
    /// The job's configuration and first weights: a state directory serves one job.
    case jobBegun(job: String, configuration: [UInt8], weights: [UInt8])
    /// Written before the plan is sent.
    case attemptBegun(round: UInt32, attempt: UInt32, context: [UInt8])
    /// Samples of all survivors together.
    case censusFinished(samples: UInt64, survivors: UInt32)
    /// Digest of the weights after the round.
    case roundFinished(round: UInt32, weights: [UInt8])
    /// An attempt's sum is paid for; written before anybody is asked to reveal.
    case charged(round: UInt32, attempt: UInt32, charge: PrivacyCharge)
    /// The attempt's charge is taken back: evidence showed that nobody can open any of its inputs (spec/09, RF-03).
    case refunded(round: UInt32, attempt: UInt32)
  }

  public struct Job: Equatable, Sendable {
    public let name: String
    public let configuration: [UInt8]
    public let weights: [UInt8]
  }

  private var file: RecordFile?
  public private(set) var job: Job?
  /// Total samples and survivors of the census, once it was taken.
  public private(set) var census: (samples: UInt64, survivors: UInt32)?
  /// The last training round that ended, with its weights.
  public private(set) var lastRound: (round: UInt32, weights: [UInt8])?
  /// Digest of the weights that the last round that ended started from.
  public private(set) var weightsBefore: [UInt8]?
  private struct Payment {
    let round: UInt32
    let attempt: UInt32
    let charge: PrivacyCharge
  }
  private var payments: [Payment] = []
  /// What the job has spent, in the order of payment; what was taken back is not among it.
  public var charges: [PrivacyCharge] { payments.map(\.charge) }
  private var attempts: [UInt32: UInt32] = [:]
  private var contexts: Set<[UInt8]> = []

  public init(directory: String) throws(CoordinatorError) {
    let path = directory + "/" + Self.fileName
    do {
      file = try RecordFile(path: path, magic: Self.magic) { bytes in
        guard let entry = Self.decode(bytes) else {
          throw RecordFileError(.corrupted, "\(path) holds a record that this program cannot have written")
        }
        apply(entry)
      }
    } catch let error as RecordFileError {
      throw Self.wrapped(error)
    } catch {
      throw CoordinatorError(.file, "\(path): \(error)", hint: "check the disk")
    }
  }

  /// The number that the next attempt of a round takes.
  public func nextAttempt(round: UInt32) -> UInt32 { attempts[round].map { $0 + 1 } ?? 0 }

  /// Whether this context was one of the job's attempts, in this process or an earlier one.
  public func knows(context: [UInt8]) -> Bool { contexts.contains(context) }

  /// Whether an attempt of the round was paid for.
  public func isCharged(round: UInt32) -> Bool { payments.contains { $0.round == round } }

  /// What an attempt was charged; nil where it was not, or it was taken back.
  func charge(round: UInt32, attempt: UInt32) -> PrivacyCharge? {
    payments.first { $0.round == round && $0.attempt == attempt }?.charge
  }

  /// Makes an entry durable.
  public func record(_ entry: Entry) throws(CoordinatorError) {
    if case .attemptBegun(_, _, let context) = entry {
      precondition(!contexts.contains(context), "the attempt number makes every context new")
    }
    do {
      try file?.append(Self.encode(entry))
    } catch let error as RecordFileError {
      throw Self.wrapped(error)
    } catch {
      throw CoordinatorError(.file, "\(Self.fileName): \(error)", hint: "check the disk")
    }
    apply(entry)
  }

  private func apply(_ entry: Entry) {
    switch entry {
    case .jobBegun(let name, let configuration, let weights): job = Job(name: name, configuration: configuration, weights: weights)
    case .attemptBegun(let round, let attempt, let context):
      attempts[round] = max(attempt, attempts[round] ?? 0)
      contexts.insert(context)
    case .censusFinished(let samples, let survivors): census = (samples, survivors)
    case .roundFinished(let round, let weights):
      weightsBefore = lastRound?.weights ?? job?.weights
      lastRound = (round, weights)
    case .charged(let round, let attempt, let charge): payments.append(Payment(round: round, attempt: attempt, charge: charge))
    case .refunded(let round, let attempt): payments.removeAll { $0.round == round && $0.attempt == attempt }
    }
  }

  static func encode(_ entry: Entry) -> [UInt8] {
    var into = CanonicalWriter(label: "a1")
    switch entry {
    case .jobBegun(let name, let configuration, let weights):
      into.count(1)
      into.string(name)
      into.data(configuration)
      into.data(weights)
    case .attemptBegun(let round, let attempt, let context):
      into.count(2)
      into.integer(round)
      into.integer(attempt)
      into.data(context)
    case .censusFinished(let samples, let survivors):
      into.count(3)
      into.integer(samples)
      into.integer(survivors)
    case .roundFinished(let round, let weights):
      into.count(4)
      into.integer(round)
      into.data(weights)
    case .charged(let round, let attempt, let charge):
      into.count(5)
      into.integer(round)
      into.integer(attempt)
      into.data(charge.mechanism)
      into.integer(charge.shares)
    case .refunded(let round, let attempt):
      into.count(6)
      into.integer(round)
      into.integer(attempt)
    }
    return into.bytes
  }

  static func decode(_ bytes: [UInt8]) -> Entry? {
    do {
      var from = try CanonicalReader(bytes, label: "a1")
      let entry: Entry
      switch try from.count(limit: 255) {
      case 1:
        entry = .jobBegun(job: try from.string(limit: 256), configuration: try from.data(limit: 32), weights: try from.data(limit: 32))
      case 2: entry = .attemptBegun(round: try from.integer(), attempt: try from.integer(), context: try from.data(limit: 32))
      case 3: entry = .censusFinished(samples: try from.integer(), survivors: try from.integer())
      case 4: entry = .roundFinished(round: try from.integer(), weights: try from.data(limit: 32))
      case 5:
        let (round, attempt): (UInt32, UInt32) = (try from.integer(), try from.integer())
        let charge = PrivacyCharge(mechanism: try from.data(limit: PrivacyCharge.mechanismBytesMax), shares: try from.integer())
        guard charge.event != nil else { return nil }
        entry = .charged(round: round, attempt: attempt, charge: charge)
      case 6: entry = .refunded(round: try from.integer(), attempt: try from.integer())
      default: return nil
      }
      try from.end()
      return entry
    } catch {
      return nil
    }
  }

  private static func wrapped(_ error: RecordFileError) -> CoordinatorError {
    switch error.code {
    case .locked:
      CoordinatorError(.stateInUse, error.reason, hint: "another secagg-server runs with this state directory; stop it first")
    case .corrupted, .foreign:
      CoordinatorError(.stateDamaged, error.reason, hint: "restore the state directory, or begin a new job with another name and directory")
    case .inputOutput: CoordinatorError(.file, error.reason, hint: "check the disk's space and the directory's permissions")
    }
  }
}
