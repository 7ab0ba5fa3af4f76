// One site: the real session, policy gate and journal. What the process keeps in memory is lost in a crash; the journal is not.
import Federation
import Masking
import Participant
import SecAgg
import Sodium

final class SimulatedSite {
  /// What this process would hand in again for the same weights.
  struct KeptInput: Equatable {
    let round: UInt32
    let weights: [UInt8]
    let mechanism: [UInt8]
    let seed: UInt64
  }

  let id: SiteID
  let key: Ed25519.SigningKey
  /// What is on its disk.
  private(set) var durable: [JournalEntry] = []
  private(set) var journal: Journal
  var isUp = true
  /// Counts processes: another one has other secrets, and trains to other integers.
  private(set) var generation = 0
  var session: SiteSession?
  var plan: RoundPlan?
  var kept: KeptInput?
  var isTrained = false
  var isProvided = false
  /// How its connection is numbered; nil: it has none.
  var connection: Int?
  var connections = 0
  /// Its protocol messages arrive in the order in which they left, unless they are reordered: times of the last arrivals.
  var lastArrival: (atSite: UInt64, atServer: UInt64) = (0, 0)

  init(id: SiteID, key: Ed25519.SigningKey) {
    self.id = id
    self.key = key
    journal = Journal(inMemory: [])
  }

  func crash() {
    isUp = false
    connection = nil
    session = nil
    plan = nil
    kept = nil
    isTrained = false
    isProvided = false
    generation += 1
  }

  func restart() {
    isUp = true
    journal = Journal(inMemory: durable)
  }

  /// Writes what a session asks for. False where the journal forbids it.
  func persist(_ record: SiteRecord, job: JobPlan) -> Bool {
    guard let plan else { return false }
    let entries: [JournalEntry] =
      switch record {
      case .contextUsed(let context):
        [
          .jobPinned(job: job.name, weights: job.initialWeightsDigest, configuration: job.digest),
          .contextUsed(
            job: plan.job, round: plan.round, attempt: plan.attempt, kind: RoundKind(round: plan.round).rawValue, context: context,
            weights: plan.weightsDigest),
        ]
      case .inputSent(let context, let digest):
        (job.charge(for: plan).map { [.charged(context: context, charge: $0)] } ?? []) + [.inputSent(context: context, digest: digest)]
      case .survivorsSigned(let context, let survivors, let hash):
        [.survivorsSigned(context: context, survivors: survivors.map(\.rawValue), hash: hash)]
      case .revealed(let context): [.revealed(context: context)]
      }
    for entry in entries {
      guard (try? journal.record(entry)) != nil else { return false }
      durable.append(entry)
    }
    return true
  }
}

/// A site's integers, the same for the same seed: uniform elements of each section's ring, so that the masks must cancel for any input.
enum SimulatedInput {
  static func sections(_ plan: RoundPlan, seed: UInt64) -> [[UInt32]] {
    plan.sections.enumerated().map { index, section in
      var random = SeededRandom(seed, "section", UInt64(index))
      let mask = Ring(bits: section.bits).mask
      return [UInt32](unsafeUninitializedCapacity: section.count) { words, count in
        for position in stride(from: 0, to: section.count, by: 2) {
          let value = random.next()
          words.initializeElement(at: position, to: UInt32(truncatingIfNeeded: value) & mask)
          if position + 1 < section.count { words.initializeElement(at: position + 1, to: UInt32(value >> 32) & mask) }
        }
        count = section.count
      }
    }
  }

  /// The plain sum over sites, one input at a time.
  static func sum(_ plan: RoundPlan, seeds: [UInt64]) -> [[UInt32]] {
    var total = plan.sections.map { [UInt32](repeating: 0, count: $0.count) }
    for seed in seeds {
      for (index, words) in sections(plan, seed: seed).enumerated() {
        Ring(bits: plan.sections[index].bits).add(words, into: &total[index])
      }
    }
    for (index, section) in plan.sections.enumerated() { Ring(bits: section.bits).reduce(&total[index]) }
    return total
  }
}
