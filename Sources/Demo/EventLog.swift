// The server's `events.jsonl` (docs/events.md) as the demo reads it while the job runs. Unknown events and keys are ignored.
import Foundation

/// One line of the server's event log; a key that an event does not carry is nil.
struct ServerEvent: Decodable, Sendable {
  let event: String
  let time: String
  let site: Int?
  let name: String?
  let round: Int?
  let attempt: Int?
  let kind: String?
  let phase: String?
  let port: Int?
  let reason: String?
  let code: String?
  let outcome: String?
  let sites: [Int]?
  let survivors: [Int]?
  let dropped: [Int]?
  let seconds: [String: Double]?
  let bytesUp: [String: Int]?
  let bytesDown: [String: Int]?
  let secureAggregationSeconds: Double?
  let file: String?
  let epsilon: Double?

  enum CodingKeys: String, CodingKey {
    case event, time, site, name, round, attempt, kind, phase, port, reason, code, outcome, sites, survivors, dropped, seconds, file,
      epsilon
    case bytesUp = "bytes_up"
    case bytesDown = "bytes_down"
    case secureAggregationSeconds = "secure_aggregation_seconds"
  }
}

/// Reads what was appended since the last call; a line that is not complete yet waits for its line break.
struct EventReader {
  let path: String
  private var offset: UInt64 = 0
  private var rest = Data()

  init(path: String) { self.path = path }

  mutating func next() -> [ServerEvent] {
    guard let handle = FileHandle(forReadingAtPath: path) else { return [] }
    defer { try? handle.close() }
    guard (try? handle.seek(toOffset: offset)) != nil, let new = try? handle.readToEnd() else { return [] }
    offset += UInt64(new.count)
    rest.append(new)
    var events: [ServerEvent] = []
    let decoder = JSONDecoder()
    while let end = rest.firstIndex(of: 0x0a) {
      if let event = try? decoder.decode(ServerEvent.self, from: rest[rest.startIndex..<end]) { events.append(event) }
      rest = Data(rest[(end + 1)...])
    }
    return events
  }
}
