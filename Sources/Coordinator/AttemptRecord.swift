// What the server measures of one attempt: seconds by phase, bytes by site, who dropped. For the event log; nothing depends on it.
import SecAgg

struct AttemptRecord {
  private let begin = ContinuousClock.now
  private var phaseBegin = ContinuousClock.now
  private var phase: Phase?
  private(set) var seconds: [String: Double] = [:]
  private(set) var bytesUp: [UInt32: Int] = [:]
  private(set) var bytesDown: [UInt32: Int] = [:]
  private var inputs: Set<UInt32> = []

  mutating func entered(_ next: Phase) {
    close()
    phase = next
  }

  private mutating func close() {
    let now = ContinuousClock.now
    if let phase { seconds[phase.eventName, default: 0] += Self.seconds(phaseBegin.duration(to: now)) }
    phaseBegin = now
  }

  mutating func received(_ bytes: Int, from site: UInt32) { bytesUp[site, default: 0] += bytes }
  mutating func sent(_ bytes: Int, to site: UInt32) { bytesDown[site, default: 0] += bytes }

  /// - Returns: whether this is the site's first complete input.
  mutating func inputComplete(from site: UInt32) -> Bool { inputs.insert(site).inserted }

  /// Ends the record: seconds by phase with their total, and the seconds that were not spent waiting for the sites' training (phase 3):
  /// keys, shares and acknowledgements, consistency, reveal, unmasking, decoding, the new weights.
  mutating func finished() -> (seconds: EventValue, secureAggregation: EventValue) {
    close()
    phase = nil
    let total = Self.seconds(begin.duration(to: .now))
    seconds["total"] = total
    let aggregation = max(0, total - seconds[Phase.maskedInput.eventName, default: 0])
    return (.object(seconds.mapValues { .number(Self.rounded($0)) }), .number(Self.rounded(aggregation)))
  }

  static func bytes(_ values: [UInt32: Int]) -> EventValue {
    .object(Dictionary(uniqueKeysWithValues: values.map { (String($0.key), .integer($0.value)) }))
  }

  private static func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }
  private static func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }
}

extension Phase {
  /// The name in events.jsonl.
  public var eventName: String {
    switch self {
    case .plan: "plan"
    case .commitments: "commitments"
    case .graph: "graph"
    case .keys: "keys"
    case .shares: "shares"
    case .acknowledge: "acknowledge"
    case .maskedInput: "masked_input"
    case .consistency: "consistency"
    case .reveal: "reveal"
    case .done: "done"
    }
  }
}
