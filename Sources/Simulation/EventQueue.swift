// What happens next in virtual time. Events of one moment come in the order in which they were made.
import SecAgg

enum Event {
  case toSite(SiteID, connection: Int, [UInt8])
  case toServer(SiteID, connection: Int, Packet)
  case connected(SiteID)
  /// The server's patience with a lost connection is over.
  case graceOver(SiteID, connection: Int)
  case deadline(attempt: UInt32, Phase)
  /// A site finished its training for an attempt.
  case trained(SiteID, generation: Int, context: [UInt8])
  case siteStarts(SiteID)
  case serverStarts
  case attemptStarts
}

/// What a site sends on its connection.
enum Packet {
  case message([UInt8])
  case piece([UInt8], index: Int, count: Int)
  /// The site has no part in the attempt any more.
  case goodbye
}

/// A binary heap by time, then number.
struct EventQueue {
  private struct Entry {
    let time: UInt64
    let number: UInt64
    let event: Event
    func isBefore(_ other: Entry) -> Bool { time != other.time ? time < other.time : number < other.number }
  }

  private var heap: [Entry] = []
  private var made: UInt64 = 0

  var isEmpty: Bool { heap.isEmpty }

  mutating func add(_ event: Event, at time: UInt64) {
    made += 1
    heap.append(Entry(time: time, number: made, event: event))
    var index = heap.count - 1
    while index > 0, heap[index].isBefore(heap[(index - 1) / 2]) {
      heap.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  mutating func next() -> (time: UInt64, event: Event)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return (first.time, first.event) }
    heap[0] = last
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].isBefore(heap[least]) { least = child }
      guard least != index else { return (first.time, first.event) }
      heap.swapAt(index, least)
      index = least
    }
  }
}
